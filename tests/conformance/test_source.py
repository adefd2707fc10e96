"""Cells that are hard to read: each gives its value or one error, and the next cell runs."""

import pytest

# So deep that a parser which calls itself for each level would need more stack than there is.
DEEP = {
    "parentheses": "(" * 100_000 + "1" + ")" * 100_000,
    "open parentheses": "(" * 100_000,
    "blocks": "{" * 100_000 + "}" * 100_000,
    "nested generics": "let x: " + "Option<" * 50_000 + "i32" + ">" * 50_000 + " = None;",
    "signs": "-" * 100_000 + "1",
    "a sum": "1" + " + 1" * 100_000,
    "calls": "1_i32" + ".abs()" * 100_000,
    "choices": "let n = 0;\n" + "if n == 1 {}\nelse " * 50_000 + "{}",
    "closures": "let f = " + "|| " * 50_000 + "1;",
}
# What rustc gets through, or gives up by itself.
ALMOST_TOO_DEEP = {
    "parentheses": "(" * 499 + "1" + ")" * 499,
    "sum": "let x = 1" + " + 1" * 1000 + "; x",
    "generics": "let x: " + "Option<" * 1000 + "i32" + ">" * 1000 + " = None;",
    "closures": "let f = " + "|| " * 1500 + "1;",
}
VALUES = {
    "ten megabytes": ("// " + "x" * 10_000_000 + "\n1 + 1", "2"),
    "a byte order mark": ("\ufefflet a = 1;\na + 1", "2"),
    "a single carriage return": ("let a = 1;\rlet b = 2;\ra + b", "3"),
    "lines of Windows": ("let a = 1;\r\nlet b = 2;\r\na + b", "3"),
    "a line separator": ("let a = 1;\u2028let b = 2;\u2028a + b", "3"),
    "a zero byte in a string": ('"\0".len()', "1"),
    "right to left in a name": ("let \u05d0 = 4; \u05d0", "4"),
    "nested comments": ("/*" * 100_000 + "*/" * 100_000 + "1", "1"),
}
ERRORS = {
    "a zero byte": ("let a = 1;\0 a", "unknown start of token"),
    "a byte order mark inside": ("1 + \ufeff1", "unknown start of token"),
    "a direction mark in a string": ('"\u202e abc"', "changing visible direction"),
    "an open comment": ("/* a", "ends the comment"),
    "an open comment behind a statement": ("1; /* a", "unterminated block comment"),
    "an open string": ('let s = "a', "unterminated double quote string"),
    "a macro without end": ("macro_rules! m { ($($t:tt)*) => { m!($($t)* x) } }\nm!()", "recursion limit"),
}


@pytest.fixture(autouse=True)
def next_cell_runs(kernel):
    kernel.run("fn still_known() -> i32 { 7 }")
    yield
    assert kernel.run("still_known()").value == "7"


@pytest.mark.parametrize("name", DEEP)
def test_what_is_nested_too_deeply_is_refused_in_one_sentence(kernel, name):
    code = DEEP[name]
    cell = kernel.run(code)
    assert cell.kinds == ["error"] and "rustc cannot cope" in cell.error["evalue"]
    assert len(cell.traceback) < 500
    assert kernel.ask("is_complete", code)["status"] == "invalid"
    assert kernel.ask("complete", code)["matches"] == []
    assert kernel.ask("inspect", code)["found"] is False


@pytest.mark.parametrize("name", ALMOST_TOO_DEEP)
def test_what_is_nested_deeply_has_a_value_or_one_error(kernel, name):
    cell = kernel.run(ALMOST_TOO_DEEP[name])
    assert cell.reply["status"] == "ok" or cell.error["evalue"]
    assert kernel.ask("is_complete", ALMOST_TOO_DEEP[name])["status"] == "complete"


@pytest.mark.parametrize("name", VALUES)
def test_characters_that_a_program_may_have(kernel, name):
    code, value = VALUES[name]
    assert kernel.run(code).value == value


@pytest.mark.parametrize("name", ERRORS)
def test_characters_that_a_program_may_not_have(kernel, name):
    code, message = ERRORS[name]
    cell = kernel.run(code)
    assert cell.kinds[-1] == "error" and message in cell.error["evalue"]
