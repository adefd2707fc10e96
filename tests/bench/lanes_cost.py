"""Measures what noting events for lanes costs a cell: the same cells in turn with and without, in one
kernel.

Each cell says itself how long it took, and what all threads of its process computed meanwhile, those of
Interleave too. The goals are for the latter, which other work on the machine touches less. Neither compiling
nor drawing counts.
"""

import argparse
import re
import statistics

from kernels import Failed, Kernel

COMMON = """
use std::{hint::black_box, sync::{Arc, Mutex}, thread, time::Instant};

unsafe extern "C" { fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32; }

/// What all threads of the process have computed, in nanoseconds.
fn computed() -> i64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut time = [0; 2];
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time[0] * 1_000_000_000 + time[1]
}
"""

# Name: (goal, how often the work is done, a cell). The cell prints the nanoseconds that it took and computed.
CELLS = {
    "locks that nobody contends for, and arithmetic": (
        1.02,
        3_000_000,
        """
let total = Mutex::new(0_u64);
let (start, before) = (Instant::now(), computed());
for n in 0..{times}_u64 {{ *total.lock().unwrap() += black_box(n) ^ (n >> 3); }}
println!("took {{}} {{}}", start.elapsed().as_nanos(), computed() - before);
""",
    ),
    "a thread is spawned and joined": (
        1.2,
        2000,
        """
let (start, before) = (Instant::now(), computed());
for n in 0..{times}_u64 {{ assert_eq!(thread::spawn(move || black_box(n)).join().unwrap(), n); }}
println!("took {{}} {{}}", start.elapsed().as_nanos(), computed() - before);
""",
    ),
    "a line is printed": (
        None,
        2000,
        """
let (start, before) = (Instant::now(), computed());
for n in 0..{times}_u64 {{ println!("line {{n}}"); }}
println!("took {{}} {{}}", start.elapsed().as_nanos(), computed() - before);
""",
    ),
    "a lock that two threads fight for": (
        None,
        100_000,
        """
let total = Arc::new(Mutex::new(0_u64));
let (start, before) = (Instant::now(), computed());
let threads = [(); 2].map(|()| {{
    let total = Arc::clone(&total);
    thread::spawn(move || for n in 0..{times}_u64 {{ *total.lock().unwrap() += black_box(n); }})
}});
threads.into_iter().for_each(|thread| thread.join().unwrap());
println!("took {{}} {{}}", start.elapsed().as_nanos(), computed() - before);
""",
    ),
    "a task of tokio is spawned and awaited": (
        None,
        2000,
        """
let (start, before) = (Instant::now(), computed());
for n in 0..{times}_u64 {{ assert_eq!(tokio::spawn(async move {{ black_box(n) }}).await.unwrap(), n); }}
println!("took {{}} {{}}", start.elapsed().as_nanos(), computed() - before);
""",
    ),
}


def main():
    parser = argparse.ArgumentParser(prog="run --trace", description=__doc__)
    parser.add_argument("-n", type=int, default=15, metavar="ROUNDS", help="how often to run each cell both ways [15]")
    parser.add_argument("--only", metavar="WORD", default="", help="only what has this word in its name")
    arguments = parser.parse_args()
    names = [name for name in CELLS if arguments.only in name]
    found = {name: {True: [], False: []} for name in names}
    with Speaking("interleave") as kernel:
        kernel.run(COMMON)
        for number in range(arguments.n + 1):
            # First one way, then the other, so that what grows with time counts for both.
            for is_on in (True, False) if number % 2 else (False, True):
                kernel.run(":lanes auto" if is_on else ":lanes off")
                for name in names:
                    took = kernel.took(name)
                    if number:  # The first round warms up.
                        found[name][is_on].append(took)
    print(table(found))
    missed = [name for name in names if CELLS[name][0] and ratio(found[name], COMPUTED) > CELLS[name][0]]
    if missed:
        raise SystemExit(f"beyond the goal: {'; '.join(missed)}")


WALL, COMPUTED = 0, 1


class Speaking(Kernel):
    """A kernel whose cells say how long they took."""

    def took(self, name):
        """Nanoseconds of one piece of work: that passed, and that were computed."""
        _, times, code = CELLS[name]
        request = self.send(code.format(times=times))
        text = ""
        while True:
            message = self._get(self.client.get_iopub_msg, 60)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                text += content["text"]
            if message["msg_type"] == "error":
                raise Failed(content["evalue"])
            if content.get("execution_state") == "idle":
                break
        self._get(self.client.get_shell_msg, 60)
        return [int(number) / times for number in re.search(r"took (\d+) (\d+)", text).groups()]


def table(found):
    """Medians, with the least and the most; and the ratios of the medians beside the goal."""
    lines = ["| what | computed, noted | not noted | ratio | goal | ratio of the time that passed |", "|---|---|---|---|---|---|"]
    for name, ways in found.items():
        goal = f"≤ {CELLS[name][0]}" if CELLS[name][0] else ""
        on, off = (spread(value[COMPUTED] for value in ways[is_on]) for is_on in (True, False))
        ratios = [ratio(ways, which) for which in (COMPUTED, WALL)]
        lines.append(f"| {name} | {on} | {off} | {ratios[0]:.3f} | {goal} | {ratios[1]:.3f} |")
    return "\n".join(lines)


def spread(values):
    values = sorted(values)
    return f"{statistics.median(values):.0f} ns ({values[0]:.0f}–{values[-1]:.0f})"


def ratio(ways, which):
    on, off = (statistics.median(value[which] for value in ways[is_on]) for is_on in (True, False))
    return on / off


if __name__ == "__main__":
    main()
