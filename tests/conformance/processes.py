"""The processes of a kernel, by a mark in their environment."""

import os
import select
from contextlib import ExitStack
from pathlib import Path

TIMEOUT = 60  # Seconds.


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

    def wait(self):
        """Waits until all have ended."""
        for end, pid in self._ends.items():
            ready, _, _ = select.select([end], [], [], TIMEOUT)
            assert ready, f"process {pid} lives on: {Path(f'/proc/{pid}/cmdline').read_bytes()}"
