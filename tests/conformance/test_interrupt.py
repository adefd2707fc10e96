"""An interrupt stops the cell at its line, and keeps everything else."""

import re

import pytest
from gates import UNTIL_IT_WAITS
from kernel_client import kernel_after

# What the tests find again: a variable, a static, and a thread of another cell that goes on counting.
BEFORE = """
use std::{future, sync::{Condvar, Mutex, atomic::{AtomicU64, Ordering}, mpsc}, thread, time::Duration};
use rayon::prelude::*;
static COUNT: AtomicU64 = AtomicU64::new(0);
let kept = vec![1, 2, 3];
let counter: thread::JoinHandle<()> = thread::spawn(|| loop {
    COUNT.fetch_add(1, Ordering::Relaxed);
    thread::sleep(Duration::from_millis(1));
});
fn fib(n: u64) -> u64 {
    if n == 60 { print!("started"); }
    if n < 2 { n } else { fib(n - 1) + fib(n - 2) }
}
"""
# Returns only when the thread has counted on.
AFTER = """
let before = COUNT.load(Ordering::Relaxed);
while COUNT.load(Ordering::Relaxed) == before { thread::yield_now(); }
kept.len()
"""
# What a cell prints where `@` stands: in the line at which it must stop, for it may be stopped as soon as that is said.
STARTED = 'print!("started");'
# A cell that waits for itself; another thread says so.
LEFT_BEHIND = """
use std::sync::Mutex;
let lock = Mutex::new(0);
let first = lock.lock();
let own = Path::new("/proc").join(fs::read_link("/proc/thread-self").unwrap());
thread::spawn(move || { until_it_waits(own.to_str().unwrap()); @ });
let second = lock.lock();
"""
CELLS = {
    "loop": "@ loop {}",
    "nested loops": "let mut n = 0_u64;\n@ loop {\n    for i in 0.. {\n        if i > 9 { break; }\n        n ^= i;\n    }\n}",
    "recursion": "fib(60)",  # Which says itself that it started.
    "iterators": "@ (0..u64::MAX).map(|n| n ^ 1).fold(0, |a, b| a ^ b);",
    "sleep": "@ thread::sleep(Duration::from_secs(100));",
    "future": "@ concurrent::futures::Future::<i32>::new().result();",
    "wait for futures": "let futures = [concurrent::futures::Future::<i32>::new()];\n"
    "@ concurrent::futures::wait(&futures, concurrent::futures::ReturnWhen::AllCompleted);",
    "channel": "let (sender, receiver) = mpsc::channel::<i32>();\n@ receiver.recv().unwrap();",
    "join own thread": "let own: thread::JoinHandle<()> = thread::spawn(|| loop { thread::yield_now(); });\n"
    "@ own.join().unwrap();",
    "scope": "@ thread::scope(|scope| { scope.spawn(|| loop { thread::yield_now(); }); });",
    "deadlock": "{\n    let lock = Mutex::new(0);\n    let first = lock.lock();\n    @ let second = lock.lock();\n}",
    "condvar": "{\n    let (lock, changed) = (Mutex::new(false), Condvar::new());\n    let mut ready = lock.lock().unwrap();\n"
    "    @ while !*ready { ready = changed.wait(ready).unwrap(); }\n}",
    "park": "@ loop { thread::park(); }",
    "await": "@ tokio::time::sleep(Duration::from_secs(100)).await;",
    "block_on": "block_on(async {\n    @ asyncio::sleep(100).await;\n});",
    "event loop": "let event_loop = asyncio::get_event_loop();\n@ event_loop.run_forever();",
    "rayon": "@ (0..100).into_par_iter().for_each(|_| loop { thread::yield_now(); });",
    "program": '@ std::process::Command::new("sleep").arg("100").status().unwrap();',
    "socket": '@ std::net::TcpListener::bind("127.0.0.1:0").unwrap().accept().unwrap();',
}
# The lines at which these stop, where it is not the last.
LINES = {"nested loops": set(range(2, 7)), "deadlock": {4}, "condvar": {4}, "block_on": {2}}


@pytest.fixture(scope="module")
def counting():
    """A kernel with something to lose."""
    with kernel_after(BEFORE) as kernel:
        yield kernel


def interrupted(kernel, code, **options):
    """Runs a cell, interrupts it when it has said that it started, and gives how it ended."""
    request = kernel.send(code.replace("@", STARTED), **options)
    kernel.published_text(request, "started")
    kernel.manager.interrupt_kernel()
    cell = kernel.finish(request)
    assert cell.error["ename"] == "Interrupted"
    assert "replaced" not in cell.traceback
    return cell


