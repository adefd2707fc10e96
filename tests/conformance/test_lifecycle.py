"""Interrupts, restarts and the end of a kernel, which leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time

import pytest
from jupyter_client import BlockingKernelClient
from kernel_client import TIMEOUT
from processes import Processes

LOOPS = "loop {}"
SLEEPS = "std::thread::sleep(std::time::Duration::from_secs(3600));"
# It lives on when the cell ends.
STARTS_A_PROGRAM = 'let program = std::process::Command::new("sleep").arg("3600").spawn().unwrap();'
# Like a server: starts a kernel, and is killed one day.
PARENT = """
import sys
from jupyter_client.manager import KernelManager
manager = KernelManager(kernel_name="interleave", connection_file=sys.argv[1])
manager.start_kernel()
print("started", flush=True)
sys.stdin.read()
"""


def start_cell(kernel, code):
    """Sends a cell and comes back when it runs."""
    request = kernel.send(f'println!("started");\n{code}')
    kernel.published_text(request, "started\n")
    return request


def leftovers(directory):
    """What the kernel has in its temporary directory."""
    return sorted(path.name for path in directory.iterdir())


def workspace(directory):
    """The kernel's own directory, of which there is one."""
    [path] = directory.glob("interleave-*")
    return path


@pytest.mark.parametrize("code", [LOOPS, SLEEPS], ids=["loop", "sleep"])
def test_an_interrupt_stops_the_cell_and_the_next_one_runs(kernel, code):
    request = start_cell(kernel, code)
    waiting = kernel.send("1 + 1")
    kernel.synchronize()
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error["ename"] == "Interrupted"
    assert kernel.finish(waiting).reply["status"] == "aborted"
    assert kernel.run("2 + 2").value == "4"


def test_many_interrupts_in_a_row_are_heard_and_hit_only_their_cell(kernel):
    for _ in range(30):
        request = start_cell(kernel, LOOPS)
        kernel.manager.interrupt_kernel()
        assert kernel.finish(request).error["ename"] == "Interrupted"
        assert kernel.run("2 + 2").value == "4"


def test_an_interrupt_of_nothing_changes_nothing(kernel):
    kernel.run("let kept = 5;")
    kernel.manager.interrupt_kernel()
    # A signal and a request have no order: a late one may hit this cell.
    kernel.run("()")
    assert kernel.run("kept").value == "5"


def test_a_busy_kernel_restarts_and_counts_from_one(own_kernel, tmp_path):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    kernel.run("let lost = 1;")
    start_cell(kernel, LOOPS)
    before = workspace(tmp_path)
    with Processes(tmp_path) as processes:
        kernel.manager.restart_kernel()
        processes.wait()
    assert not before.exists()
    kernel.client.wait_for_ready(timeout=TIMEOUT)
    cell = kernel.run("lost")
    assert (cell.error["ename"], cell.reply["execution_count"]) == ("E0425", 1)


@pytest.mark.parametrize("code", ["1 + 1", LOOPS], ids=["idle", "busy"])
def test_a_shutdown_is_answered_and_leaves_nothing(own_kernel, tmp_path, code):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    kernel.run(STARTS_A_PROGRAM)
    start_cell(kernel, code)
    with Processes(tmp_path) as processes:
        assert len(processes) >= 4, "the kernel, its guard, its host and the program"
        request = kernel.client.shutdown()
        assert kernel.reply(request, "control") == {"status": "ok", "restart": False}
        processes.wait()
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("code", ["1 + 1", LOOPS], ids=["idle", "busy"])
def test_a_killed_kernel_leaves_nothing(own_kernel, tmp_path, code):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    # Of two processes of cells, which have a group each.
    kernel.run(STARTS_A_PROGRAM)
    kernel.run(f":restart\n{STARTS_A_PROGRAM}")
    start_cell(kernel, code)
    with Processes(tmp_path) as processes:
        assert len(processes) >= 5, "the kernel, its guard, its host and the programs"
        os.kill(kernel.pid, signal.SIGKILL)
        processes.wait()
    assert leftovers(tmp_path) == []


def test_a_kernel_ends_with_its_parent(tmp_path):
    connection_file = str(tmp_path / "connection.json")
    directory = tmp_path / "temporary"
    directory.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, connection_file],
        env={**os.environ, "TMPDIR": str(directory)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        parent.stdout.readline()
        client = BlockingKernelClient(connection_file=connection_file)
        client.load_connection_file()
        client.start_channels()
        client.wait_for_ready(timeout=TIMEOUT)
        client.execute_interactive(STARTS_A_PROGRAM, timeout=TIMEOUT, allow_stdin=False)
        with Processes(directory) as processes:
            parent.kill()
            processes.wait()
        client.stop_channels()
    assert leftovers(directory) == []


def test_two_kernels_know_nothing_of_each_other(kernel, own_kernel):
    other = own_kernel()
    kernel.run("let here = 1;")
    assert other.run("here").error["ename"] == "E0425"
    assert kernel.run("here").value == "1"


def test_the_history_outlives_the_kernel(own_kernel, tmp_path):
    environment = {"XDG_STATE_HOME": str(tmp_path)}
    first = own_kernel(**environment)
    first.run('"remembered"')
    first.close()
    second = own_kernel(**environment)
    [entry] = second.ask("history", hist_access_type="tail", n=1, output=True)["history"]
    assert entry == [1, 1, ['"remembered"', '"remembered"']]


def test_a_temporary_directory_may_lie_deeper_than_a_socket_can(own_kernel, tmp_path):
    deep = tmp_path / ("deep " * 40)
    deep.mkdir()
    kernel = own_kernel(TMPDIR=str(deep))
    kernel.run("let kept = 5;")
    # A copy takes over, and connects anew.
    kernel.run("std::process::abort();")
    assert kernel.run("kept").value == "5"
    with Processes(deep) as processes:
        kernel.close()
        processes.wait()
    assert leftovers(deep) == []


def guards(directory):
    with Processes(directory) as processes:
        return processes.of_program("interleave-host", "guard")


def test_a_guard_that_was_killed_is_replaced(own_kernel, tmp_path):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    kernel.run(STARTS_A_PROGRAM)
    [guard] = guards(tmp_path)
    os.kill(guard, signal.SIGKILL)
    deadline = time.monotonic() + TIMEOUT
    while guards(tmp_path) in ([], [guard]):
        assert time.monotonic() < deadline, "there is no new guard"
    assert kernel.run("1 + 1").value == "2"
    with Processes(tmp_path) as processes:
        os.kill(kernel.pid, signal.SIGKILL)
        processes.wait()
    assert leftovers(tmp_path) == []
