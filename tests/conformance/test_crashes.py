"""What a cell can do to its own process: one clear error, or none, and the next cell runs."""

import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from gates import Pipe
from kernel_client import TIMEOUT
from processes import descendants

# With a snapshot from before the cell, and without.
KEPT = "Variables and statics are as they were before this cell"
LOST = "variables and threads are lost, functions and types are kept"
C_FUNCTIONS = """unsafe extern "C" {
    safe fn close(fd: i32) -> i32;
    safe fn dup2(from: i32, to: i32) -> i32;
    safe fn fork() -> i32;
    safe fn kill(process: i32, signal: i32) -> i32;
    safe fn raise(signal: i32) -> i32;
    unsafe fn setrlimit(resource: i32, limit: *const [u64; 2]) -> i32;
}
fn still_known() -> i32 { 7 }"""


@pytest.fixture(scope="module", autouse=True)
def functions(kernel):
    """Makes functions of C callable in every cell."""
    assert kernel.run(C_FUNCTIONS).reply["status"] == "ok"


def next_cell_runs(kernel):
    assert kernel.run("still_known()").value == "7"


def host(kernel):
    """The process that runs the cells."""
    return int(kernel.run("std::process::id()").value)


CRASHES = {
    "null pointer": ("unsafe { *std::hint::black_box(8 as *mut i32) = 1 };", "SIGSEGV"),
    "abort of a thread": ("let _ = std::thread::spawn(|| std::process::abort()).join();", "SIGABRT"),
    "panic while panicking": (
        "struct Bad; impl Drop for Bad { fn drop(&mut self) { panic!() } }\n{ let _bad = Bad; panic!(); }",
        "SIGABRT",
    ),
    "SIGTERM": ("raise(15);", "SIGTERM"),
    "SIGINT": ("raise(2);", "SIGINT"),
    "SIGUSR1": ("raise(10);", "SIGUSR1"),
    "SIGKILL": ("raise(9);", "SIGKILL"),
    "SIGKILL for all processes of the cell": ("kill(0, 9);", "SIGKILL"),
    "SIGTERM for all processes of the cell": (
        'let _ = std::process::Command::new("sh").args(["-c", "kill -TERM 0"]).status();',
        "SIGTERM",
    ),
}


@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_names_the_signal_and_what_is_kept(kernel, name):
    code, expected = CRASHES[name]
    error = kernel.run(code).error
    assert error["ename"] == "crash"
    assert expected in error["evalue"]
    assert (KEPT in error["evalue"]) != (LOST in error["evalue"])
    next_cell_runs(kernel)


def test_a_stack_overflow_names_its_thread(kernel):
    kernel.run("fn deeper(n: u64) -> u64 { std::hint::black_box(1 + deeper(std::hint::black_box(n + 1))) }")
    code = 'let _ = std::thread::Builder::new().name("diver".into()).spawn(|| deeper(0)).unwrap().join();'
    error = kernel.run(code).error
    assert error["ename"] == "crash"
    assert "'diver'" in error["evalue"] and "has overflowed its stack" in error["evalue"]
    next_cell_runs(kernel)


def test_a_signal_to_all_processes_of_a_cell_meets_its_programs_and_not_its_copy(kernel, tmp_path):
    kernel.run(":restart\nlet kept = 8;")
    program = Pipe(tmp_path / "program")
    code = f'std::process::Command::new("sh").args(["-c", "exec > {program.path}; echo; exec sleep 3600"]).spawn().unwrap();'
    os.mkfifo(tmp_path / "go")
    request = kernel.send(f'{code}\nlet _ = std::fs::read_to_string("{tmp_path}/go");\nkill(0, 9);')
    with open(tmp_path / "go", "w"):
        program.wait_for_line()
    assert KEPT in kernel.finish(request).error["evalue"]
    program.wait_for_end()
    assert kernel.run("kept").value == "8"


def test_an_exit_in_a_thread_ends_the_cell(kernel):
    error = kernel.run("let _ = std::thread::spawn(|| std::process::exit(4)).join();").error
    assert (error["ename"], "exit code 4" in error["evalue"]) == ("exit", True)
    next_cell_runs(kernel)


def test_an_ignored_signal_is_ignored_as_in_a_program(kernel):
    assert kernel.run("raise(13);").reply["status"] == "ok"


