"""Random interrupts, many kernels at once, and ends in every state: nothing hangs, nothing is left."""

import os
import random
import signal
import sqlite3
import stat
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from gates import GatedCrate
from kernel_client import TIMEOUT, Kernel, eventually
from processes import Processes

# Cells that end by themselves, or only when they are stopped.
ENDS = ["1 + 1", "let x = vec![1, 2, 3];", 'println!("{}", 2 + 2);', "no_such_name", 'panic!("on purpose");']
RUNS = [
    "loop {}",
    "std::thread::sleep(std::time::Duration::from_secs(3600));",
    "tokio::time::sleep(std::time::Duration::from_secs(3600)).await;",
    "std::sync::mpsc::channel::<i32>().1.recv();",
    "let lock = std::sync::Mutex::new(0); let first = lock.lock(); let second = lock.lock();",
    "std::thread::spawn(|| loop { std::thread::park() }).join();",
    'loop { println!("flood"); }',
]
INTERRUPTS = int(os.environ.get("INTERLEAVE_RANDOM_INTERRUPTS", "40"))
SEED = int(os.environ.get("INTERLEAVE_RANDOM_SEED", random.randrange(2**32)))


def descriptors(pid):
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_interrupts_at_random_moments_lose_no_idle_and_leak_nothing(own_kernel, tmp_path):
    print(f"repeat it with INTERLEAVE_RANDOM_SEED={SEED}")
    chance = random.Random(SEED)
    kernel = own_kernel(TMPDIR=str(tmp_path))
    # Whatever is opened once is open now.
    interrupted(kernel, chance, 5)
    before = descriptors(kernel.pid)
    interrupted(kernel, chance, INTERRUPTS)
    assert kernel.run("6 * 7").value == "42"
    assert eventually(lambda: descriptors(kernel.pid) <= before + 2)
    with Processes(tmp_path) as processes:
        kernel.close()
        processes.wait()
    assert list(tmp_path.iterdir()) == []


def interrupted(kernel, chance, times):
    """Runs cells, and interrupts each at some moment: while it compiles, runs, or has just ended."""
    for _ in range(times):
        runs = chance.random() < 0.5
        request = kernel.send(chance.choice(RUNS if runs else ENDS))
        # On another socket, an interrupt could come before the cell, and would be one of nothing.
        kernel.synchronize()
        # A moment by chance is what is tested here; nothing waits for this time to pass.
        time.sleep(chance.random() * 0.6)
        kernel.manager.interrupt_kernel()
        cell = kernel.finish(request)
        if runs:
            assert cell.reply["status"] in ("error", "aborted"), cell.reply


def test_ten_kernels_do_not_disturb_each_other():
    with ExitStack() as stack:
        kernels = [stack.enter_context(Kernel()) for _ in range(10)]
        for number, kernel in enumerate(kernels):
            kernel.run(f"static MINE: i32 = {number};\nlet mine = {number};")
        requests = [kernel.send('println!("{}", mine + MINE);') for kernel in kernels]
        for number, (kernel, request) in enumerate(zip(kernels, requests)):
            assert kernel.finish(request).stdout == f"{2 * number}\n"
        kernels[0].manager.interrupt_kernel()
        os.kill(kernels[1].pid, signal.SIGKILL)
        assert kernels[2].run("mine").value == "2"


STATES = {
    "looping": "loop {}",
    "locked": "let l = std::sync::Mutex::new(0); let a = l.lock(); let b = l.lock();",
    "flooding": 'loop { println!("flood"); }',
    "waiting for a task": "std::future::pending::<()>().await;",
    "running a program": 'std::process::Command::new("sleep").arg("3600").status();',
}


