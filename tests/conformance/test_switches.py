"""Every lever that makes cells faster can be switched off, and changes nothing that a cell shows."""

import json
import re
from pathlib import Path

import pytest

from kernel_client import ANSI_COLOUR, Kernel

NOTEBOOK = Path(__file__).parents[2] / "notebooks/01-implementing-concurrency.ipynb"

# What the levers could disturb. No thread or task is about to end with its cell: what is said of one is a matter of time.
CELLS = [
    "1 + 1",
    "use std::sync::atomic::{AtomicI32, Ordering::SeqCst};\nstatic COUNT: AtomicI32 = AtomicI32::new(0);",
    "#[derive(Debug, Clone, PartialEq, Default)]\nstruct Point { x: i32 }\nimpl Point { fn next(&self) -> Self { Point { x: self.x + 1 } } }",
    "#[derive(Debug, Clone, Copy)]\nenum Light { Red, Green }\nfn light(n: i32) -> Light { if n > 0 { Light::Green } else { Light::Red } }",
    "trait Speak { fn speak(&self) -> String; }\nimpl Speak for Point { fn speak(&self) -> String { format!(\"{:?}\", light(self.x)) } }",
    "macro_rules! twice { ($e:expr) => { ($e, $e) } }",
    "let point = Point::default().next();\nlet (a, mut b) = twice!(COUNT.fetch_add(1, SeqCst));\nlet f = |n: i32| n + 1;",
    "b += 1;\n(a, b, &point, point.speak(), COUNT.load(SeqCst))",
    "let moved = point; moved.x",
    "point",
    "let r#in = vec![String::from(\"é\")]; let missing: i32 = \"no\";",
    "let parsed: i32 = \"x\".parse()?;",
    "let (tx, rx) = std::sync::mpsc::channel();\nlet mut never = 1;\ntx.send(vec![0u8]);",
    "let first = rx.recv(); let lost = tx; drop(lost);\nfirst",
    "tx",
    "let lazy = (1..3).map(|n| n + 1); let borrowed = &b; let none = Vec::new();",
    "async fn one() -> i32 { 1 }\nlet sum = one().await + one().await;\nsum",
    "let (tell, told) = tokio::sync::oneshot::channel::<i32>();\nlet handle = tokio::spawn(async { 6 * told.await.unwrap() });",
    "tell.send(7).unwrap();\nhandle.await.unwrap()",
    "fn warned() { let unused = 1; }\nlight(1)",
    "fn broken(point: &Point) -> i32 { point.y }",
    "let v: Vec<i32> = (0..5).collect();\nv[9]",
    "std::thread::spawn(|| panic!(\"away\")).join().is_err()",
    "#[derive(Debug)]\nstruct Point { y: i32 }",
    "let point = Point { y: COUNT.load(SeqCst) };\nprintln!(\"{point:?} {} {}:{}\", sum, file!(), line!());",
    "use rayon::prelude::*;\n(1..=10).into_par_iter().map(|n| n * n).sum::<i32>()",
    "let mut total = 0;\nfor n in 0..10 { if n == 7 { break } total += n }\ntotal",
]

# Each lever, and how it is switched off. See "Switches" in ARCHITECTURE.md.
OFF = {
    "INTERLEAVE_CACHE": "off",
    "INTERLEAVE_CHECKPOINTS": "0",
    "INTERLEAVE_CODEGEN": "off",
    "INTERLEAVE_FORKSERVER": "off",
    "INTERLEAVE_LEARNT_TYPES": "off",
    "INTERLEAVE_RUSTC_TYPES": "off",
    "INTERLEAVE_SNAPSHOTS": "off",
    "INTERLEAVE_UNNEEDED": "off",
}


def shown(cells, environment):
    """What each cell shows, without what is never twice the same."""
    with Kernel(environment) as kernel:
        return [(cell, outputs(kernel.run(cell))) for cell in cells]


def outputs(execution):
    said = [constant(execution.stdout), constant(execution.stderr)]
    kinds = ("execute_result", "display_data", "error")
    others = [message for message in execution.outputs if message["msg_type"] in kinds]
    said += sorted(constant(text(message)) for message in others)
    return execution.reply["status"], said


def text(message):
    content = message["content"]
    if message["msg_type"] == "error":
        return "\n".join([content["ename"], content["evalue"], *content["traceback"]])
    return json.dumps(content["data"], ensure_ascii=False)


def constant(said):
    """Without addresses, numbers of threads and times; lines of several threads in one order."""
    said = ANSI_COLOUR.sub("", said)
    said = re.sub(r"0x[0-9a-f]+", "ADDRESS", said)
    said = re.sub(r"\(\d+\) panicked", "panicked", said)
    said = re.sub(r"\b\d+\.\d+\b", "SECONDS", said)
    return sorted(said.splitlines())


@pytest.fixture(scope="module")
def with_all(tmp_path_factory):
    """With every lever: from rustc, and then from memory."""
    cache = {"INTERLEAVE_CACHE": str(tmp_path_factory.mktemp("cache") / "cells")}
    first = shown(CELLS, cache)
    assert shown(CELLS, cache) == first
    return first


@pytest.mark.parametrize("lever", OFF)
def test_a_lever_changes_nothing(with_all, lever):
    assert shown(CELLS, {lever: OFF[lever]}) == with_all


def test_nor_do_all_of_them(with_all):
    assert shown(CELLS, OFF) == with_all


def test_the_notebook_shows_the_same_with_and_without_levers():
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    cells = ["".join(cell["source"]) for cell in cells]
    # Commands show times.
    cells = [cell for cell in cells if not cell.startswith(":")]
    assert shown(cells, OFF) == shown(cells, {})
