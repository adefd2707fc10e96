"""A cell that ends its process: variables and statics are as they were before it."""

import os
import signal
import time
from pathlib import Path

import pytest
from kernel_client import TIMEOUT, Kernel
from processes import Processes

SETUP = """
use std::sync::{Arc, Mutex, mpsc, atomic::{AtomicUsize, Ordering}};
use std::collections::HashMap;
static COUNT: AtomicUsize = AtomicUsize::new(5);
let mut list = vec![1, 2, 3];
let mut map = HashMap::from([("a", 1)]);
let (sender, receiver) = mpsc::channel::<i32>();
let shared = Arc::new(Mutex::new(String::from("old")));
let pointer = std::ptr::without_provenance_mut::<i32>(8);
sender.send(7).unwrap();
COUNT.store(6, Ordering::Relaxed);
"""
CHANGES = """
list.push(4); map.insert("b", 2); COUNT.store(9, Ordering::Relaxed);
*shared.lock().unwrap() = String::from("new"); receiver.recv().unwrap();
let fresh = 1; let taken = list;
println!("changed");
"""
STATE = "(&list, map.len(), COUNT.load(Ordering::Relaxed), shared.lock().unwrap().clone(), shared.is_poisoned())"
BEFORE = '([1, 2, 3], 1, 6, "old", false)'
ENDS = {
    "abort": ("std::process::abort();", "crash", "SIGABRT"),
    "exit": ("std::process::exit(3);", "exit", "exit code 3"),
    "exit 0": ("std::process::exit(0);", "exit", "exit code 0"),
    "invalid pointer": ("unsafe { pointer.write(1); }", "crash", "SIGSEGV"),
    "stack overflow": (
        "fn deep(n: u64) -> u64 { if n == 0 { 0 } else { 1 + deep(n + 1) } }\ndeep(taken.len() as u64);",
        "crash",
        "overflowed its stack",
    ),
    "killed": (
        'std::process::Command::new("kill").args(["-9", &std::process::id().to_string()]).status().unwrap(); loop {}',
        "crash",
        "SIGKILL",
    ),
    "panic in a destructor": (
        "struct Bomb; impl Drop for Bomb { fn drop(&mut self) { panic!() } }\nlet _bomb = Bomb; panic!();",
        "crash",
        "SIGABRT",
    ),
}
KEPT = "Variables and statics are as they were before this cell"
ABORT = "std::process::abort();"
PROCESS = "std::process::id()"
DEADLOCK = "let lock = Mutex::new(1); let first = lock.lock().unwrap(); println!(\"locked\"); drop(lock.lock()); drop(first);"


@pytest.fixture(scope="module")
def kernel():
    """A kernel with variables that no cell changes for good."""
    with Kernel() as kernel:
        kernel.run(SETUP)
        yield kernel
        kernel.check_that_everything_was_read()


@pytest.fixture(scope="module")
def other():
    """A kernel that loses its variables now and then."""
    with Kernel() as kernel:
        yield kernel
        kernel.check_that_everything_was_read()


def check_state(kernel):
    """Everything is as it was before the cell that failed."""
    assert kernel.run(STATE).value == BEFORE
    assert kernel.run("receiver.try_iter().inspect(|n| sender.send(*n).unwrap()).next()").value == "Some(7)"
    assert kernel.run("fresh").error["ename"] == "E0425"


def parent(pid):
    """The number of a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def hosts(pid):
    """The numbers of a process's children that run our host's program, zombies among them."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    children = {int(child) for path in listed for child in path.read_text().split()}
    return {child for child in children if is_host(child)}