def is_whole(kernel):
    """Whether the variable, the static and the thread are there, and the next cell runs."""
    cell = kernel.run(AFTER)
    return cell.reply["status"] == "ok" and cell.value == "3"


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_stops_at_its_line_and_the_rest_is_kept(counting, name):
    code = CELLS[name]
    cell = interrupted(counting, code)
    [number, line] = map(int, re.search(r"--> In\[(\d+)\]:(\d+):", cell.traceback).groups())
    if name == "recursion":
        assert BEFORE.splitlines()[line - 1].startswith(("fn fib", "    if n")) and number == 1, cell.traceback
    else:
        assert number == cell.reply["execution_count"]
        assert line in LINES.get(name, {len(code.splitlines())}), cell.traceback
    assert "stopped here" in cell.traceback
    assert cell.stderr == ""
    assert is_whole(counting)


def test_a_future_that_tells_nobody_stops_too(counting):
    interrupted(counting, "@ future::pending::<()>().await;")
    assert is_whole(counting)


def test_a_cell_that_awaits_what_the_interrupt_ends_has_no_value(counting):
    cell = interrupted(counting, "@ tokio::spawn(future::pending::<()>()).await")
    assert cell.contents("execute_result") == []
    assert is_whole(counting)


def test_a_wait_for_input_stops_and_its_answer_is_not_taken_for_another(counting):
    read = "let mut line = String::new();\nstd::io::stdin().read_line(&mut line).unwrap();\nline"
    request = counting.send(read, allow_stdin=True)
    counting.question(request)
    counting.manager.interrupt_kernel()
    assert counting.finish(request).error["ename"] == "Interrupted"
    request = counting.send(read, allow_stdin=True)
    counting.question(request)
    counting.client.input("typed")
    assert counting.finish(request).value == '"typed\\n"'
    assert is_whole(counting)


def test_threads_of_the_cell_end_with_it(counting):
    counting.run("static OWN: AtomicU64 = AtomicU64::new(0);")
    interrupted(
        counting,
        "let own: thread::JoinHandle<()> = thread::spawn(|| loop {\n"
        "    OWN.fetch_add(1, Ordering::Relaxed);\n    thread::sleep(Duration::from_millis(1));\n});\n"
        "@ loop { thread::yield_now(); }",
    )
    # It counts no more: the other thread, which counts as often, has gone on.
    cell = counting.run(
        "let own = OWN.load(Ordering::Relaxed);\nlet other = COUNT.load(Ordering::Relaxed);\n"
        "while COUNT.load(Ordering::Relaxed) < other + 20 { thread::yield_now(); }\n"
        "OWN.load(Ordering::Relaxed) - own"
    )
    assert cell.value == "0"


def test_what_a_cell_left_behind_uses_is_named_and_lost_and_nothing_else(counting):
    counting.run(UNTIL_IT_WAITS)
    counting.run("let borrowed = String::from(\"borrowed\");\nlet unused = 5;")
    cell = interrupted(counting, f"println!(\"{{}}\", borrowed.len());\n{LEFT_BEHIND}")
    assert "left behind" in cell.traceback
    assert "`borrowed`" in cell.traceback and "`unused`" not in cell.traceback
    assert counting.run("borrowed").error["ename"] == "E0425"
    assert counting.run("unused").value == "5"
    assert is_whole(counting)


def test_the_thread_of_another_cell_lives_on_when_a_join_of_it_is_stopped(counting):
    interrupted(counting, "@ counter.join().unwrap();")
    assert is_whole(counting)


def test_interrupts_of_nothing_and_in_a_row_hit_only_their_cell(counting):
    for _ in range(3):
        counting.manager.interrupt_kernel()
    # A signal and a request have no order: a late one may hit this cell.
    counting.run("()")
    assert is_whole(counting)
    request = counting.send('println!("started");\nloop {}')
    counting.published_text(request, "started\n")
    for _ in range(3):
        counting.manager.interrupt_kernel()
    assert counting.finish(request).error["ename"] == "Interrupted"
    assert is_whole(counting)


def test_a_caught_stop_does_not_go_on_for_ever(counting):
    interrupted(counting, "@ loop { let _ = std::panic::catch_unwind(|| loop { thread::yield_now(); }); }")
    assert is_whole(counting)


def test_a_running_compiler_stops_and_nothing_is_lost(counting):
    request = counting.send("loop {}\n" + "fn deep() { " + "let _ = vec![0_u8; 1];" * 20000 + " }")
    while counting.published(request)["msg_type"] != "execute_input":
        pass
    counting.manager.interrupt_kernel()
    assert counting.finish(request).error["ename"] == "Interrupted"
    assert is_whole(counting)


def test_a_kernel_with_cells_left_behind_ends(own_kernel):
    kernel = own_kernel()
    interrupted(kernel, f"{UNTIL_IT_WAITS}\n{LEFT_BEHIND}")
    request = kernel.client.shutdown()
    assert kernel.reply(request, "control") == {"status": "ok", "restart": False}
