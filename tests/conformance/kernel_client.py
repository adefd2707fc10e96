"""A kernel and a strict client: every message must be valid, and belongs to the request it names."""

import json
import os
import re
import time
from collections import defaultdict, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Empty

from jupyter_client.manager import KernelManager
from jupyter_kernel_test.msgspec_v5 import validate_message

TIMEOUT = 240  # Seconds after which a test fails. Nothing waits for a time to pass.
ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def is_lanes(message):
    """Whether it shows what the threads of a cell did: that is beside what the cell shows itself."""
    return "interleave" in message["content"].get("metadata", {})


@dataclass
class Execution:
    """What one cell answered."""

    reply: dict
    outputs: list
    lanes: list = field(default_factory=list)

    def contents(self, kind):
        """The contents of the outputs of one type, in order."""
        return [message["content"] for message in self.outputs if message["msg_type"] == kind]

    def text(self, stream):
        """All that was written to `stdout` or `stderr`."""
        streams = self.contents("stream")
        return "".join(content["text"] for content in streams if content["name"] == stream)

    @property
    def stdout(self):
        return self.text("stdout")

    @property
    def stderr(self):
        return self.text("stderr")

    @property
    def kinds(self):
        """The types of the outputs, in order."""
        return [message["msg_type"] for message in self.outputs]

    @property
    def value(self):
        """The text of the cell's value. It must have one."""
        results = self.contents("execute_result")
        assert len(results) == 1, f"not one value: {self.outputs}, {self.reply}"
        [result] = results
        return result["data"]["text/plain"]

    @property
    def error(self):
        """The content of the error that the cell showed. The reply must say the same."""
        errors = self.contents("error")
        assert len(errors) == 1, f"not one error: {self.outputs}, {self.reply}"
        [error] = errors
        assert self.reply["status"] == "error"
        assert {key: self.reply[key] for key in error} == error
        return error

    @property
    def traceback(self):
        """The error's traceback, without colours."""
        return ANSI_COLOUR.sub("", "\n".join(self.error["traceback"]))


class Kernel:
    """A running kernel. Reads each request's messages on their own, whatever comes in between."""

    def __init__(self, environment=None, prefix=()):
        """`prefix`: a command that is to start the kernel."""
        self.manager = KernelManager(kernel_name="interleave", shutdown_wait_time=TIMEOUT)
        self.manager.kernel_spec.argv[:0] = prefix
        self.manager.start_kernel(env={**os.environ, **(environment or {})})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT)
        self._unread = defaultdict(deque)
        self._lanes = defaultdict(list)
        self._hangs = False
        # Not where requests are wrong: the schema says nothing of what answers those.
        self.is_strict = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the kernel, if it has not ended yet."""
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel()

    @property
    def pid(self):
        return self.manager.provisioner.pid

    def run(self, code, **options):
        """Runs a cell to its end."""
        return self.finish(self.send(code, **options))

    def send(self, code, **options):
        """Sends a cell and gives the name of the request."""
        return self.client.execute(code, **{"allow_stdin": False, **options})

    def send_message(self, channel, kind, content):
        """Sends any message, its content in JSON, on `shell` or `control`, and gives its name."""
        message = self.client.session.msg(kind, json.dumps(content).encode())
        getattr(self.client, f"{channel}_channel").send(message)
        return message["header"]["msg_id"]

    def finish(self, request):
        """Reads the rest of a cell: its outputs up to `idle`, which must be last, and its reply."""
        outputs = []
        while (message := self.published(request))["content"].get("execution_state") != "idle":
            outputs.append(message)
        outputs = [message for message in outputs if message["msg_type"] not in ("status", "execute_input")]
        return Execution(self.reply(request), outputs, self._lanes[request])

    def published(self, request):
        """The next message about a request on iopub."""
        return self._next("iopub", request)

    def published_text(self, request, text):
        """Reads a request's messages until the streams have said a text."""
        said = ""
        while text not in said:
            message = self.published(request)
            assert message["content"].get("execution_state") != "idle", f"the cell ended after {said!r}"
            said += message["content"].get("text", "")

    def reply(self, request, channel="shell"):
        """The content of the reply to a request."""
        return self._next(channel, request)["content"]

    def question(self, request):
        """What a cell asks the front end for."""
        message = self._next("stdin", request)
        assert message["msg_type"] == "input_request"
        return message["content"]

    def ask(self, kind, *arguments, **options):
        """Sends another request (`complete`, `inspect`, …) by the client's method of that name."""
        return self.reply(getattr(self.client, kind)(*arguments, **options))

    def synchronize(self):
        """Waits until the kernel has all that was sent before. Cells wait in their queue, this does not."""
        self.ask("kernel_info")

    def check_that_everything_was_read(self):
        """Fails if a cell said more than its test looked at, such as something after `idle`."""
        request = self.client.kernel_info()
        self.reply(request)
        while self.published(request)["content"]["execution_state"] != "idle":
            pass
        left = [message for messages in self._unread.values() for message in messages]
        left = [message for message in left if message["parent_header"].get("msg_type") == "execute_request"]
        assert not left, f"nobody asked for {left}"

    def states_so_far(self, request):
        """Whether a request was said to be busy and idle, in order, of what was read until now."""
        unread = self._unread["iopub", request]
        return [message["content"]["execution_state"] for message in unread if message["msg_type"] == "status"]

    def lanes_so_far(self, request):
        """What a cell has shown of its threads until now."""
        return self._lanes[request]

    def receive_lanes(self, request):
        """Waits until it shows more of them."""
        known = len(self._lanes[request])
        while len(self._lanes[request]) == known:
            self._take("iopub")

    def _next(self, channel, request):
        unread = self._unread[channel, request]
        while not unread:
            self._take(channel)
        return unread.popleft()

    def _take(self, channel):
        message = self._receive(channel)
        if self.is_strict and not is_newer_than_the_schema(message):
            validate_message(message)
        parent = message["parent_header"].get("msg_id")
        if is_lanes(message):
            self._lanes[parent].append(message)
        else:
            self._unread[channel, parent].append(message)

    def _receive(self, channel):
        assert not self._hangs, "the kernel did not answer an earlier test"
        try:
            return getattr(self.client, f"get_{channel}_msg")(timeout=TIMEOUT)
        except Empty:
            self._hangs = True
            raise AssertionError(f"no message on {channel} for {TIMEOUT} seconds") from None


@contextmanager
def kernel_after(code):
    """A kernel that has run a cell, and of which in the end every message was read."""
    with Kernel() as kernel:
        assert kernel.run(code).reply["status"] == "ok"
        yield kernel
        kernel.check_that_everything_was_read()


def eventually(look):
    """What a function returns, once that is something."""
    deadline = time.monotonic() + TIMEOUT
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {TIMEOUT} seconds"
    return found


def is_newer_than_the_schema(message):
    """Whether the protocol says it differently since: `aborted` was `abort`, `password` a number."""
    return message["msg_type"] == "input_request" or message["content"].get("status") == "aborted"
