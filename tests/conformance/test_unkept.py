"""Values that no other cell can hold: their cell runs, and a later use says what to write instead."""

import re

import pytest


def number(cell):
    return f"In[{cell.reply['execution_count']}]"


def advised_line(cell):
    """The line that the last help proposes."""
    *_, line = re.findall(r"^\d+ [|~+] (.*)$", cell.traceback, re.MULTILINE)
    return line


KEPT_INSTEAD = [
    (
        "let f = |x: i32| x + 1;",
        "f(1)",
        "2",
        "let f: Box<dyn Fn(i32) -> i32> = Box::new(|x: i32| x + 1);",
    ),
    (
        "let mut sum = 0; let mut add = |x: i32| { sum += x; sum };",
        "add(2)",
        "2",
        "let mut sum = 0; let mut add: Box<dyn FnMut(i32) -> i32> = Box::new(move |x: i32| { sum += x; sum });",
    ),
    ("let c = hello();", "c.await", "7", "let c = asyncio::Coroutine::from(hello());"),
    ("let block = async { 8 };", "block.await", "8", "let block = asyncio::Coroutine::from(async { 8 });"),
    (
        "let it = vec![1, 2].into_iter().map(|x| x + 1);",
        "it.sum::<i32>()",
        "5",
        "let it: Box<dyn Iterator<Item = i32>> = Box::new(vec![1, 2].into_iter().map(|x| x + 1));",
    ),
]


@pytest.mark.parametrize("definition, use, value, instead", KEPT_INSTEAD)
def test_a_type_without_a_name(kernel, definition, use, value, instead):
    kernel.run("async fn hello() -> i32 { 7 }")
    assert kernel.run(f"{definition}\n{use}").value == value
    defined = kernel.run(definition)
    assert defined.kinds == []
    used = kernel.run(use)
    name = re.match(r"\w+", use).group()
    assert f"`{name}` ended with {number(defined)}: " in used.traceback
    assert "has no name, so no other cell can hold it" in " ".join(used.traceback.split())
    assert advised_line(used) == instead
    assert kernel.run(instead).kinds == []
    assert kernel.run(use).value == value


BORROWED = [
    ("let data = vec![1, 2];", "let r = &data;", "r.len()", "2", "borrows from another variable"),
    ("let mut list = vec![1];", "let m = &mut list;", "m.len()", "1", "borrows from another variable"),
    ("let list = vec![1];", "let each = list.iter();", "each.count()", "1", "borrows from another variable"),
    ("let lock = std::sync::Mutex::new(3);", "let guard = lock.lock().unwrap();", "*guard", "3", "It was dropped there"),
    ("let cell = std::cell::RefCell::new(4);", "let inner = cell.borrow();", "*inner", "4", "It was dropped there"),
]


@pytest.mark.parametrize("owner, definition, use, value, reason", BORROWED)
def test_a_borrow_ends_with_its_cell(kernel, owner, definition, use, value, reason):
    assert kernel.run(f"{owner}\n{definition}\n{use}").value == value
    kernel.run(owner)
    defined = kernel.run(definition)
    assert defined.kinds == [], defined
    used = kernel.run(use)
    name = re.search(r"\w+", use).group()
    assert f"`{name}` ended with {number(defined)}: " in used.traceback
    assert reason in " ".join(used.traceback.split())
    assert advised_line(used) == definition
    # As the advice says.
    assert kernel.run(f"{definition}\n{use}").value == value


def test_a_guard_frees_its_lock_at_the_end_of_its_cell(kernel):
    kernel.run("use std::sync::{Arc, Mutex};\nlet shared = Arc::new(Mutex::new(0));")
    kernel.run("let mut guard = shared.lock().unwrap();\n*guard += 1;")
    assert kernel.run("*shared.try_lock().unwrap()").value == "1"
    cell = kernel.run("let own = Mutex::new(5);\nlet guard = own.lock().unwrap();\nprintln!(\"{guard}\");")
    assert cell.stdout == "5\n"
    assert kernel.run("*own.try_lock().unwrap()").value == "5"


def test_a_guard_that_may_be_dropped_before_is_no_error(kernel):
    kernel.run("use std::sync::Mutex;\nlet guarded = Mutex::new(1);")
    code = "let guard = guarded.lock().unwrap();\nif *guard > 0 { drop(guard); }"
    assert kernel.run(code).kinds == []
    assert kernel.run("*guarded.try_lock().unwrap()").value == "1"


def test_a_closure_that_borrows_from_its_cell(kernel):
    code = "let words = vec![1, 2, 3];\nlet count = || words.len();\ncount()"
    assert kernel.run(code).value == "3"
    assert kernel.run("words.len()").value == "3"


def test_a_closure_hides_an_older_variable(kernel):
    kernel.run("let shadowed = 5;")
    cell = kernel.run("let shadowed = || 6;")
    assert f"`shadowed` ended with {number(cell)}" in kernel.run("shadowed").traceback


def test_a_variable_of_a_hidden_let_can_be_kept_by_another(kernel):
    kernel.run("let twice = |x: i32| 2 * x; let result = twice(4);")
    assert kernel.run("result").value == "8"


def test_a_closure_in_a_pattern(kernel):
    cell = kernel.run("let (plus, kept) = (|x: i32| x + 1, 7);\nplus(kept)")
    assert cell.value == "8"
    assert f"`plus` ended with {number(cell)}" in kernel.run("plus(1)").traceback


def test_a_closure_in_a_cell_that_awaits(kernel):
    code = "let later = || async { 3 };\nlet r = &5;\nlater().await"
    assert kernel.run(code).value == "3"


def test_a_type_that_is_local_to_a_block(kernel):
    cell = kernel.run("let local = { #[derive(Debug)] struct Here(u8); Here(1) };\nlocal")
    assert cell.value == "Here(1)"


def test_a_variable_that_gets_its_value_in_a_later_cell(kernel):
    cell = kernel.run("let unset: i32;")
    assert cell.kinds == []
    assert kernel.run("unset").error["ename"] == "E0381"


def test_an_error_of_the_student_is_still_one(kernel):
    cell = kernel.run("let r;\n{ let short = 5; r = &short; }\nprintln!(\"{r}\");")
    assert cell.error["ename"] == "E0597"
    assert "`short` does not live long enough" in cell.traceback
