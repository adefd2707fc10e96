"""A running kernel and what can be measured of it from outside."""

import time
from pathlib import Path

from jupyter_client.manager import KernelManager

TIMEOUT = 600  # Seconds; stock evcxr builds tokio within one cell.


class Kernel:
    """A kernel, with the seconds that its start took."""

    def __init__(self, name):
        self._launched = time.perf_counter()
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT)
        self.seconds_to_info = self.seconds_since_launch()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def seconds_since_launch(self):
        return time.perf_counter() - self._launched

    def send(self, code):
        """Sends a cell and gives the name of the request."""
        return self.client.execute(code, allow_stdin=False)

    def finish(self, request):
        """Waits for the end of a cell, which must not fail."""
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "error":
                raise SystemExit("\n".join(message["content"]["traceback"]))
            if message["content"].get("execution_state") == "idle":
                break
        self.client.get_shell_msg(timeout=TIMEOUT)

    def seconds(self, code):
        """How long a cell takes, from its request to `idle`."""
        start = time.perf_counter()
        self.finish(self.send(code))
        return time.perf_counter() - start

    def megabytes(self):
        """Resident memory of all processes of the kernel; and the same with each shared page counted
        in equal parts for those that share it."""
        resident = shared_out = 0
        for pid in tree(self.manager.provisioner.pid):
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # It has ended.
            sizes = dict(line.split()[:2] for line in rollup.splitlines()[1:])
            resident += int(sizes["Rss:"])
            shared_out += int(sizes["Pss:"])
        return resident / 1024, shared_out / 1024


def tree(pid):
    """A process and all below it."""
    children = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children += file.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return [pid] + [below for child in children for below in tree(int(child))]


def read_cells(file):
    """The cells of a file, which stand between lines `//---`."""
    return file.read_text().rstrip("\n").split("\n//---\n")
