"""Help while typing: completion and inspection."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def vector(kernel):
    """Variables and functions that the tests ask about."""
    kernel.run("let mut vector = vec![1, 2, 3];\nlet 名字 = 1;")
    kernel.run("/// Squares a number.\nfn 平方(n: i32) -> i32 { n * n }")


def completed(kernel, code, cursor=None):
    """The code with each completion accepted."""
    reply = kernel.ask("complete", code, cursor)
    start, end = reply["cursor_start"], reply["cursor_end"]
    return [code[:start] + match + code[end:] for match in reply["matches"]]


def documentation(kernel, code, cursor=None):
    """The text of an inspection. Something must be found."""
    reply = kernel.ask("inspect", code, cursor)
    assert reply["found"]
    return reply["data"]["text/plain"]


def test_a_method_is_completed_to_code(kernel):
    assert "vector.push" in completed(kernel, "vector.pus")
    assert "vector.len()" in completed(kernel, "vector.le")


def test_a_variable_of_the_same_cell_is_completed(kernel):
    assert 'let text = "a";\ntext.trim()' in completed(kernel, 'let text = "a";\ntext.tri')


def test_names_of_earlier_cells_are_completed(kernel):
    assert "vector" in completed(kernel, "vect")
    assert "平方" in completed(kernel, "平")


def test_names_of_the_prelude_are_completed(kernel):
    assert "threading::Timer" in completed(kernel, "threading::Tim")
    assert "display" in completed(kernel, "displ")


def test_what_the_kernel_adds_for_itself_is_not_offered(kernel):
    offered = completed(kernel, "threading::Timer::new(1.0, || ()).")
    assert "threading::Timer::new(1.0, || ()).start()" in offered
    inner = ["evcxr", "interleave_probe"]
    assert [code for code in offered if any(name in code for name in inner)] == []


def test_kinds_and_signatures_are_shown_beside_completions(kernel):
    metadata = kernel.ask("complete", "vector.pus")["metadata"]["_jupyter_types_experimental"]
    [push] = [choice for choice in metadata if choice["text"] == "push"]
    assert (push["type"], push["start"], push["end"]) == ("function", 7, 10)
    assert push["signature"] == "pub fn push(&mut self, value: T)"


def test_offsets_count_code_points(kernel):
    before = 'println!("并发 🦀"); '
    code = f"{before}vector.pus"
    assert f"{before}vector.push" in completed(kernel, code)
    reply = kernel.ask("complete", code)
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 3, len(code))


def test_the_cursor_counts_code_points(kernel):
    before = 'println!("并发 🦀"); '
    code = f"{before}vector.pus; 平方(1)"
    cursor = code.index(";", len(before))
    assert f"{before}vector.push; 平方(1)" in completed(kernel, code, cursor)


def test_nothing_is_completed_where_nothing_fits(kernel):
    assert completed(kernel, "vector.no_such_method") == []
    assert completed(kernel, "") == []


def test_a_method_is_explained(kernel):
    for code, cursor in [("Vec::push", None), ("vector.push(4)", 9), ("vector.push(", None)]:
        text = documentation(kernel, code, cursor)
        assert "fn push(&mut self, value: T)" in text
        assert "Appends an element to the back of a collection." in text


def test_a_variable_is_explained_by_its_type(kernel):
    assert "vector: Vec<i32>" in documentation(kernel, "vector")


def test_a_function_of_an_earlier_cell_is_explained(kernel):
    text = documentation(kernel, "let 名 = 1; 平方(名)", 12)
    assert "fn 平方(n: i32) -> i32" in text
    assert "Squares a number." in text


def test_a_type_of_the_prelude_is_explained(kernel):
    text = documentation(kernel, "threading::Timer::new")
    assert "pub fn new(interval: impl Seconds" in text
    text = documentation(kernel, "concurrent::futures::Future")
    assert "pub struct Future<T>" in text


def test_an_explanation_comes_as_html_too(kernel):
    data = kernel.ask("inspect", "Vec::push")["data"]
    assert "<p>" in data["text/html"]


def test_nothing_is_found_where_nothing_is(kernel):
    for code in ["no_such_name", "", "vector.no_such_method"]:
        reply = kernel.ask("inspect", code)
        assert (reply["status"], reply["found"], reply["data"]) == ("ok", False, {})


def test_an_open_block_is_continued_with_an_indent(kernel):
    reply = kernel.ask("is_complete", "fn f() {\n    if true {")
    assert (reply["status"], reply["indent"]) == ("incomplete", " " * 8)
