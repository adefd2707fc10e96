"""Measures Interleave beside stock evcxr_jupyter, in turn, and writes the table to RESULTS.md.

Run it on a machine with nothing else to do. Stock evcxr is measured where its kernel is installed:

    cargo install --locked evcxr_jupyter
    evcxr_jupyter --install
"""

import argparse
import os
import tempfile
import time
from collections import defaultdict

from jupyter_client.kernelspec import KernelSpecManager

import figures
import floor
import report
from kernels import Failed

OURS, STOCK = "interleave", "rust"


def main():
    arguments = parse()
    names = [OURS]
    if not arguments.short:
        if STOCK in KernelSpecManager().find_kernel_specs():
            names.append(STOCK)
        else:
            print("stock evcxr is not installed, see --help: ours alone\n")
    measures = figures.SHORT if arguments.short else figures.ALL
    if arguments.rows:
        measures = [measure for measure in figures.ALL if measure.__name__ in arguments.rows]
    machine = report.machine()
    deadline = time.monotonic() + 60 * arguments.minutes
    found = measure_all(names, measures, 1 if arguments.short else arguments.n, deadline)
    text = report.table(found, OURS, STOCK)
    print(text)
    failed = {figure: why for figure, why in found[OURS].reasons.items() if not found[OURS].values.get(figure)}
    if not arguments.short and not arguments.rows:
        report.write(arguments.n, machine, text, found, OURS, STOCK, floor.measure())
    if failed:
        raise SystemExit("\n".join(f"{figure}: {reason}" for figure, reason in failed.items()))


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=5, metavar="ROUNDS", help="how often to measure each kernel [5]")
    parser.add_argument("--short", action="store_true", help="a part, once, ours alone; writes nothing")
    rows = [measure.__name__ for measure in figures.ALL]
    parser.add_argument("--rows", nargs="+", choices=rows, metavar="NAME", help=f"only these: {', '.join(rows)}")
    parser.add_argument("--minutes", type=float, default=25, help="begin nothing after this time [25]")
    return parser.parse_args()


class Found:
    """What was measured of one kernel: values, or why there are none."""

    def __init__(self):
        self.values = defaultdict(list)
        self.reasons = {}

    def add(self, figure, value):
        if isinstance(value, Failed):
            self.reasons.setdefault(figure, str(value))
        else:
            self.values[figure].append(value)


def measure_all(names, measures, rounds, deadline):
    """Both kernels in turn, round by round. What fails once is not tried again: a kernel that hangs
    would hang for minutes each time."""
    found = {name: Found() for name in names}
    given_up = set()
    for number in range(rounds):
        for measure in measures:
            if number >= figures.ROUNDS_AT_MOST.get(measure, rounds):
                continue
            for name in names:
                if (measure, name) in given_up:
                    continue
                if time.monotonic() > deadline:
                    for figure in figures.FIGURES[measure]:
                        found[name].add(figure, Failed("no time was left"))
                    continue
                print(f"round {number + 1}: {measure.__name__} of {name}", flush=True)
                try:
                    for figure, value in with_nothing_remembered(measure, name).items():
                        found[name].add(figure, value)
                        if isinstance(value, Failed):
                            given_up.add((measure, name))
                except Failed as reason:
                    given_up.add((measure, name))
                    for figure in figures.FIGURES[measure]:
                        found[name].add(figure, reason)
    return found


def with_nothing_remembered(measure, name):
    """What a kernel remembers of compiled cells, it has learned within this measure: only "the same in a
    new kernel" finds something."""
    with tempfile.TemporaryDirectory() as directory:
        os.environ["INTERLEAVE_CACHE"] = os.path.join(directory, "cells")
        return measure(name)


if __name__ == "__main__":
    main()