def test_a_process_that_ends_between_cells_is_told_once_and_the_next_cell_runs(kernel):
    pid = host(kernel)
    end = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    select.select([end], [], [])
    os.close(end)
    cell = kernel.run('println!("must not run");')
    assert cell.kinds == ["error"]
    assert "SIGKILL" in cell.error["evalue"] and "This cell has not run" in cell.error["evalue"]
    next_cell_runs(kernel)


def test_a_host_that_is_killed_while_a_cell_runs_is_a_crash(kernel):
    pid = host(kernel)
    request = kernel.send('println!("started"); loop {}')
    kernel.published_text(request, "started\n")
    os.kill(pid, signal.SIGKILL)
    assert "SIGKILL" in kernel.finish(request).error["evalue"]
    next_cell_runs(kernel)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
@pytest.mark.parametrize("program", ["rustc", "cargo"])
def test_a_compiler_that_is_killed_or_crashes_is_an_error_that_loses_nothing(kernel, program, how):
    kernel.run("let kept = 6;")
    # Evaluates for as long as the test lets it.
    request = kernel.send("const { let mut n = 0_u64; while n < u64::MAX { n += 1; } }")
    deadline = time.monotonic() + TIMEOUT
    while not (found := [pid for pid, _, name in descendants(kernel.pid) if name == program]):
        assert time.monotonic() < deadline, f"{program} was never started"
    for pid in found:
        os.kill(pid, how)
    cell = kernel.finish(request)
    assert cell.kinds == ["error"] and cell.error["evalue"]
    assert kernel.run("kept").value == "6"


def test_an_interrupt_ends_a_host_that_is_stopped(kernel):
    pid = host(kernel)
    request = kernel.send('println!("started"); loop {}')
    kernel.published_text(request, "started\n")
    os.kill(pid, signal.SIGSTOP)
    kernel.manager.interrupt_kernel()
    assert kernel.finish(request).error["ename"] == "Interrupted"
    next_cell_runs(kernel)


def test_a_destructor_that_panics_when_its_variable_is_overwritten_is_a_panic(kernel):
    code = "#[derive(Debug)] struct Loud;\nimpl Drop for Loud { fn drop(&mut self) { panic!(\"no drop\") } }"
    kernel.run(code + "\nlet loud = Loud;\nlet beside = 3;")
    error = kernel.run("let loud = 5;").error
    assert (error["ename"], error["evalue"]) == ("panic", "no drop")
    assert kernel.run("beside").value == "3"


def test_variables_whose_destructors_panic_can_be_cleared(own_kernel):
    kernel = own_kernel()
    kernel.run("#[derive(Debug)] struct Loud;\nimpl Drop for Loud { fn drop(&mut self) { panic!() } }\nlet loud = Loud;")
    assert kernel.run(":clear").reply["status"] == "ok"
    assert kernel.run("1 + 1").value == "2"


def test_restart_forgets_the_variables_and_keeps_the_functions(kernel):
    kernel.run("let forgotten = 1;")
    cell = kernel.run(":restart\nprintln!(\"{}\", still_known());")
    assert (cell.reply["status"], cell.stdout) == ("ok", "7\n")
    assert kernel.run("forgotten").error["ename"] == "E0425"
    assert kernel.run(":restart").reply["status"] == "ok"
    next_cell_runs(kernel)


def test_closed_streams_are_open_again_in_the_next_cell(kernel):
    code = "for fd in 0..3 { drop(unsafe { <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(fd) }); }"
    cell = kernel.run(code + 'println!("nowhere");')
    assert (cell.reply["status"], cell.stdout) == ("ok", "")
    cell = kernel.run('println!("out"); eprintln!("err"); std::io::stdin().read_line(&mut String::new()).is_err()')
    assert (cell.stdout, cell.stderr.splitlines()[0], cell.value) == ("out\n", "err", "true")


def test_a_redirected_stream_leads_to_the_notebook_again_in_the_next_cell(kernel, tmp_path):
    path = tmp_path / "output.txt"
    code = f'let file = std::fs::File::create("{path}").unwrap();'
    kernel.run(code + 'dup2(std::os::fd::AsRawFd::as_raw_fd(&file), 1); println!("to the file");')
    assert path.read_text() == "to the file\n"
    assert kernel.run('println!("to the notebook");').stdout == "to the notebook\n"
    assert path.read_text() == "to the file\n"


