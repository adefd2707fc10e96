"""What is measured: each function starts kernels of one kind and gives figures by name."""

import statistics
import time
from contextlib import ExitStack
from pathlib import Path

from kernels import Failed, Kernel, read_cells

LESSON = read_cells(Path(__file__).with_name("lesson.txt"))
LET = "let shared = std::sync::Arc::new(std::sync::Mutex::new(0));"

# Seconds in which a student reads the first lines.
PAUSE = 5
MANY = 10

INFO = "kernel_info answered"
FIRST = "launch to first reply (`1 + 1`)"
FIRST_LET = "first `let`, right after that"
LATER_LET = f"first `let`, {PAUSE} s after that"
MEDIAN = "median lesson cell, first run"
AGAIN = "the same in a new kernel"
WORK = "processor time of the lesson"
AWAIT = "first `.await`"
TOKIO = "first `tokio::spawn`"
RAYON = "first `par_iter`"
CROSSBEAM = "first `crossbeam::channel`"
FRESH = "a cell in a fresh kernel"
FULL = "the same after 100 functions, 20 types, 50 variables"
TEN = "median lesson cell, ten kernels at once"
RESIDENT = "resident after the lesson"
SHARED_OUT = "the same, shared pages in parts"
FURTHER = "each further kernel, shared pages in parts"

# Ours by stock's.
GOALS = {
    INFO: 0.05,
    FIRST: 0.35,
    FIRST_LET: 0.25,
    LATER_LET: 0.1,
    MEDIAN: 0.3,
    AGAIN: 0.15,
    AWAIT: 0.03,
    TOKIO: 0.03,
    RAYON: 0.03,
    CROSSBEAM: 0.03,
    TEN: 0.35,
    RESIDENT: 0.6,
}
# Rows without a goal of their own must not be slower than stock.
NO_SLOWER = 1.0
GROWTH_GOAL = 1.5
IN_MEGABYTES = {RESIDENT, SHARED_OUT, FURTHER}


def start(name):
    """A new kernel, its first cell and its first `let`."""
    with Kernel(name) as kernel:
        kernel.run("1 + 1")
        first = kernel.seconds_since_launch()
        return {INFO: kernel.seconds_to_info, FIRST: first, FIRST_LET: kernel.seconds(LET)}


def lesson(name):
    """A lesson; twice, as by Restart and run all. The first must not know the cells of rounds before
    it, so each round has other ones: a comment makes the difference."""
    mark = f"// {time.time_ns()}\n"
    cells = [mark + cell for cell in LESSON]
    medians, work = [], []
    for _ in range(2):
        with Kernel(name) as kernel:
            before = kernel.processor_seconds()
            medians.append(statistics.median(kernel.seconds(cell) for cell in cells))
            work.append(kernel.processor_seconds() - before)
            resident, shared_out = kernel.megabytes()
    return {
        MEDIAN: medians[0],
        AGAIN: medians[1],
        WORK: work[0],
        RESIDENT: resident,
        SHARED_OUT: shared_out,
    }


def let_after_a_pause(name):
    with Kernel(name) as kernel:
        kernel.run("1 + 1")
        time.sleep(PAUSE)
        return {LATER_LET: kernel.seconds(LET)}


def first_of_each_crate(name):
    """Stock evcxr has no crate until it is named; for `.await` it takes tokio by itself."""
    cells = {
        AWAIT: ("", 'async fn one() -> i32 { 1 }\nprintln!("{}", one().await);'),
        TOKIO: (
            ':dep tokio = { version = "1", features = ["full"] }\n',
            "let started = tokio::runtime::Runtime::new().unwrap().spawn(async { 1 });",
        ),
        RAYON: (':dep rayon = "1"\n', "use rayon::prelude::*;\n(1..100u64).into_par_iter().sum::<u64>()"),
        CROSSBEAM: (':dep crossbeam = "0.8"\n', "let (s, r) = crossbeam::channel::unbounded::<i32>();"),
    }
    found = {}
    for figure, (dep, cell) in cells.items():
        try:
            with Kernel(name) as kernel:
                kernel.run("1 + 1")
                found[figure] = kernel.seconds(cell if name == "interleave" else dep + cell)
        except Failed as reason:
            found[figure] = reason
    return found


def growth(name):
    """The same cell in a fresh kernel and in a full one; the best of three, since it is only this
    cell that is asked about. A number in it makes it a new one each time."""
    cell = "let n{0} = {1} + 2; println!(\"{{n{0}}}\");"
    mark = time.time_ns() % 1_000_000

    def best(kernel, start):
        return min(kernel.seconds(cell.format(n, mark + n)) for n in range(start, start + 3))

    with Kernel(name) as kernel:
        kernel.run(LET)
        fresh = best(kernel, 0)
        for part in range(10):
            numbers = range(10 * part, 10 * part + 10)
            functions = "\n".join(f"fn f{n}(x: i32) -> i32 {{ x + {n} }}" for n in numbers)
            types = "\n".join(f"#[derive(Debug, Clone)] struct S{n} {{ a: i32, b: String }}" for n in numbers[::5])
            kernel.run(f"{functions}\n{types}")
        for part in range(5):
            numbers = range(10 * part, 10 * part + 10)
            kernel.run("\n".join(f"let v{n}: Vec<i32> = vec![{n}];" for n in numbers))
        return {FRESH: fresh, FULL: best(kernel, 3)}


def many_kernels(name):
    """Ten kernels run the lesson at the same time, each its next cell when all have ended the last."""
    mark = time.time_ns()
    with ExitStack() as stack:
        kernels = [stack.enter_context(Kernel(name)) for _ in range(MANY)]
        for kernel in kernels:
            kernel.run("1 + 1")
        seconds = []
        for cell in LESSON:
            # A class whose students all write something else.
            starts = [
                (kernel, time.perf_counter(), kernel.send(f"// {mark} {number}\n{cell}"))
                for number, kernel in enumerate(kernels)
            ]
            for kernel, begun, request in starts:
                kernel.finish(request)
                seconds.append(time.perf_counter() - begun)
        return {TEN: statistics.median(seconds)}


def further_kernels(name):
    """What a third kernel adds to the memory of two, when all have run the lesson."""
    with ExitStack() as stack:
        kernels, whole = [], []
        for _ in range(3):
            kernels.append(stack.enter_context(Kernel(name)))
            for cell in LESSON:
                kernels[-1].run(cell)
            whole.append(sum(kernel.megabytes()[1] for kernel in kernels))
        return {FURTHER: whole[2] - whole[1]}


# What each gives.
FIGURES = {
    start: [INFO, FIRST, FIRST_LET],
    lesson: [MEDIAN, AGAIN, WORK, RESIDENT, SHARED_OUT],
    let_after_a_pause: [LATER_LET],
    growth: [FRESH, FULL],
    first_of_each_crate: [AWAIT, TOKIO, RAYON, CROSSBEAM],
    many_kernels: [TEN],
    further_kernels: [FURTHER],
}
ALL = list(FIGURES)
SHORT = [start, lesson]
# Minutes of stock evcxr each, and hardly different from round to round.
ROUNDS_AT_MOST = {first_of_each_crate: 2, many_kernels: 2, further_kernels: 1}
