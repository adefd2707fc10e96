"""A running kernel and what can be measured of it from outside."""

import os
import queue
import time
from pathlib import Path

from jupyter_client.manager import KernelManager

START = 120  # Seconds for a kernel to answer at all.
CELL = 180  # Seconds for a cell; stock evcxr builds tokio within one.
TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A kernel did not do what is measured. Says why."""


class Kernel:
    """A kernel, with the seconds that its start took."""

    def __init__(self, name):
        self._launched = time.perf_counter()
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel()
        self.client = self.manager.client()
        try:
            self.client.start_channels()
            self.seconds_to_info = self._wait_until_it_answers()
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def _wait_until_it_answers(self):
        """Seconds from the launch to the first reply. Then the kernel's broadcasts arrive, too:
        a message of the same request has."""
        answered = None
        while True:
            request = self.client.kernel_info()
            reply = self._get(self.client.get_shell_msg, START)
            answered = answered or self.seconds_since_launch()
            if reply["parent_header"].get("msg_id") != request:
                continue
            try:
                self.client.get_iopub_msg(timeout=1)
                return answered
            except queue.Empty:
                continue

    def seconds_since_launch(self):
        return time.perf_counter() - self._launched

    def send(self, code):
        """Sends a cell and gives the name of the request."""
        return self.client.execute(code, allow_stdin=False)

    def finish(self, request):
        """Waits for the end of a cell, which must not fail."""
        failure = None
        while True:
            message = self._get(self.client.get_iopub_msg, CELL)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "error":
                failure = message["content"]["evalue"] or message["content"]["ename"]
            if message["content"].get("execution_state") == "idle":
                break
        self._get(self.client.get_shell_msg, CELL)
        if failure:
            raise Failed(f"a cell failed: {failure.splitlines()[0]}")

    def _get(self, get, seconds):
        """The next message, as long as the kernel lives."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                return get(timeout=1)
            except queue.Empty:
                if not self.manager.is_alive():
                    raise Failed("the kernel ended by itself") from None
        raise Failed(f"no answer within {seconds} s")

    def run(self, code):
        self.finish(self.send(code))

    def seconds(self, code):
        """How long a cell takes, from its request to `idle`."""
        start = time.perf_counter()
        self.run(code)
        return time.perf_counter() - start

    def processor_seconds(self):
        """What all processes of the kernel have computed, and those that have ended: less touched by
        what else the machine does than the time that passed."""
        return sum(processor_seconds(pid) for pid in tree(self.manager.provisioner.pid))

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


def processor_seconds(pid):
    """See proc_pid_stat(5): utime, stime, and the same of children that were waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(field) for field in fields[11:15]) / TICKS


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
