"""Measures Interleave beside stock evcxr_jupyter, in turn, and writes the table to RESULTS.md.

Run it on a machine with nothing else to do. Stock evcxr is measured where its kernel is installed:

    cargo install --locked evcxr_jupyter
    evcxr_jupyter --install
"""

import argparse
import datetime
import os
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager

import figures

OURS, STOCK = "interleave", "rust"
RESULTS = Path(__file__).with_name("RESULTS.md")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", type=int, default=5, metavar="ROUNDS", help="how often to measure each kernel [5]")
    parser.add_argument("--short", action="store_true", help="a part, once, ours alone; writes nothing")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this function of figures.py")
    arguments = parser.parse_args()

    names = [OURS]
    if not arguments.short:
        if STOCK in KernelSpecManager().find_kernel_specs():
            names.append(STOCK)
        else:
            print("stock evcxr is not installed, see --help: ours alone\n")
    measures = figures.SHORT if arguments.short else figures.ALL
    if arguments.only:
        measures = [getattr(figures, name) for name in arguments.only]
    found = {name: defaultdict(list) for name in names}
    for _ in range(1 if arguments.short else arguments.n):
        for measure in measures:
            for name in names:
                for figure, value in measure(name).items():
                    found[name][figure].append(value)
    text = table(found)
    print(text)
    if not arguments.short and not arguments.only:
        RESULTS.write_text(f"{preface(arguments.n)}\n{text}\n{closing(found)}")


def table(found):
    """Medians, with the least and the most; and the ratio of the medians beside its goal."""
    lines = ["| figure | interleave | stock evcxr | ratio | goal |", "|---|---|---|---|---|"]
    for figure, ours in found[OURS].items():
        unit = "MB" if "resident" in figure or "shared" in figure else "s"
        stock = found.get(STOCK, {}).get(figure)
        ratio = f"{statistics.median(ours) / statistics.median(stock):.3f}" if stock else ""
        goal = f"≤ {figures.GOALS[figure]}" if figure in figures.GOALS else ""
        lines.append(f"| {figure} | {spread(ours, unit)} | {spread(stock, unit)} | {ratio} | {goal} |")
    return "\n".join(lines) + "\n"


def spread(values, unit):
    if not values:
        return ""
    places = 0 if unit == "MB" else 3
    low, middle, high = (f"{value:.{places}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} {unit} ({low}–{high})"


def preface(rounds):
    cpu = next(line.split(":")[1].strip() for line in read("/proc/cpuinfo").splitlines() if "model name" in line)
    memory = int(read("/proc/meminfo").split()[1]) / 2**20
    system = next(line.split('"')[1] for line in read("/etc/os-release").splitlines() if line.startswith("PRETTY_NAME"))
    rustc = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True, cwd=RESULTS.parent
    ).stdout.strip()
    return f"""# How fast Interleave is

Written by `tests/bench/run` on {datetime.date.today()}. Medians of {rounds} rounds, in turn; in parentheses the
least and the most. Each figure is explained in `figures.py`; the lesson is `lesson.txt`.

- {cpu}, {os.cpu_count()} cores, {memory:.0f} GB; {system}; load before the start: {os.getloadavg()[2]:.1f}
- Interleave at {commit}; evcxr_jupyter 0.22; {rustc}
"""


def closing(found):
    growth = [found[name] for name in found if figures.FULL in found[name]]
    ratios = [statistics.median(one[figures.FULL]) / statistics.median(one[figures.FRESH]) for one in growth]
    if not ratios:
        return ""
    words = f"A cell in a full kernel takes {ratios[0]:.2f} times what it takes in a fresh one (goal: at most 1.5"
    return words + (f"; stock: {ratios[1]:.2f}).\n" if len(ratios) > 1 else ").\n")


def read(path):
    return Path(path).read_text()


if __name__ == "__main__":
    main()