def begin(kernel, state, directory):
    """Brings a kernel into a state."""
    if state == "starting":
        # Nothing waits for an answer: the evaluator is still being made.
        return kernel.send("1 + 1")
    kernel.run("1 + 1")
    if state == "compiling":
        request = kernel.send("const { let mut n = 0_u64; while n < u64::MAX { n += 1; } }")
        while kernel.published(request)["msg_type"] != "execute_input":
            pass
    elif state == "adding a crate":
        crate = GatedCrate(directory)
        kernel.send(f"{crate.dep}\ngated::answer()")
        crate.building.wait_for_line()
    elif state == "asking":
        code = "std::io::stdin().read_line(&mut String::new()).unwrap();"
        kernel.question(kernel.send(code, allow_stdin=True))
    elif state == "completing":
        kernel.client.complete("std::thr", 8)
    elif state != "idle":
        request = kernel.send(f'println!("started"); {STATES[state]}')
        kernel.published_text(request, "started\n")


@pytest.mark.parametrize("how", ["restart", "shutdown", "kill"])
@pytest.mark.parametrize(
    "state", ["starting", "idle", "compiling", "adding a crate", "asking", "completing", *STATES]
)
def test_the_end_is_prompt_in_every_state(own_kernel, tmp_path_factory, state, how):
    temporary, elsewhere = tmp_path_factory.mktemp("kernel"), tmp_path_factory.mktemp("crate")
    kernel = own_kernel(TMPDIR=str(temporary))
    begin(kernel, state, elsewhere)
    started = time.monotonic()
    with Processes(temporary) as processes:
        if how == "restart":
            kernel.manager.restart_kernel()
        elif how == "shutdown":
            kernel.manager.shutdown_kernel()
        else:
            os.kill(kernel.pid, signal.SIGKILL)
        processes.wait()
    took = time.monotonic() - started
    print(f"{how} while {state}: {took:.2f} s")
    # After half of its patience Jupyter sends SIGTERM, so then the request itself was not enough.
    assert took < TIMEOUT / 2
    if how == "restart":
        kernel.client.wait_for_ready(timeout=TIMEOUT)
        assert kernel.run("1 + 1").value == "2"
    else:
        assert list(temporary.iterdir()) == []


def test_nobody_else_reads_what_a_kernel_writes(tmp_path):
    old = os.umask(0)
    try:
        history = tmp_path / "state"
        kernel = Kernel({"TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(history)})
    finally:
        os.umask(old)
    with kernel:
        kernel.run("let secret = 1;")
        kernel.ask("history", hist_access_type="tail", n=1)
        [workspace] = tmp_path.glob("interleave-*")
        assert stat.S_IMODE(workspace.stat().st_mode) == 0o700
        files = [path for path in history.rglob("*") if path.is_file()]
        assert files
        for path in files:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or private_above(path, history), path
        connection = Path(kernel.manager.connection_file)
        assert stat.S_IMODE(connection.stat().st_mode) & 0o077 == 0


def private_above(path, top):
    """Whether a directory on the way keeps others out."""
    return any(stat.S_IMODE(parent.stat().st_mode) & 0o077 == 0 for parent in path.parents if parent != top.parent)


@pytest.mark.parametrize("trouble", ["corrupt", "locked", "a directory"])
def test_a_history_that_cannot_be_used_costs_only_the_history(own_kernel, tmp_path, trouble):
    first = own_kernel(XDG_STATE_HOME=str(tmp_path))
    first.run('"remembered"')
    first.close()
    [path] = [path for path in tmp_path.rglob("*.sqlite")]
    with ExitStack() as stack:
        if trouble == "corrupt":
            path.write_bytes(b"not a database, and longer than its header" * 100)
        elif trouble == "locked":
            lock = sqlite3.connect(path, isolation_level=None)
            stack.callback(lock.close)
            lock.execute("PRAGMA locking_mode = EXCLUSIVE")
            lock.execute("BEGIN EXCLUSIVE")
        else:
            path.unlink()
            path.mkdir()
        kernel = own_kernel(XDG_STATE_HOME=str(tmp_path))
        assert kernel.run("1 + 1").value == "2"
        history = kernel.ask("history", hist_access_type="tail", n=1)["history"]
        assert [entry[2] for entry in history] == ["1 + 1"]
