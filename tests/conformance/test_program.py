"""A cell behaves as a program: plain std, tokio, rayon, crossbeam and parking_lot, over several cells."""

import pytest


def ask_and_answer(kernel, code, answers):
    """Runs a cell that reads standard input."""
    request = kernel.send(code, allow_stdin=True)
    for answer in answers:
        kernel.question(request)
        kernel.client.input(answer)
    return kernel.finish(request)


END = "\x04"  # Ctrl-D


# Standard input


def test_read_line(kernel):
    code = """
let mut name = String::new();
std::io::stdin().read_line(&mut name).unwrap();
println!("hello {}", name.trim());
"""
    assert ask_and_answer(kernel, code, ["Ada"]).stdout == "hello Ada\n"


def test_lines(kernel):
    code = """
for line in std::io::stdin().lines().take(2) {
    println!("<{}>", line.unwrap());
}
"""
    assert ask_and_answer(kernel, code, ["one", "two"]).stdout == "<one>\n<two>\n"


def test_read_to_string_ends_with_control_d(kernel):
    code = """
let mut all = String::new();
std::io::Read::read_to_string(&mut std::io::stdin(), &mut all).unwrap();
println!("{all:?}");
"""
    assert ask_and_answer(kernel, code, ["one", "two", END]).stdout == '"one\\ntwo\\n"\n'


def test_a_thread_reads_while_its_cell_runs(kernel):
    code = """
let reader = std::thread::spawn(|| {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    line.trim().len()
});
println!("{}", reader.join().unwrap());
"""
    assert ask_and_answer(kernel, code, ["four"]).stdout == "4\n"


def test_without_a_front_end_that_answers_reading_is_an_error(kernel):
    cell = kernel.run("let mut line = String::new();\nstd::io::stdin().read_line(&mut line).unwrap();")
    assert cell.error["ename"] == "panic"
    assert "Unsupported" in cell.error["evalue"]
    assert "this front end does not ask" in cell.stderr


# The system


def test_a_command_prints_into_the_cell(kernel):
    code = """
use std::process::{Command, Stdio};
let status = Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"]).status().unwrap();
status.code()
"""
    cell = kernel.run(code)
    assert (cell.stdout, cell.stderr, cell.value) == ("out\n", "err\n", "Some(3)")


def test_commands_are_piped_into_each_other(kernel):
    code = """
use std::{io::Write, process::{Command, Stdio}};
let mut sort = Command::new("sort").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
sort.stdin.take().unwrap().write_all(b"b\\na\\n").unwrap();
String::from_utf8(sort.wait_with_output().unwrap().stdout).unwrap()
"""
    assert kernel.run(code).value == '"a\\nb\\n"'


def test_a_child_process_can_be_waited_for_in_a_later_cell(kernel):
    kernel.run(
        "use std::{io::Write, process::{Command, Stdio}};\n"
        'let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();'
    )
    kernel.run('cat.stdin.take().unwrap().write_all(b"kept").unwrap();')
    assert kernel.run("cat.wait_with_output().unwrap().stdout.len()").value == "4"


def test_environment_variables_stay(kernel):
    kernel.run('unsafe { std::env::set_var("INTERLEAVE_TEST_OF_ENV", "set") };')
    assert kernel.run('std::env::var("INTERLEAVE_TEST_OF_ENV").unwrap()').value == '"set"'


def test_the_current_directory_and_files(kernel, tmp_path):
    kernel.run("use std::{env, fs};\nlet before = env::current_dir().unwrap();")
    kernel.run(f'env::set_current_dir("{tmp_path}").unwrap();\nfs::write("file.txt", "text").unwrap();')
    assert kernel.run('fs::read_to_string("file.txt").unwrap()').value == '"text"'
    assert (tmp_path / "file.txt").read_text() == "text"
    kernel.run("env::set_current_dir(&before).unwrap();")


def test_a_server_of_one_cell_answers_another(kernel):
    kernel.run(
        "use std::{io::{Read, Write}, net::{TcpListener, TcpStream}, thread};\n"
        'let listener = TcpListener::bind("127.0.0.1:0").unwrap();\n'
        "let address = listener.local_addr().unwrap();\n"
        "let server = thread::spawn(move || {\n"
        "    let (mut stream, _) = listener.accept().unwrap();\n"
        '    stream.write_all(b"welcome").unwrap();\n'
        "});"
    )
    cell = kernel.run(
        "let mut answer = String::new();\n"
        "TcpStream::connect(address).unwrap().read_to_string(&mut answer).unwrap();\n"
        "server.join().unwrap();\n"
        "answer"
    )
    assert cell.value == '"welcome"'


# tokio


def test_tokio_tasks_and_channels_live_on(kernel):
    kernel.run(
        "use tokio::{sync::{broadcast, mpsc, oneshot}, task::JoinSet, time::{self, Duration}};\n"
        "let (tx, mut rx) = mpsc::channel::<i32>(8);\n"
        "let (done, finished) = oneshot::channel::<i32>();\n"
        "let task = tokio::spawn(async move {\n"
        "    let mut sum = 0;\n"
        "    while let Some(n) = rx.recv().await { sum += n; }\n"
        "    done.send(sum).unwrap();\n"
        "    sum * 2\n"
        "});"
    )
    kernel.run("for n in 1..=3 { tx.send(n).await.unwrap(); }")
    kernel.run("drop(tx);")
    assert kernel.run("finished.await.unwrap()").value == "6"
    assert kernel.run("task.await.unwrap()").value == "12"