def test_closing_every_descriptor_does_not_cut_the_kernel_off(kernel):
    kernel.run("let survivor = 5;")
    assert kernel.run('for fd in 3..1024 { close(fd); } println!("closed");').stdout == "closed\n"
    assert kernel.run("survivor").value == "5"
    assert kernel.run(":restart").reply["status"] == "ok"


def test_a_fork_runs_the_rest_of_the_cell_and_ends_with_it(kernel):
    kernel.run("let parent = 5;")
    code = """use std::io::Read;
        let (mut reader, writer) = std::io::pipe().unwrap();
        let child = fork() == 0;
        println!("{}", if child { "child" } else { "parent" });
        drop(writer);
        // Ends when the child does.
        if !child { reader.read_to_string(&mut String::new()).unwrap(); }"""
    cell = kernel.run(code)
    assert sorted(cell.stdout.split()) == ["child", "parent"]
    assert kernel.run("parent").value == "5"


def test_a_fork_that_lives_on_does_not_keep_a_crash_from_being_told(kernel):
    code = 'if fork() == 0 { std::thread::sleep(std::time::Duration::from_secs(3600)); } else { std::process::abort() }'
    assert "SIGABRT" in kernel.run(code).error["evalue"]
    next_cell_runs(kernel)


def test_a_cell_that_cannot_be_loaded_says_why(kernel):
    kernel.run("unsafe { setrlimit(7, &[0, 0]); }")
    error = kernel.run("println!();").error
    assert "cannot be loaded" in error["evalue"] and "Too many open files" in error["evalue"]
    next_cell_runs(kernel)


def test_a_removed_current_directory_is_the_cells_own_trouble(kernel, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    kernel.run(f'std::env::set_current_dir("{gone}").unwrap(); std::fs::remove_dir("{gone}").unwrap();')
    assert kernel.run("std::env::current_dir().is_err()").value == "true"
    assert kernel.run(":restart\nstd::env::current_dir().is_ok()").value == "true"


def test_a_removed_path_variable_does_not_stop_the_compiler(kernel):
    kernel.run('unsafe { std::env::remove_var("PATH") };')
    next_cell_runs(kernel)


def test_a_removed_workspace_is_made_anew(own_kernel, tmp_path):
    kernel = own_kernel(TMPDIR=str(tmp_path))
    kernel.run("let kept = 1;\nfn known() -> i32 { 2 }")
    [workspace] = tmp_path.glob("interleave-*")
    subprocess.run(["rm", "-r", str(workspace)], check=True)
    assert kernel.run("kept + known()").value == "3"
    assert "SIGABRT" in kernel.run("std::process::abort()").error["evalue"]
    assert kernel.run("known()").value == "2"
    assert oct(workspace.stat().st_mode)[-3:] == "700"
    assert Path(workspace, "host.sock").is_socket()


class TestPanicHooks:
    """A hook is called as in a program, and the error of the cell stays complete."""

    def test_the_hook_of_a_cell_is_called_in_that_cell_and_later(self, kernel):
        hook = 'std::panic::set_hook(Box::new(|info| println!("mine: {}", info.payload_as_str().unwrap())));'
        cell = kernel.run(hook + 'panic!("one");')
        assert (cell.stdout, cell.error["ename"]) == ("mine: one\n", "panic")
        cell = kernel.run('panic!("two");')
        assert (cell.stdout, cell.error["evalue"]) == ("mine: two\n", "two")
        assert f"In[{cell.reply['execution_count']}]:1" in cell.traceback

    def test_a_hook_may_call_the_one_before(self, kernel):
        hook = 'let before = std::panic::take_hook(); std::panic::set_hook(Box::new(move |i| { println!("3"); before(i) }));'
        kernel.run(hook)
        cell = kernel.run('panic!("three");')
        assert (cell.stdout, cell.error["evalue"]) == ("3\nmine: three\n", "three")

    def test_a_quiet_hook_silences_threads(self, kernel):
        kernel.run("std::panic::set_hook(Box::new(|_| {}));")
        cell = kernel.run('std::thread::spawn(|| panic!("unheard")).join().is_err()')
        assert (cell.kinds, cell.value) == (["execute_result"], "true")

    def test_without_a_hook_everything_is_as_before(self, kernel):
        kernel.run("drop(std::panic::take_hook());")
        assert kernel.run('panic!("four");').error["evalue"] == "four"
        [panic] = kernel.run('let _ = std::thread::spawn(|| panic!("five")).join();').contents("error")
        assert "five" in panic["evalue"]
