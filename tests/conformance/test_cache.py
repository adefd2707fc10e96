"""What rustc made of a cell serves the next kernel, which then shows the same, byte for byte."""

import re

import pytest

from kernel_client import Kernel

CELLS = [
    "1 + 1",
    "#[derive(Debug, Clone)]\nstruct Point {\n    x: i32,\n}",
    "fn risky(number: i32) -> i32 {\n    if number > 1 { panic!(\"too much: {number}\") }\n    number\n}",
    "fn other() -> Point { Point { x: 2 } }\nimpl Point { fn double(&self) -> i32 { 2 * self.x } }",
    "use std::sync::Mutex;\nstatic SUM: Mutex<i32> = Mutex::new(0);",
    "let point = other();\nlet numbers = vec![1, 2];\nlet text = String::from(\"é\");",
    "*SUM.lock().unwrap() += point.double();\nprintln!(\"{point:?} {text} {}\", SUM.lock().unwrap());",
    # A variable that is moved: rustc refuses what evcxr tries first.
    "let moved = numbers; moved.len()",
    "fn warned() {\n    let unused = 1;\n}",
    "let handle = std::thread::spawn(|| { risky(1); println!(\"é\"); risky(2) });\nhandle.join().is_err()",
    "risky(3)",
    "numbers",
    "println!(\"{}:{}\", file!(), line!());",
]


def shown(kernel):
    """All that the cells show, in order, without what no two kernels have in common."""
    seen = []
    for cell in CELLS:
        execution = kernel.run(cell)
        status = {key: value for key, value in execution.reply.items() if key in ("status", "ename", "evalue")}
        outputs = [(message["msg_type"], without_numbers(message["content"])) for message in execution.outputs]
        seen.append((cell, status, outputs))
    return seen


def without_numbers(content):
    """Numbers of threads are the system's."""
    text = re.sub(r"(thread \S* ?)\(\d+\)", r"\1(N)", repr(content))
    return re.sub(r"'display_id': '[^']*'", "", text)


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cells"


def entries(cache):
    """Each entry, and when it was written; without that of its use."""
    return {path.name: path.read_bytes() for path in cache.iterdir()}


def test_a_kernel_shows_the_same_from_memory_and_without(cache):
    with Kernel({"INTERLEAVE_CACHE": str(cache)}) as kernel:
        first = shown(kernel)
    made = entries(cache)
    assert len(made) > len(CELLS)
    with Kernel({"INTERLEAVE_CACHE": str(cache)}) as kernel:
        second = shown(kernel)
    # Everything was found: nothing had to be made.
    assert entries(cache) == made
    with Kernel({"INTERLEAVE_CACHE": "off"}) as kernel:
        without = shown(kernel)
    for one, two, three in zip(first, second, without, strict=True):
        assert one == two == three


def test_a_damaged_entry_is_made_again(cache):
    with Kernel({"INTERLEAVE_CACHE": str(cache)}) as kernel:
        assert kernel.run("40 + 2").value == "42"
    made = entries(cache)
    for path in cache.iterdir():
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)
    with Kernel({"INTERLEAVE_CACHE": str(cache)}) as kernel:
        assert kernel.run("40 + 2").value == "42"
    assert set(entries(cache)) == set(made)


def test_what_a_cell_reads_while_it_is_compiled_is_read_each_time(cache, tmp_path):
    file = tmp_path / "words.txt"
    cell = f'println!("{{}} {{:?}}", include_str!("{file}"), option_env!("WORDS"));'
    for words, variable in [("one", "a"), ("two", "a"), ("two", "b")]:
        file.write_text(words)
        with Kernel({"INTERLEAVE_CACHE": str(cache), "WORDS": variable}) as kernel:
            assert kernel.run(cell).stdout == f'{words} Some("{variable}")\n'


def test_kernels_that_start_together_share_one_memory(cache):
    kernels = [Kernel({"INTERLEAVE_CACHE": str(cache)}) for _ in range(3)]
    try:
        for cell in ["let numbers = vec![1, 2];", "numbers.iter().sum::<i32>()"]:
            requests = [(kernel, kernel.send(cell)) for kernel in kernels]
            executions = [kernel.finish(request) for kernel, request in requests]
        assert [execution.value for execution in executions] == ["3"] * 3
    finally:
        for kernel in kernels:
            kernel.close()


def test_others_cannot_read_it(cache):
    with Kernel({"INTERLEAVE_CACHE": str(cache)}) as kernel:
        kernel.run("1")
    assert cache.stat().st_mode & 0o777 == 0o700
    # What others could have written is not run.
    cache.chmod(0o777)
    before = entries(cache)
    with Kernel({"INTERLEAVE_CACHE": str(cache)}) as kernel:
        assert kernel.run("2").value == "2"
    assert entries(cache) == before