def test_tokio_broadcast_and_interval(kernel):
    kernel.run(
        "use tokio::{sync::broadcast, time::{self, Duration}};\n"
        "let (all, mut first) = broadcast::channel::<i32>(4);\n"
        "let mut second = all.subscribe();\n"
        "let mut ticks = time::interval(Duration::from_millis(1));"
    )
    kernel.run("ticks.tick().await;\nall.send(5).unwrap();\nticks.tick().await;")
    assert kernel.run("(first.recv().await.unwrap(), second.recv().await.unwrap())").value == "(5, 5)"


def test_tokio_join_set_select_and_blocking(kernel):
    kernel.run(
        "use tokio::task::JoinSet;\nlet mut set = JoinSet::new();\n"
        "for n in 0..3 { set.spawn(async move { n * 10 }); }\n"
        'let blocking = tokio::task::spawn_blocking(|| "blocked");'
    )
    cell = kernel.run(
        "let mut sum = 0;\nwhile let Some(n) = set.join_next().await { sum += n.unwrap(); }\n(sum, blocking.await.unwrap())"
    )
    assert cell.value == '(30, "blocked")'
    code = (
        "let (hurry, hurried) = tokio::sync::oneshot::channel();\nhurry.send(1).unwrap();\n"
        "tokio::select! {\n"
        "    n = hurried => println!(\"channel {}\", n.unwrap()),\n"
        "    _ = std::future::pending::<()>() => println!(\"never\"),\n}"
    )
    assert kernel.run(code).stdout == "channel 1\n"
    assert kernel.run(code).stdout == "channel 1\n"


@pytest.mark.parametrize("flavour", ["", '(flavor = "current_thread")'])
def test_a_tokio_main(kernel, flavour):
    kernel.run(f"#[tokio::main{flavour}]\nasync fn main() {{\n    let n = tokio::spawn(async {{ 4 }}).await.unwrap();\n    println!(\"{{n}}\");\n}}")
    assert kernel.run("main()").stdout == "4\n"
    assert kernel.run("main();").stdout == "4\n"


def test_a_runtime_of_ones_own(kernel):
    kernel.run("use tokio::runtime::Runtime;\nlet runtime = Runtime::new().unwrap();")
    assert kernel.run("runtime.block_on(async { tokio::spawn(async { 6 }).await.unwrap() })").value == "6"
    kernel.run("let task = runtime.spawn(async { 7 });")
    assert kernel.run("runtime.block_on(task).unwrap()").value == "7"
    kernel.run("drop(runtime);")


def test_block_on_inside_async_code_panics_as_in_a_program(kernel):
    cell = kernel.run(
        "tokio::spawn(async {\n    tokio::runtime::Runtime::new().unwrap().block_on(async { 1 })\n}).await.is_err()"
    )
    assert cell.value == "true"
    [panic] = cell.contents("error")
    assert "Cannot start a runtime from within a runtime" in panic["evalue"]


# rayon, crossbeam, parking_lot


def test_rayon_uses_all_cores(kernel):
    cell = kernel.run(
        "use rayon::prelude::*;\nuse std::{collections::HashSet, sync::{Barrier, Mutex}, thread};\n"
        "let cores = thread::available_parallelism().unwrap().get();\n"
        "let (together, threads) = (Barrier::new(cores), Mutex::new(HashSet::new()));\n"
        "rayon::broadcast(|_| {\n"
        "    threads.lock().unwrap().insert(thread::current().id());\n"
        "    together.wait();\n"
        "});\n"
        "threads.into_inner().unwrap().len() == cores"
    )
    assert cell.value == "true"
    assert kernel.run("(1..=100).into_par_iter().map(|n| n * n).sum::<i32>()").value == "338350"


def test_crossbeam_scope_and_channels(kernel):
    kernel.run("let (send, receive) = crossbeam::channel::unbounded::<usize>();\nlet words = vec![\"a\", \"bb\"];")
    kernel.run(
        "crossbeam::scope(|scope| {\n"
        "    for word in &words { let send = send.clone(); scope.spawn(move |_| send.send(word.len()).unwrap()); }\n"
        "}).unwrap();"
    )
    kernel.run("drop(send);")
    assert kernel.run("receive.iter().sum::<usize>()").value == "3"


def test_a_parking_lot_lock_that_an_earlier_thread_holds(kernel):
    kernel.run(
        "use std::{sync::{Arc, mpsc}, thread};\nuse parking_lot::Mutex;\n"
        "let shared = Arc::new(Mutex::new(1));\n"
        "let (release, released) = mpsc::channel::<()>();\n"
        "let (locked, is_locked) = mpsc::channel::<()>();\n"
        "let theirs = Arc::clone(&shared);\n"
        "let holder = thread::spawn(move || {\n"
        "    let mut guard = theirs.lock();\n"
        "    locked.send(()).unwrap();\n"
        "    released.recv().unwrap();\n"
        "    *guard = 2;\n"
        "});\n"
        "is_locked.recv().unwrap();"
    )
    assert kernel.run("shared.try_lock().is_none()").value == "true"
    assert kernel.run("release.send(()).unwrap();\n*shared.lock()").value == "2"
    assert kernel.run("holder.join().is_ok()").value == "true"
