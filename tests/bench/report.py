"""Writes what was measured for people."""

import datetime
import os
import statistics
import subprocess
from pathlib import Path

import figures

RESULTS = Path(__file__).with_name("RESULTS.md")


def table(found, ours, stock):
    """Medians, with the least and the most; the ratio of the medians, its goal, and how near it is."""
    lines = ["| figure | interleave | stock evcxr | ratio | goal | |", "|---|---|---|---|---|---|"]
    rows = dict.fromkeys(figure for one in found.values() for figure in [*one.values, *one.reasons])
    for figure in rows:
        columns = [cell(found[name], figure) if name in found else "" for name in (ours, stock)]
        ratio = ratio_of(found, figure, ours, stock)
        goal = figures.GOALS.get(figure)
        lines.append(
            f"| {figure} | {' | '.join(columns)} | {'' if ratio is None else f'{ratio:.3f}'} "
            f"| {f'≤ {goal}' if goal else ''} | {'' if ratio is None else judgement(ratio, goal)} |"
        )
    return "\n".join(lines) + "\n"


def cell(found, figure):
    values = found.values.get(figure)
    if values:
        return spread(values, "MB" if figure in figures.IN_MEGABYTES else "s")
    return f"– ({found.reasons[figure]})" if figure in found.reasons else "–"


def ratio_of(found, figure, ours, stock):
    values = [found[name].values.get(figure) if name in found else None for name in (ours, stock)]
    return statistics.median(values[0]) / statistics.median(values[1]) if all(values) else None


def judgement(ratio, goal):
    if ratio <= (goal or figures.NO_SLOWER):
        return "reached" if goal else "better"
    return f"{ratio / goal:.2f} × the goal" if goal else "**worse**"


def spread(values, unit):
    places = 0 if unit == "MB" else 3
    low, middle, high = (f"{value:.{places}f}" for value in (min(values), statistics.median(values), max(values)))
    return f"{middle} {unit} ({low}–{high})"


def machine():
    """Asked before anything is measured."""
    cpu = next(line.split(":")[1].strip() for line in read("/proc/cpuinfo").splitlines() if "model name" in line)
    memory = int(read("/proc/meminfo").split()[1]) / 2**20
    system = next(line.split('"')[1] for line in read("/etc/os-release").splitlines() if line.startswith("PRETTY_NAME"))
    load = os.getloadavg()[0]
    return f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB; {system}; load before the start: {load:.1f}"


def write(rounds, machine, table_text, found, ours, stock, floor):
    commit = output("git", "describe", "--always", "--dirty")
    few = {measure.__name__: most for measure, most in figures.ROUNDS_AT_MOST.items() if most < rounds}
    fewer = ", ".join(f"`{name}` {most}" for name, most in few.items())
    text = f"""# How fast Interleave is

Written by `tests/bench/run` on {datetime.date.today()}. Medians of {rounds} rounds, both kernels in turn{f" ({fewer})" if few else ""};
in parentheses the least and the most. Each figure is explained in `figures.py`; the lesson is `lesson.txt`.

- {machine}
- Interleave at {commit}; evcxr_jupyter 0.22; {output("rustc", "--version")}

{table_text}
{growth(found, (ours, stock))}{limit(found, ours, floor)}"""
    RESULTS.write_text(text)


def growth(found, names):
    ratios = []
    for name in names:
        values = found[name].values if name in found else {}
        if figures.FULL in values:
            ratios.append(statistics.median(values[figures.FULL]) / statistics.median(values[figures.FRESH]))
    if not ratios:
        return ""
    words = f"A cell in a full kernel takes {ratios[0]:.2f} times what it takes in a fresh one"
    words += f" (goal: at most {figures.GROWTH_GOAL}"
    return words + (f"; stock: {ratios[1]:.2f}).\n" if len(ratios) > 1 else ").\n")


def limit(found, ours, floor):
    median = found[ours].values.get(figures.MEDIAN)
    parts = "; ".join(f"{name}: {1000 * seconds:.0f} ms" for name, seconds in floor.items())
    words = f"The limit of a new cell is rustc, called by hand on one statement: {parts}."
    if median:
        words += f" The median lesson cell takes {statistics.median(median) / max(floor.values()):.1f} times the latter."
    return words + "\n"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=RESULTS.parent).stdout.strip()


def read(path):
    return Path(path).read_text()
