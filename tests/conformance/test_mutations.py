"""Requests that are nearly right, to the whole kernel: each has its idle, and nothing is left over.

The protocol alone, frames and signatures included, gets many more in `tests/integration/fuzz.rs`.
"""

import json
import os
import random
from pathlib import Path

from kernel_client import eventually
from processes import Processes

CORPUS = Path(__file__).parent.parent / "fuzz" / "corpus"
# The corpus speaks to an evaluator that is no Rust.
CODE = [
    "let x = vec![1, 2, 3];\nx.iter().sum::<i32>()",
    'fn greet(name: &str) -> String { format!("hello {name}") }\ngreet("变量 🦀")',
    "let t = std::thread::spawn(|| 6 * 7);\nt.join().unwrap()",
    "tokio::spawn(async { 5 }).await.unwrap()",
    ":vars",
    ":lanes\n1 + 1",
    "?Vec::push",
]
STRANGE = [None, True, -1, 0, 2**31, 2**63, 1e308, "", "\0\ufeff\u202eé😀\r\n", "x" * 100_000, [], {}, [[[[]]]]]
MESSAGES = int(os.environ.get("INTERLEAVE_RANDOM_MESSAGES", "40"))
SEED = int(os.environ.get("INTERLEAVE_RANDOM_SEED", random.randrange(2**32)))


def requests():
    """The type and the content of each message in the corpus."""
    for path in sorted(CORPUS.iterdir()):
        header, _, _, content = json.loads(path.read_text())
        yield header["msg_type"], content


def mutated(chance, value):
    """The value with something in it changed, or all of it."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        rest = {name: inner for name, inner in value.items() if name != key}
        return rest if chance.random() < 0.1 else {**rest, key: mutated(chance, value[key])}
    if isinstance(value, str) and chance.random() < 0.7:
        begin, end = sorted(chance.randrange(len(value) + 1) for _ in range(2))
        return value[:begin] + chance.choice(["", value[begin:end] * 2, "\n", "}", '"', "é"]) + value[end:]
    return chance.choice(STRANGE)


def request(chance, corpus):
    kind, content = chance.choice(corpus)
    if "code" in content:
        content = {**content, "code": chance.choice(CODE)}
    return kind, mutated(chance, content) if chance.random() < 0.8 else content


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def count(directory):
    with Processes(directory) as processes:
        return len(processes)


def test_requests_that_are_nearly_right_lose_no_idle_and_leak_nothing(own_kernel, tmp_path):
    print(f"repeat it with INTERLEAVE_RANDOM_SEED={SEED}")
    chance = random.Random(SEED)
    corpus = list(requests())
    assert len(corpus) > 10, "the corpus is somewhere else"
    kernel = own_kernel(TMPDIR=str(tmp_path))
    kernel.is_strict = False
    # What is started once runs now: the runtime of tokio, and who explains.
    assert kernel.run(CODE[3]).value == "5"
    kernel.ask("inspect", "Vec::push", 5)
    before = descriptors(kernel.pid), Processes(tmp_path)
    sent = []
    for _ in range(MESSAGES):
        sent.append(kernel.send_message(chance.choice(["shell", "control"]), *request(chance, corpus)))
        # Mostly one after the other: a cell that fails gives up those that wait.
        if chance.random() < 0.8:
            until_done(kernel)
    until_done(kernel)
    assert {tuple(kernel.states_so_far(name)) for name in sent} == {("busy", "idle")}
    assert eventually(lambda: descriptors(kernel.pid) <= before[0] + 2)
    with before[1]:
        assert eventually(lambda: count(tmp_path) <= len(before[1]))
    with Processes(tmp_path) as processes:
        kernel.close()
        processes.wait()
    assert list(tmp_path.iterdir()) == []


def until_done(kernel):
    """Waits until everything that was sent is answered."""
    kernel.ask("history", hist_access_type="tail", n=1)
    kernel.reply(kernel.send_message("control", "kernel_info_request", {}), "control")
    # A failing cell before it has it given up at once.
    while kernel.run("()").reply["status"] != "ok":
        pass
