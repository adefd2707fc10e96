"""Cells that fail: what the error says, and that the next cell runs."""


def test_a_compile_error_shows_the_cell_with_labels_and_help(kernel):
    code = 'let name = String::from("a");\nlet moved = name;\nname.len()'
    cell = kernel.run(code)
    assert cell.kinds == ["error"]
    assert cell.error["ename"] == "E0382"
    assert cell.error["evalue"] == "borrow of moved value: `name`"
    number = cell.reply["execution_count"]
    for part in [
        "error[E0382]: borrow of moved value: `name`",
        f"In[{number}]:3",
        *code.splitlines(),
        "value moved here",
        "value borrowed here after move",
        "does not implement the `Copy` trait",
        "help: consider cloning",
        "let moved = name.clone();",
    ]:
        assert part in cell.traceback


def test_a_compile_error_is_coloured(kernel):
    assert "\x1b[" in kernel.run("no_such_name").error["traceback"][0]


def test_several_compile_errors_are_one_message(kernel):
    cell = kernel.run("let first: i32 = \"text\";\nno_such_name;")
    assert cell.kinds == ["error"]
    assert "E0308" in cell.traceback and "E0425" in cell.traceback


def test_a_syntax_error_shows_the_line(kernel):
    cell = kernel.run("let fine = 1;\nlet = 2;")
    assert cell.kinds == ["error"]
    assert f"In[{cell.reply['execution_count']}]:2" in cell.traceback
    assert "let = 2;" in cell.traceback


def test_an_error_in_an_earlier_function_names_its_cell(kernel):
    cell = kernel.run('fn fails(n: i32) {\n    assert!(n > 1, "too small: {n}");\n}')
    defined_in = cell.reply["execution_count"]
    cell = kernel.run("fails(1);")
    assert cell.error["evalue"] == "too small: 1"
    assert f"In[{defined_in}]:2" in cell.traceback


def test_a_failed_cell_changes_nothing(kernel):
    kernel.run("let kept = vec![1, 2];")
    assert kernel.run("let kept = 5; no_such_name").error["ename"] == "E0425"
    assert kernel.run("kept").value == "[1, 2]"


def test_a_panic_shows_the_line(kernel):
    cell = kernel.run('let text = "x";\npanic!("no {text}");')
    assert (cell.error["ename"], cell.error["evalue"]) == ("panic", "no x")
    assert f"In[{cell.reply['execution_count']}]:2" in cell.traceback
    assert 'panic!("no {text}");' in cell.traceback


def test_a_panic_inside_the_standard_library_shows_the_line_of_the_cell(kernel):
    cell = kernel.run("let none: Option<i32> = None;\nnone.unwrap();")
    assert cell.error["ename"] == "panic"
    assert "`Option::unwrap()` on a `None` value" in cell.error["evalue"]
    assert f"In[{cell.reply['execution_count']}]:2" in cell.traceback


def test_a_panic_keeps_variables_of_earlier_cells(kernel):
    kernel.run("let survivor = String::from(\"here\");")
    kernel.run('panic!("no");')
    assert kernel.run("survivor").value == '"here"'


def test_what_was_printed_comes_before_the_panic(kernel):
    cell = kernel.run('println!("before"); panic!("no");')
    assert cell.kinds == ["stream", "error"]
    assert cell.stdout == "before\n"


def test_a_panic_in_another_thread_is_told_and_fails_nothing(kernel):
    cell = kernel.run('std::thread::spawn(|| panic!("elsewhere")).join().is_err()')
    assert cell.value == "true"
    [error] = cell.contents("error")
    assert error["evalue"] == "a thread without a name panicked: elsewhere"
    assert cell.reply["status"] == "ok"


def test_a_question_mark_on_an_error_ends_the_cell(kernel):
    cell = kernel.run('println!("before");\nlet number: i32 = "x".parse()?;\nprintln!("after");')
    assert cell.stdout == "before\n"
    assert cell.error["ename"] == "ParseIntError"
    assert cell.error["evalue"] == "invalid digit found in string"
    assert f"In[{cell.reply['execution_count']}]:2" in cell.traceback


def test_a_question_mark_on_a_value_goes_on(kernel):
    assert kernel.run('let number: i32 = "7".parse()?;\nnumber').value == "7"


def test_a_question_mark_works_with_await(kernel):
    function = "async fn fails() -> Result<i32, std::fmt::Error> { Err(std::fmt::Error) }"
    cell = kernel.run(f"{function}\nfails().await?")
    assert cell.error["ename"] == "Error"
    assert f"In[{cell.reply['execution_count']}]:2" in cell.traceback


def test_a_crash_is_an_error_and_the_next_cell_runs(kernel):
    kernel.run("fn still_known() -> i32 { 8 }\nlet lost = 1;")
    kernel.run("std::thread::spawn(|| std::thread::park());")  # There is no copy of threads.
    cell = kernel.run("std::process::abort()")
    assert cell.error["ename"] == "crash"
    assert "SIGABRT" in cell.error["evalue"]
    assert kernel.run("still_known()").value == "8"
    assert kernel.run("lost").error["ename"] == "E0425"


def test_an_exit_is_an_error_that_names_the_code_and_the_next_cell_runs(kernel):
    cell = kernel.run('print!("bye"); std::process::exit(3)')
    assert cell.stdout == "bye"
    assert cell.error["ename"] == "exit"
    assert "exit code 3" in cell.error["evalue"]
    assert kernel.run("1 + 1").value == "2"


def test_a_stack_overflow_is_an_error_and_the_next_cell_runs(kernel):
    kernel.run("fn deep(n: u64) -> u64 { if n == 0 { 0 } else { 1 + deep(n - 1) } }")
    cell = kernel.run("deep(u64::MAX)")
    assert cell.error["ename"] == "crash"
    assert "overflowed its stack" in cell.stderr
    assert kernel.run("1 + 1").value == "2"
