"""What a student types who knows Python, IPython, or Rust without notebooks."""

import pytest

PYTHON = {
    "%timeit 1 + 1": ":time",
    "import threading": "use std::thread;",
    "from time import sleep": "use std::{thread, time::Duration};",
    "def double(n):\n    return 2 * n": "fn double(n: i32) -> i32",
    "async def double(n):\n    return 2 * n": "async fn double(n: i32) -> i32",
    "with lock:\n    value += 1": "lock.lock().unwrap()",
    "for i in range(3):\n    print(i)": "for i in 0..3",
    "let n = 1;\n:vars": "above the statements",
}


@pytest.mark.parametrize("code", PYTHON)
def test_a_line_that_is_not_rust_is_told_in_one_error(kernel, code):
    cell = kernel.run(code)
    assert cell.traceback.count("error") == 1
    assert "this line is not Rust" in cell.traceback
    assert PYTHON[code] in cell.traceback
    assert f"--> In[{cell.reply['execution_count']}]:" in cell.traceback


def test_a_function_of_python_is_told_what_serves_instead(kernel):
    cell = kernel.run("let values = vec![1, 2];\nlen(values)")
    assert cell.error["ename"] == "E0425"
    assert "values.len()" in cell.traceback


def test_a_command_is_told_from_a_similar_one(kernel):
    cell = kernel.run(":vras")
    assert "there is no command `:vras`" in cell.traceback
    assert "a similar one is `:vars`" in cell.traceback
    assert "not how `:memory` is used" in kernel.run(":memory 4GB").traceback


def test_a_program_runs_though_its_line_could_be_rust(kernel):
    assert kernel.run("!ls -d /").value == "/\n"
    assert kernel.run("let ls = true;\n!ls").value == "false"
    assert kernel.run("!ls").value == "false"


def test_a_whole_program_is_told_that_nothing_calls_it(kernel):
    [note] = kernel.run('fn main() { println!("ran"); }').contents("display_data")
    assert "`main` is defined here, and a cell does not call it" in note["data"]["text/plain"]
    cell = kernel.run("main()")
    assert cell.stdout == "ran\n"
    assert cell.contents("display_data") == []
