"""A variable that one cell moves and another uses: the words that rustc has for one function."""


def number(cell):
    return f"In[{cell.reply['execution_count']}]"


def check_moved(cell, *parts):
    assert cell.error["ename"] == "E0382", cell.traceback
    for part in parts:
        assert part in cell.traceback, cell.traceback


def test_a_move_into_a_thread_names_the_cell_and_the_line(kernel):
    defined = kernel.run("let into_thread = vec![1, 2];")
    moved = kernel.run(
        "use std::thread;\n"
        'let printer = thread::spawn(move || println!("{into_thread:?}"));\n'
        "printer.join().unwrap();"
    )
    assert moved.stdout == "[1, 2]\n"
    used = kernel.run('let fine = 1;\nprintln!("{into_thread:?}");')
    check_moved(
        used,
        "error[E0382]: borrow of moved value: `into_thread`",
        f"{number(used)}:2",
        "value borrowed here after move",
        f"{number(moved)}:2",
        f"value moved into closure here, in {number(moved)}",
        "variable moved due to use in closure",
        f"{number(defined)}:1",
        "move occurs because `into_thread` has type `Vec<i32>`, which does not implement the `Copy` trait",
    )
    again = kernel.run("let second = into_thread;")
    check_moved(again, "use of moved value: `into_thread`", "value used here after move")


def test_a_move_by_a_call_advises_to_clone(kernel):
    moved = kernel.run("let by_call = String::new();\ndrop(by_call);")
    check_moved(
        kernel.run("by_call.len()"),
        f"value moved here, in {number(moved)}",
        "help: consider cloning",
        "drop(by_call.clone());",
    )


def test_a_move_in_a_branch_counts(kernel):
    moved = kernel.run("let in_branch = vec![1];\nif in_branch.len() > 3 { drop(in_branch); }")
    check_moved(kernel.run("in_branch.len()"), f"value moved here, in {number(moved)}")


def test_a_move_by_a_for_loop_says_so(kernel):
    kernel.run("let by_loop = vec![String::new()];")
    kernel.run("for text in by_loop { drop(text); }")
    check_moved(kernel.run("by_loop.len()"), "`by_loop` moved due to this implicit call to `.into_iter()`")


def test_a_move_into_an_async_block_says_so(kernel):
    cell = kernel.run("let by_task = vec![1];\ntokio::spawn(async move { drop(by_task); }).await.unwrap();")
    check_moved(kernel.run("by_task"), f"value moved here, in {number(cell)}", "async move")


def test_a_cell_that_panics_after_a_move_has_moved(kernel):
    kernel.run("let before_panic = vec![1];")
    cell = kernel.run('drop(before_panic);\npanic!("after");')
    check_moved(kernel.run("before_panic"), f"value moved here, in {number(cell)}")


def test_a_new_variable_of_the_same_name_is_another(kernel):
    kernel.run("let renewed = vec![1]; drop(renewed);")
    kernel.run("let renewed = 5;")
    assert kernel.run("renewed").value == "5"


def test_a_moved_variable_can_be_assigned_to_in_another_cell(kernel):
    kernel.run('let mut assigned = String::from("a"); drop(assigned);')
    assert kernel.run('assigned = String::from("b");').kinds == []
    assert kernel.run('println!("{assigned}");').stdout == "b\n"


def test_a_moved_variable_can_be_assigned_to_and_moved_in_a_loop(kernel):
    kernel.run('let mut looped = String::from("a"); drop(looped);')
    cell = kernel.run('for i in 0..2 {\n    looped = i.to_string();\n    println!("{looped}");\n    drop(looped);\n}')
    assert cell.stdout == "0\n1\n"
    check_moved(kernel.run("looped.len()"), "borrow of moved value: `looped`")
    kernel.run("looped = String::new();")
    assert kernel.run("looped.len()").value == "0"


def test_a_use_before_the_assignment_is_an_error(kernel):
    kernel.run('let mut too_early = String::from("a"); drop(too_early);')
    cell = kernel.run('println!("{too_early}");\ntoo_early = String::new();')
    check_moved(cell, "borrow of moved value: `too_early`", f"{number(cell)}:1")


def test_an_assignment_in_a_branch_is_not_enough(kernel):
    kernel.run('let mut perhaps = String::from("a"); drop(perhaps);')
    assert kernel.run("if 1 > 0 { perhaps = String::new(); }").reply["status"] == "ok"
    check_moved(kernel.run("perhaps.len()"), "borrow of moved value: `perhaps`")


def test_a_moved_variable_that_is_not_mut_cannot_be_assigned_to(kernel):
    defined = kernel.run('let constant = String::from("a");\ndrop(constant);')
    cell = kernel.run("constant = String::new();")
    assert cell.error["ename"] == "E0384"
    for part in [
        "cannot assign twice to immutable variable `constant`",
        f"{number(defined)}:1",
        "first assignment to `constant`",
        "let mut constant",
    ]:
        assert part in cell.traceback, cell.traceback


def test_an_error_about_mut_names_the_line_of_the_definition(kernel):
    defined = kernel.run("let frozen = vec![1];")
    for code, name in [("frozen.push(2);", "E0596"), ("frozen = vec![2];", "E0384")]:
        cell = kernel.run(code)
        assert cell.error["ename"] == name
        for part in [f"{number(defined)}:1", "let mut frozen", "let mut frozen = frozen;"]:
            assert part in cell.traceback, cell.traceback


def test_an_item_cannot_see_variables_moved_or_not(kernel):
    kernel.run("let not_for_items = vec![1]; drop(not_for_items);")
    assert kernel.run("fn sees() -> usize { not_for_items.len() }").error["ename"] == "E0425"


def test_what_the_cell_that_failed_defined_is_explained(kernel):
    cell = kernel.run('let unfinished = 1;\npanic!("x");')
    traceback = kernel.run("unfinished").traceback
    assert f"`unfinished` was not kept, because {number(cell)} did not run to its end" in traceback


def test_a_new_process_knows_nothing_of_earlier_moves(own_kernel):
    kernel = own_kernel()
    kernel.run("let gone = vec![1]; drop(gone);")
    kernel.run(":restart")
    assert kernel.run("gone").error["ename"] == "E0425"
