"""Warnings of the student's own code: once, with the line, before what the cell prints."""

import pytest
from kernel_client import ANSI_COLOUR


def warnings(cell):
    """The text of the warnings; empty if there are none."""
    texts = [content["data"]["text/plain"] for content in cell.contents("display_data")]
    return ANSI_COLOUR.sub("", "\n".join(texts))


def check_warned(cell, *parts):
    said = warnings(cell)
    assert cell.reply["status"] == "ok"
    for part in parts:
        assert part in said, said


@pytest.fixture(scope="module")
def lesson(kernel):
    kernel.run("async fn hello() -> i32 { 1 }\nuse std::{sync::mpsc, thread, time::Duration};")
    return kernel


def place(cell, line, column):
    return f"In[{cell.reply['execution_count']}]:{line}:{column}"


def test_a_future_that_nobody_awaits(lesson):
    cell = lesson.run("println!(\"first\");\nhello();")
    assert cell.kinds == ["display_data", "stream"]
    check_warned(
        cell,
        "warning: unused implementer of `std::future::Future` that must be used",
        place(cell, 2, 1),
        "hello();",
        "^^^^^^^",
        "futures do nothing unless you `.await` or poll them",
    )
    assert "on by default" not in warnings(cell)


def test_results_that_nobody_looks_at(lesson):
    cell = lesson.run("let (tx, rx) = mpsc::channel();\ntx.send(1); rx.recv();\ntx.send(2);")
    check_warned(cell, place(cell, 2, 1), place(cell, 2, 13), place(cell, 3, 1), "help: use `let _ = ...`", "let _ = rx.recv();")
    assert warnings(cell).count("unused `Result` that must be used") == 3
    assert ";;" not in warnings(cell)


def test_let_underscore_silences(lesson):
    assert lesson.run("let _ = hello();").kinds == []


def test_the_value_of_a_cell_is_used(lesson):
    assert lesson.run('"1".parse::<i32>()').kinds == ["execute_result"]


def test_a_cell_that_awaits(lesson):
    cell = lesson.run("hello();\nlet one = hello().await;\ntokio::time::sleep(Duration::from_secs(9));")
    check_warned(cell, place(cell, 1, 1), place(cell, 3, 1), "unused `tokio::time::Sleep`")


def test_a_cell_with_a_question_mark(lesson):
    cell = lesson.run('let n: i32 = "5".parse()?;\nhello();')
    check_warned(cell, place(cell, 2, 1))


def test_code_that_is_not_reached(lesson):
    cell = lesson.run("fn early() -> i32 {\n    return 1;\n    2\n}\nearly()")
    check_warned(cell, "unreachable expression", place(cell, 3, 5), "any code following this expression is unreachable")
    assert cell.value == "1"


@pytest.mark.parametrize(
    "code, words",
    [
        ("fn unused() { let inside = 1; }", "unused variable: `inside`"),
        ("for i in 0..1 { println!(); }", "unused variable: `i`"),
        ("let closure = |x: i32| 3; closure(1);", "unused variable: `x`"),
        ("let size: usize = 1; if size >= 0 { println!(); }", "comparison is useless"),
        ("#[deprecated] fn old() {}\nold();", "use of deprecated function `old`"),
        ("vec![1].iter().map(|x| x + 1);", "iterators are lazy"),
        ("thread::spawn(|| { hello(); }).join().unwrap();", "futures do nothing"),
    ],
)
def test_what_a_program_would_be_warned_of(lesson, code, words):
    check_warned(lesson.run(code), words)


@pytest.mark.parametrize(
    "code",
    [
        "let for_later = 1; let mut changed_later = 2;",
        "struct Later { field: i32 }\nenum Also { A, B }\nfn later() {}\nconst LATER: i32 = 1;",
        "use std::collections::HashMap;",
        "macro_rules! later { () => {} }",
        "let closure_for_nobody = |x: i32| x;",
        "let borrowed_for_nobody = vec![1]; let r = &borrowed_for_nobody;",
        "let moved = vec![1]; thread::spawn(move || drop(moved)).join().unwrap();",
        "mod inner { pub fn f() {} }",
    ],
)
def test_what_a_later_cell_may_use_is_not_unused(lesson, code):
    assert warnings(lesson.run(code)) == ""


def test_an_item_warns_in_its_own_cell_only(lesson):
    code = "fn forgets() {\n    hello();\n}"
    cell = lesson.run(code)
    check_warned(cell, place(cell, 2, 5))
    assert lesson.run("forgets();").kinds == []
    # The same line in another cell is that cell's own.
    cell = lesson.run("fn remembers() {\n    let _ = hello();\n}\nif true {\n    hello();\n}")
    check_warned(cell, place(cell, 5, 5))
    assert warnings(cell).count("warning:") == 1
    check_warned(lesson.run(code), "warning:")


def test_an_attribute_silences(lesson):
    assert warnings(lesson.run("#[allow(unused_must_use)]\nfn silent() { hello(); }")) == ""


def test_a_cell_that_panics_is_warned_before(lesson):
    cell = lesson.run('hello();\npanic!("x");')
    assert cell.kinds == ["display_data", "error"]


def test_a_cell_that_does_not_compile_shows_its_errors_alone(lesson):
    assert lesson.run("hello();\nno_such_name;").kinds == ["error"]
