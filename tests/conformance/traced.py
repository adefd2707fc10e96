"""What `:lanes save` writes, read as Perfetto would, and what cells need in order to be traced."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass

import pytest
from gates import NAMED, UNTIL_IT_WAITS

USE = (
    """
use interleave::{generator::Yielder, prelude::*};
use rayon::prelude::*;
use std::{sync::{Arc, Barrier, Condvar, Mutex, mpsc}, time::Duration};
"""
    + NAMED
    + UNTIL_IT_WAITS
)


@dataclass
class Span:
    """A time that a lane spent in one way."""

    lane: str
    name: str
    kind: str
    start: float
    end: float
    line: str | None

    def overlaps(self, other):
        return self.start < other.end and other.start < self.end


class Lanes:
    """What the file says."""

    def __init__(self, text):
        events = json.loads(text)["traceEvents"]
        names = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
        self.spans = defaultdict(list)
        self.prints = []
        flows = defaultdict(dict)
        for event in events:
            lane = names.get(event["tid"])
            if event["ph"] == "X":
                start, line = event["ts"], event["args"]["line"]
                span = Span(lane, event["name"], event["cat"], start, start + event["dur"], line)
                self.spans[lane].append(span)
            elif event["ph"] == "i":
                self.prints.append((event["ts"], lane, event["name"]))
            elif event["ph"] in "sf":
                flows[event["id"]][event["ph"]] = (event["name"], lane, event["ts"])
        self.names = list(names.values())
        self.arrows = {(flow["s"][0], flow["s"][1], flow["f"][1]) for flow in flows.values()}

    def find(self, lane, name):
        """The spans of a lane that have this name."""
        return [span for span in self.spans[lane] if re.fullmatch(name, span.name)]

    def the(self, lane, name):
        """The longest one of them."""
        found = self.find(lane, name)
        assert found, f"{lane} never {name}: {self.spans[lane]} of {self.names}"
        return max(found, key=lambda span: span.end - span.start)

    def printed(self, text):
        """When it was printed, by the only one who did."""
        [(time, lane, _)] = [each for each in self.prints if each[2] == text]
        return time, lane

    def matching(self, pattern):
        return [name for name in self.names if re.fullmatch(pattern, name)]


@pytest.fixture(scope="module", autouse=True)
def prepared(kernel):
    assert kernel.run(USE).reply["status"] == "ok"


@pytest.fixture
def trace(kernel, tmp_path):
    """Runs a cell and reads its lanes."""

    def run(code, kernel=kernel):
        cell = kernel.run(code)
        assert cell.reply["status"] == "ok", cell.traceback
        path = tmp_path / "lanes.json"
        assert str(path) in kernel.run(f":lanes save {path}").value
        return Lanes(path.read_text())

    return run
