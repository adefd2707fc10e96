"""Statics that are defined again, alone or with others, in the same form or in another."""

import pytest
from kernel_client import Kernel


@pytest.fixture(scope="module")
def statics():
    """A kernel for the tests of this file."""
    with Kernel() as kernel:
        assert kernel.run("use std::cell::Cell;").reply["status"] == "ok"
        yield kernel
        kernel.check_that_everything_was_read()


def value(kernel, code):
    cell = kernel.run(code)
    assert cell.reply["status"] == "ok", cell.traceback
    return cell.value


def define(kernel, code):
    cell = kernel.run(code)
    assert cell.reply["status"] == "ok", cell.traceback


def local(*statics):
    return f"thread_local! {{ {' '.join(f'static {name}: Cell<{ty}> = Cell::new({start});' for name, ty, start in statics)} }}"


def test_one_of_several_thread_locals_is_defined_again_alone(statics):
    define(statics, local(("LEFT", "i32", 1), ("RIGHT", "i32", 2)))
    define(statics, "LEFT.set(10); RIGHT.set(20);")
    define(statics, local(("LEFT", "u8", 100)))
    assert value(statics, "(LEFT.get() - 99_u8, RIGHT.get())") == "(1, 20)", "the other one is kept"
    define(statics, "LEFT.set(101);")
    define(statics, local(("RIGHT", "&'static str", '"right"')))
    assert value(statics, "(LEFT.get(), RIGHT.get())") == '(101, "right")'
    define(statics, local(("LEFT", "i32", 3), ("RIGHT", "i32", 4)))
    assert value(statics, "(LEFT.get(), RIGHT.get())") == "(3, 4)"
    assert value(statics, "LEFT.set(30); (LEFT.get(), RIGHT.get())") == "(30, 4)"
    assert value(statics, "(LEFT.get(), RIGHT.get())") == "(30, 4)"


def test_a_static_takes_the_place_of_a_thread_local_and_the_other_way_round(statics):
    define(statics, local(("FORM", "i32", 1), ("BESIDE", "i32", 2)))
    define(statics, "FORM.set(7); BESIDE.set(8);")
    define(statics, "static FORM: std::sync::Mutex<Vec<&str>> = std::sync::Mutex::new(Vec::new());")
    define(statics, 'FORM.lock().unwrap().push("one");')
    assert value(statics, "(FORM.lock().unwrap().clone(), BESIDE.get())") == '(["one"], 8)'
    define(statics, local(("FORM", "i32", 5)))
    assert value(statics, "FORM.set(FORM.get() + 1); (FORM.get(), BESIDE.get())") == "(6, 8)"
    assert value(statics, "FORM.get()") == "6"


def test_one_of_several_lazy_statics_is_defined_again_alone(statics):
    define(statics, "lazy_static! { static ref ONE: Vec<u8> = vec![1]; static ref TWO: Vec<u8> = { println!(\"two\"); vec![2] }; }")
    assert value(statics, "(ONE.len(), TWO.len())") == "(1, 1)"
    define(statics, "lazy_static! { static ref ONE: &'static str = \"new\"; }")
    cell = statics.run("(*ONE, TWO.len())")
    assert (cell.value, cell.stdout) == ('("new", 1)', ""), "the other one is not made again"
    define(statics, local(("ONE", "u8", 9)))
    assert value(statics, "(ONE.get(), TWO.len())") == "(9, 1)"


def test_a_thread_local_in_a_module_is_defined_again_with_it(statics):
    module = "mod inner {{ use std::cell::Cell; thread_local! {{ pub static A: Cell<{0}> = Cell::new({1}); pub static B: Cell<u8> = Cell::new(2); }} }}"
    define(statics, module.format("i32", 1))
    assert value(statics, "inner::A.set(5); inner::B.set(6); inner::A.get()") == "5"
    assert value(statics, "(inner::A.get(), inner::B.get())") == "(5, 6)"
    define(statics, module.format("&'static str", '"a"'))
    assert value(statics, "(inner::A.get(), inner::B.get())") == '("a", 2)'


def test_a_new_process_has_the_newest_definitions(own_kernel):
    kernel = own_kernel()
    define(kernel, "use std::cell::Cell;\n" + local(("A", "i32", 1), ("B", "i32", 2)))
    define(kernel, local(("A", "&'static str", '"a"')))
    define(kernel, "A.set(\"b\"); B.set(3); std::thread::spawn(|| loop { std::thread::park() });")
    assert "lost" in kernel.run("std::process::abort();").traceback
    assert value(kernel, "(A.get(), B.get())") == '("a", 2)'
    define(kernel, "A.set(\"c\");")
    assert value(kernel, "A.get()") == '"c"'


def test_a_static_may_leave_out_lifetimes(statics):
    define(statics, 'static NAMES: &[&str] = &["a", "b"];\nstatic LATER: std::sync::Mutex<Option<&str>> = std::sync::Mutex::new(None);\n'
                    "static SHORTEN: fn(&str) -> &str = |text| &text[..1];")
    define(statics, "*LATER.lock().unwrap() = NAMES.last().copied();")
    assert value(statics, '(NAMES.len(), LATER.lock().unwrap().unwrap(), SHORTEN("cd"))') == '(2, "b", "c")'
