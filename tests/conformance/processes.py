"""The processes of a kernel, by a mark in their environment."""

import os
import select
import subprocess
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path

TIMEOUT = 240  # Seconds.


class Processes:
    """Every process that was started with `TMPDIR` as given, held so that its end can be awaited."""

    def __init__(self, directory):
        mark = f"TMPDIR={directory}".encode()
        self._stack = ExitStack()
        self._ends = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    self._watch(int(path.name))
            except (PermissionError, FileNotFoundError, ProcessLookupError):
                continue  # Another user's, or ended meanwhile.

    def _watch(self, pid):
        end = os.pidfd_open(pid)
        self._stack.callback(os.close, end)
        self._ends[end] = pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def __len__(self):
        return len(self._ends)

    def of_program(self, *arguments):
        """Those that were started with these arguments first; the program by its name."""
        return [pid for pid in self._ends.values() if command_line(pid)[: len(arguments)] == [*arguments]]

    def wait(self):
        """Waits until all have ended."""
        for end, pid in self._ends.items():
            ready, _, _ = select.select([end], [], [], TIMEOUT)
            assert ready, f"process {pid} lives on: {Path(f'/proc/{pid}/cmdline').read_bytes()}"


def descendants(pid):
    """The processes below one: their numbers, those of their parents, their names."""
    listing = subprocess.check_output(["ps", "-e", "-o", "pid=,ppid=,comm="], text=True)
    children = defaultdict(list)
    for line in listing.splitlines():
        child, parent, name = line.split(None, 2)
        children[int(parent)].append((int(child), int(parent), name))
    below = list(children[pid])
    for child, _, _ in below:
        below.extend(children[child])
    return below


def command_line(pid):
    """The words that started a process, without the directory of the program; none if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [Path(words[0]).name, *words[1:]]