def is_host(pid):
    """Whether it is the host, its guard, or a copy: the name is its first thread's."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in ("main", "interleave-host")
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("how", ENDS)
def test_a_cell_that_ends_its_process_is_as_if_it_had_not_been_run(kernel, how):
    code, name, cause = ENDS[how]
    cell = kernel.run(CHANGES + code)
    assert cell.error["ename"] == name
    assert cause in cell.error["evalue"] and KEPT in cell.error["evalue"]
    assert cell.stdout == "changed\n"
    check_state(kernel)


def test_a_deadlock_can_be_interrupted(kernel):
    request = kernel.send(CHANGES + DEADLOCK)
    kernel.published_text(request, "locked\n")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error["ename"] == "Interrupted"
    assert kernel.run("COUNT.load(Ordering::Relaxed) >= 6 && sender.send(1).is_ok()").value == "true"
    kernel.run("COUNT.store(6, Ordering::Relaxed);")


def test_the_process_is_the_same_unless_a_cell_ends_it(kernel):
    first = kernel.run(PROCESS).value
    kernel.run("let kept = 1;")
    assert kernel.run(PROCESS).value == first
    kernel.run(ABORT)
    second = kernel.run(PROCESS).value
    assert second != first
    assert kernel.run(f"(kept, {PROCESS})").value == f"(1, {second})"


def test_what_a_failed_cell_defined_can_be_defined_again(kernel):
    static = "use std::sync::atomic::{AtomicU32, Ordering::Relaxed}; static N: AtomicU32 = AtomicU32::new(1);"
    function = "fn next() -> u32 { N.fetch_add(1, Relaxed) + 1 }"
    for _ in range(2):
        cell = kernel.run(f"{static}\n{function}\nnext();\n{ABORT}")
        assert KEPT in cell.error["evalue"]
    assert kernel.run(f"{static}\n{function}\nnext()").value == "2"
    assert kernel.run(f"{static}\nN.store(50, Relaxed); {ABORT}").error["ename"] == "crash"
    assert kernel.run("next()").value == "3"


def test_statics_that_one_cell_after_the_other_changes_survive_many_ends(kernel):
    kernel.run("static ALL: Mutex<Vec<u8>> = Mutex::new(Vec::new());")
    for number in range(4):
        assert kernel.run(f"ALL.lock().unwrap().push({number});").reply["status"] == "ok"
        assert KEPT in kernel.run(f"ALL.lock().unwrap().push(99); {ABORT}").error["evalue"]
    assert kernel.run("ALL.lock().unwrap().clone()").value == "[0, 1, 2, 3]"


def test_a_thread_that_has_ended_stands_against_nothing(kernel):
    kernel.run("let total: i32 = std::thread::scope(|scope| scope.spawn(|| 2).join().unwrap());")
    assert KEPT in kernel.run(ABORT).error["evalue"]
    assert kernel.run("total").value == "2"


def test_what_lives_in_threads_is_lost_and_the_error_says_why(other):
    other.run("let number = 1; let (stop, stopped) = std::sync::mpsc::channel::<()>();")
    assert "SIGABRT" in other.run(ABORT).error["evalue"]
    cell = other.run("let thread = std::thread::spawn(move || stopped.recv().is_ok());")
    started_in = cell.reply["execution_count"]
    cell = other.run("std::process::exit(4)")
    assert "exit code 4" in cell.error["evalue"]
    assert "variables and threads are lost" in cell.error["evalue"]
    assert f"a thread of In[{started_in}] was running" in cell.error["evalue"]
    assert other.run("number").error["ename"] == "E0425"


OPEN = {
    "a pipe": "let (reader, writer) = std::io::pipe().unwrap();",
    "a socket": 'let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();',
    "a locked file": 'let file = std::fs::File::create("{path}").unwrap(); file.lock().unwrap();',
    "a program": 'let mut program = std::process::Command::new("true").spawn().unwrap();',
}


@pytest.mark.parametrize("what", OPEN)
def test_there_is_no_copy_that_would_hold_what_a_cell_closes(other, tmp_path, what):
    other.run("let number = 1;")
    code = OPEN[what].replace("{path}", str(tmp_path / "locked"))
    assert other.run(code).reply["status"] == "ok"
    assert "No copy was at hand" in other.run(ABORT).error["evalue"]
    assert other.run("number").error["ename"] == "E0425"


def test_the_end_of_a_pipe_is_seen_as_soon_as_a_cell_closes_it(other):
    other.run("use std::io::Read; let (mut reader, writer) = std::io::pipe().unwrap();")
    assert other.run("drop(writer); reader.read_to_end(&mut Vec::new()).unwrap()").value == "0"
    code = "let (mut r, w) = std::io::pipe().unwrap(); drop(w); r.read(&mut [0; 8]).unwrap()"
    assert other.run(code).value == "0"
    other.run("drop(reader);")


def test_what_a_cell_wrote_to_a_file_stays(kernel, tmp_path):
    kernel.run(f'use std::io::Write; let mut file = std::fs::File::create("{tmp_path}/f").unwrap();')
    assert KEPT in kernel.run(f'file.write_all(b"kept").unwrap(); {ABORT}').error["evalue"]
    assert kernel.run('file.write_all(b" too").unwrap()').reply["status"] == "ok"
    assert (tmp_path / "f").read_text() == "kept too"


def test_a_cell_meets_no_child_that_it_did_not_start(kernel):
    assert kernel.run("std::fs::read_to_string(format!(\"/proc/self/task/{}/children\", std::process::id())).unwrap()").value == '""'


def test_snapshots_can_be_switched_off(own_kernel):
    kernel = own_kernel(INTERLEAVE_SNAPSHOTS="off")
    kernel.run("let number = 1;")
    assert "switched off" in kernel.run(ABORT).error["evalue"]
    assert kernel.run("number").error["ename"] == "E0425"


def test_the_process_can_be_renewed_after_a_copy_took_over(other):
    other.run("let number = 1;")
    other.run(ABORT)
    assert other.run(":clear").reply["status"] == "ok"
    assert other.run("number").error["ename"] == "E0425"
    assert other.run("let number = 2; number").value == "2"
    assert KEPT in other.run(ABORT).error["evalue"]
    assert other.run("number").value == "2"


def test_a_killed_process_between_two_cells_is_told(other):
    process = int(other.run(PROCESS).value)
    os.kill(process, signal.SIGKILL)
    assert "SIGKILL" in other.run("1 + 1").error["evalue"]
    assert other.run("1 + 1").value == "2"


def test_copies_do_not_pile_up(own_kernel, tmp_path):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    kernel.run("let mut number = 0;")
    for _ in range(20):
        kernel.run("number += 1;")
    for _ in range(3):
        kernel.run(ABORT)
    assert kernel.run("number").value == "20"
    process = int(kernel.run(PROCESS).value)
    deadline = time.monotonic() + TIMEOUT
    while len(hosts(parent(process))) > 2:  # The latest copy is killed before its cell ends, and reaped soon after.
        assert time.monotonic() < deadline, f"more than the host and its guard: {hosts(parent(process))}"
    with Processes(tmp_path) as processes:
        kernel.close()
        processes.wait()


@pytest.mark.parametrize("ends_before", [0, 1], ids=["first", "copy"])
def test_a_killed_kernel_leaves_no_copy(own_kernel, tmp_path, ends_before):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    for _ in range(ends_before):
        assert KEPT in kernel.run(ABORT).error["evalue"]
    request = kernel.send('println!("started"); loop {}')
    kernel.published_text(request, "started\n")
    with Processes(tmp_path) as processes:
        os.kill(kernel.pid, signal.SIGKILL)
        processes.wait()
    assert list(tmp_path.iterdir()) == []


def test_a_shutdown_while_a_cell_runs_leaves_no_copy(own_kernel, tmp_path):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    assert KEPT in kernel.run(ABORT).error["evalue"]
    request = kernel.send('println!("started"); loop {}')
    kernel.published_text(request, "started\n")
    with Processes(tmp_path) as processes:
        kernel.client.shutdown()
        processes.wait()
    assert list(tmp_path.iterdir()) == []
