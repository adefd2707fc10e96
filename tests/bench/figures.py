"""What is measured: each function starts kernels of one kind and gives figures by name."""

import statistics
import time
from pathlib import Path

from kernels import Kernel, read_cells

LESSON = read_cells(Path(__file__).with_name("lesson.txt"))
LET = "let shared = std::sync::Arc::new(std::sync::Mutex::new(0));"

# Seconds in which a student reads the first lines.
PAUSE = 5

INFO = "kernel_info answered"
FIRST = "launch to first reply (`1 + 1`)"
FIRST_LET = "first `let`, right after that"
LATER_LET = f"first `let`, {PAUSE} s after that"
MEDIAN = "median lesson cell, first run"
AGAIN = "the same in a new kernel"
AWAIT = "first `.await`"
RAYON = "first `par_iter`"
FRESH = "a cell in a fresh kernel"
FULL = "the same after 100 functions, 20 types, 50 variables"
TEN = "median lesson cell, ten kernels at once"
RESIDENT = "resident after the lesson"
SHARED_OUT = "the same, shared pages in parts"

GOALS = {
    INFO: 0.05,
    FIRST: 0.35,
    FIRST_LET: 0.25,
    LATER_LET: 0.1,
    MEDIAN: 0.3,
    AGAIN: 0.15,
    AWAIT: 0.03,
    TEN: 0.35,
    RESIDENT: 0.6,
}


def start_and_lesson(name):
    """A new kernel, its first cells and a lesson; twice, as by Restart and run all."""
    with Kernel(name) as kernel:
        info = kernel.seconds_to_info
        kernel.finish(kernel.send("1 + 1"))
        first = kernel.seconds_since_launch()
        first_let = kernel.seconds(LET)
    medians = []
    for _ in range(2):
        with Kernel(name) as kernel:
            medians.append(statistics.median(kernel.seconds(cell) for cell in LESSON))
            resident, shared_out = kernel.megabytes()
    return {
        INFO: info,
        FIRST: first,
        FIRST_LET: first_let,
        MEDIAN: medians[0],
        AGAIN: medians[1],
        RESIDENT: resident,
        SHARED_OUT: shared_out,
    }


def let_after_a_pause(name):
    with Kernel(name) as kernel:
        kernel.finish(kernel.send("1 + 1"))
        time.sleep(PAUSE)
        return {LATER_LET: kernel.seconds(LET)}


def first_of_each_crate(name):
    """Stock evcxr has no crate until it is named; tokio it takes by itself."""
    dep = "" if name == "interleave" else ':dep rayon = "1"\n'
    with Kernel(name) as kernel:
        kernel.finish(kernel.send("1 + 1"))
        awaited = kernel.seconds("async fn one() -> i32 { 1 }\nprintln!(\"{}\", one().await);")
    with Kernel(name) as kernel:
        kernel.finish(kernel.send("1 + 1"))
        parallel = "use rayon::prelude::*;\n(1..100u64).into_par_iter().sum::<u64>()"
        return {AWAIT: awaited, RAYON: kernel.seconds(dep + parallel)}


def growth(name):
    """The same cell in a fresh kernel and in a full one; the best of three, since it is only this
    cell that is asked about."""
    cell = "let n{} = 40 + 2; println!(\"{{n{}}}\");"

    def best(kernel, start):
        return min(kernel.seconds(cell.format(n, n)) for n in range(start, start + 3))

    with Kernel(name) as kernel:
        kernel.finish(kernel.send(LET))
        fresh = best(kernel, 0)
        for part in range(10):
            numbers = range(10 * part, 10 * part + 10)
            functions = "\n".join(f"fn f{n}(x: i32) -> i32 {{ x + {n} }}" for n in numbers)
            types = "\n".join(f"#[derive(Debug, Clone)] struct S{n} {{ a: i32, b: String }}" for n in numbers[:2])
            kernel.finish(kernel.send(f"{functions}\n{types}"))
        for part in range(5):
            numbers = range(10 * part, 10 * part + 10)
            kernel.finish(kernel.send("\n".join(f"let v{n} = vec![{n}];" for n in numbers)))
        return {FRESH: fresh, FULL: best(kernel, 3)}


def ten_kernels(name):
    """Ten kernels run the lesson at the same time, each its next cell when the last has ended."""
    kernels = [Kernel(name) for _ in range(10)]
    try:
        for kernel in kernels:
            kernel.finish(kernel.send("1 + 1"))
        seconds = []
        for cell in LESSON:
            starts = [(kernel, time.perf_counter(), kernel.send(cell)) for kernel in kernels]
            for kernel, start, request in starts:
                kernel.finish(request)
                seconds.append(time.perf_counter() - start)
        return {TEN: statistics.median(seconds)}
    finally:
        for kernel in kernels:
            kernel.__exit__()


SHORT = [start_and_lesson]
ALL = [start_and_lesson, let_after_a_pause, first_of_each_crate, growth, ten_kernels]
