"""What teachers paste: programs from books, as they are. What differs from a program is a bug."""

RC_IN_THREAD = """\
use std::{rc::Rc, thread};
fn main() {
    let counter = Rc::new(1);
    thread::spawn(move || {
        println!("{counter}");
    });
}"""


def test_a_closure_is_called_by_its_place_in_the_cell(kernel):
    cell = kernel.run(RC_IN_THREAD)
    number = cell.reply["execution_count"]
    assert f"{{closure@In[{number}]:4:19: 4:26}}" in cell.traceback
    assert "lib.rs" not in cell.traceback


def test_of_two_closures_both_are_marked(kernel):
    cell = kernel.run("let mut f = |x: i32| x; f = |x: i32| x;")
    number = cell.reply["execution_count"]
    assert f"expected closure `{{closure@In[{number}]:1:13: 1:21}}`" in " ".join(cell.traceback.split())
    assert f"found closure `{{closure@In[{number}]:1:29: 1:37}}`" in " ".join(cell.traceback.split())


def test_advice_about_the_inside_of_a_macro_of_std_is_not_given(kernel):
    cell = kernel.run("let x = 5; let y = &x; assert_eq!(5, y);")
    assert cell.error["ename"] == "E0277"
    assert "dereferencing" not in cell.traceback


def test_what_only_a_later_cell_would_tell_is_said(kernel):
    cell = kernel.run("let (sender, receiver) = std::sync::mpsc::channel();")
    text = " ".join(cell.traceback.split())
    assert "a cell is compiled before the cells below it" in text
    assert "channel::<T>()" in text
    inside = kernel.run("fn of_unknown_type() { let list = Vec::new(); }")
    assert "a cell is compiled before" not in " ".join(inside.traceback.split())


def test_dbg_names_the_place_in_the_cell(kernel):
    first = kernel.run("fn doubled(n: i32) -> i32 {\n    dbg!(n * 2)\n}").reply["execution_count"]
    cell = kernel.run("\n let (a, b) = dbg!(doubled(2), 'x');\ndbg!();\n(a, b)")
    second = cell.reply["execution_count"]
    assert cell.stderr.splitlines() == [
        f"[In[{first}]:2:5] n * 2 = 4",
        f"[In[{second}]:2:15] doubled(2) = 4",
        f"[In[{second}]:2:15] 'x' = 'x'",
        f"[In[{second}]:3:1]",
    ]
    assert cell.value == "(4, 'x')"


def test_dbg_keeps_its_place_among_lines_and_in_threads(kernel):
    cell = kernel.run(
        'println!("before");\n'
        "std::thread::spawn(|| { dbg!([1]); }).join().unwrap();\n"
        'eprint!("after");'
    )
    number = cell.reply["execution_count"]
    streams = [(content["name"], content["text"]) for content in cell.contents("stream")]
    assert streams[0] == ("stdout", "before\n")
    assert cell.stderr == f"[In[{number}]:2:25] [1] = [\n    1,\n]\nafter"


def test_dbg_goes_where_standard_error_goes(kernel, tmp_path):
    file = tmp_path / "errors"
    cell = kernel.run(
        f'use std::os::fd::AsRawFd;\nlet file = std::fs::File::create("{file}").unwrap();\n'
        'unsafe extern "C" { fn dup2(from: i32, to: i32) -> i32; }\n'
        "unsafe { dup2(file.as_raw_fd(), 2); }\n"
        "dbg!(7);"
    )
    assert (cell.reply["status"], cell.stderr) == ("ok", "")
    assert file.read_text().endswith("] 7 = 7\n")


def test_an_error_in_the_value_is_the_error_and_not_its_note(kernel):
    """evcxr takes the note about an earlier cell for it."""
    kernel.run("fn takes_a_number(n: i32) -> i32 { n }")
    cell = kernel.run('takes_a_number("a")')
    assert (cell.error["ename"], cell.error["evalue"]) == ("E0308", "mismatched types")
    assert "expected `i32`, found `&str`" in cell.traceback
    assert "function defined here" in cell.traceback
    cell = kernel.run("takes_a_number(1).await")
    assert (cell.error["ename"], cell.error["evalue"]) == ("E0277", "`i32` is not a future")


