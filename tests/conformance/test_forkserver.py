"""rustc and the linker are loaded once for a kernel; cells do not depend on that."""

import os
import signal

import pytest

from kernel_client import Kernel, eventually
from processes import descendants

# rustc evaluates it for as long as the test lets it.
ENDLESS = "const { let mut n = 0_u64; while n < u64::MAX { n += 1; } }"


@pytest.fixture
def kernel():
    # Else the compiler would not be asked.
    with Kernel({"INTERLEAVE_CACHE": "off"}) as kernel:
        yield kernel


def servers(kernel):
    return [pid for pid, _, name in descendants(kernel.pid) if name == "forkserver"]


def compilers(kernel, of):
    """Each rustc below the kernel whose parent is a server, or a `cargo`."""
    below = descendants(kernel.pid)
    parents = [pid for pid, _, name in below if name == of]
    return [(pid, parent) for pid, parent, name in below if name == "rustc" and parent in parents]


def test_rustc_is_a_copy_of_its_server_and_ends_with_who_asked(kernel):
    assert kernel.run("1 + 1").value == "2"
    eventually(lambda: len(servers(kernel)) == 2)
    request = kernel.send(ENDLESS)
    eventually(lambda: compilers(kernel, of="forkserver"))
    assert not compilers(kernel, of="cargo")
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error["ename"] == "Interrupted"
    eventually(lambda: not compilers(kernel, of="forkserver"))
    assert kernel.run("1 + 1").value == "2"


def test_a_kernel_without_its_servers_starts_rustc_itself(kernel):
    kernel.run("let kept = 6;")
    for pid in eventually(lambda: servers(kernel)):
        os.kill(pid, signal.SIGKILL)
    assert kernel.run("kept + 1").value == "7"


def test_a_server_that_ends_while_it_compiles_is_done_without(kernel):
    kernel.run("let kept = 6;")
    request = kernel.send(ENDLESS)
    for _, server in eventually(lambda: compilers(kernel, of="forkserver")):
        os.kill(server, signal.SIGKILL)
    eventually(lambda: compilers(kernel, of="cargo"))
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error["ename"] == "Interrupted"
    assert kernel.run("kept").value == "6"


def test_servers_that_are_stopped_are_done_without(kernel):
    kernel.run("let kept = 6;")
    eventually(lambda: len(servers(kernel)) == 2)
    for pid in servers(kernel):
        os.kill(pid, signal.SIGSTOP)
    assert kernel.run("kept + 1").value == "7"
    for pid in servers(kernel):
        os.kill(pid, signal.SIGCONT)
    assert kernel.run("kept + 2").value == "8"


def test_a_server_that_is_stopped_while_it_compiles_is_done_without(kernel, tmp_path):
    kernel.run("1 + 1")
    eventually(lambda: len(servers(kernel)) == 2)
    # rustc waits for what it is to read.
    words = tmp_path / "words"
    os.mkfifo(words)
    request = kernel.send(f'println!("{{}}", include_str!("{words}"));')
    for _, server in eventually(lambda: compilers(kernel, of="forkserver")):
        os.kill(server, signal.SIGSTOP)
    words.write_text("lost")
    eventually(lambda: compilers(kernel, of="cargo"))
    words.write_text("read")
    assert kernel.finish(request).stdout == "read\n"