def test_a_name_in_a_list_of_imports_is_marked_once(kernel):
    cell = kernel.run("use no_such_crate::{one, two};")
    number = cell.reply["execution_count"]
    assert cell.traceback.count("error[E0432]") == 1
    assert f"In[{number}]:1:5" in cell.traceback
    assert ':dep no_such_crate = "*"' in cell.traceback
    cell = kernel.run("use std::{thread, sync::{Mutexx, Arc}};")
    assert "use std::{thread, sync::{Mutex, Arc}};" in cell.traceback


def test_what_a_pasted_program_forbids_stops_no_cell(own_kernel):
    kernel = own_kernel()
    code = "#![forbid(unused_imports)]\n#![deny(warnings)]\nuse std::thread;\nlet _ = 1;\nfn f() { let x = 1; }"
    cell = kernel.run(code)
    assert cell.reply["status"] == "ok"
    [warning] = cell.contents("display_data")
    assert "unused variable: `x`" in warning["data"]["text/plain"]
    cell = kernel.run("1 + 1")
    assert (cell.value, cell.kinds) == ("2", ["execute_result"])


def test_a_variable_that_has_ended_is_told_also_where_a_module_has_its_name(kernel):
    kernel.run("use std::thread;\nlet joined = thread::spawn(|| {});\nlet thread = joined.thread();")
    cell = kernel.run("thread.id()")
    assert cell.error["evalue"].startswith("`thread` ended with In[")


def test_a_part_that_was_moved_is_told_without_a_closure_of_ours(kernel):
    kernel.run('struct Pair { a: String, b: String }\nlet pair = Pair { a: "a".into(), b: "b".into() };')
    kernel.run("drop(pair.a);")
    cell = kernel.run("pair.b.len()")
    assert "value partially moved here" in cell.traceback
    assert "closure" not in cell.traceback


def test_nothing_is_advised_that_rust_refuses(kernel):
    kernel.run("let futures_of_numbers = (1..=3).map(|n| async move { n });")
    cell = kernel.run("futures_of_numbers.count()")
    assert "ended with In[" in cell.error["evalue"]
    assert "impl " not in cell.traceback


def test_print_and_dbg_are_the_same_inside_a_module(kernel):
    code = 'mod inner {\n    pub fn say() {\n        print!("a");\n        eprint!("b");\n        dbg!(1);\n    }\n}\ninner::say();'
    cell = kernel.run(code)
    number = cell.reply["execution_count"]
    streams = [(content["name"], content["text"]) for content in cell.contents("stream")]
    assert streams == [("stdout", "a"), ("stderr", f"b[In[{number}]:5:9] 1 = 1\n")]
    # Functions of earlier cells that say `dbg!` may get this one, too, so it gives the value back.
    own = kernel.run('macro_rules! dbg { ($e:expr) => {{ println!("own {}", $e); $e }} }\ndbg!(2);')
    assert (own.stdout, own.stderr) == ("own 2\n", "")


def test_of_two_equal_lines_the_right_one_is_marked(kernel):
    code = (
        "use std::sync::mpsc::{Sender, channel};\n"
        "fn twice(sender: Sender<i32>) {\n"
        "    std::thread::spawn(move || {\n"
        "        sender.send(1).unwrap();\n"
        "    });\n"
        "    std::thread::spawn(move || {\n"
        "        sender.send(2).unwrap();\n"
        "    });\n"
        "}"
    )
    cell = kernel.run(code)
    assert cell.error["ename"] == "E0382"
    shown = cell.traceback
    first, second = shown.index("value moved into closure here"), shown.index("value used here after move")
    assert "6 |" in shown[first:second]
    assert f"In[{cell.reply['execution_count']}]:6:24" in shown


def test_a_panic_is_at_its_own_one_of_two_equal_lines(kernel):
    kernel.run('fn says_no() {\n    panic!("no");\n}')
    cell = kernel.run(
        'fn first() {\n    panic!("no");\n}\nfn second() {\n    panic!("no");\n}\n'
        "let _ = std::panic::catch_unwind(says_no);\nfirst();"
    )
    assert f"In[{cell.reply['execution_count']}]:2:5" in cell.traceback
