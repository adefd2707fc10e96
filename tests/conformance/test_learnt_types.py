"""The types of a cell's variables are learnt while it is compiled, without a question before."""

import subprocess

import pytest

from kernel_client import Kernel

# rustc is not asked before.
LEARNT = [
    "let a = vec![1, 2, 3];",
    "let (sender, receiver) = crossbeam::channel::bounded(1);\nsender.send(a.len()).unwrap();",
    "#[derive(Debug)] struct Point { x: i32 }\nlet point = Point { x: 3 };",
    "let text = \"a b\"; let words = text.split_whitespace();",
    "let handle = std::thread::spawn(|| 5); let five = handle.join().unwrap();",
    "let shared = std::sync::Arc::new((std::sync::Mutex::new(false), std::sync::Condvar::new()));",
    # What is not certain is tried, and what cannot be written is known by then.
    "let task = tokio::spawn(async { 1 });",
    "let mapped = (1..4).map(|n| n + 1); let one = 1;",
    "let unused = 1;\nlet (tx, rx) = std::sync::mpsc::channel();\ntx.send(1);",
]


@pytest.fixture
def kernel(tmp_path):
    # Else the compiler would not be asked.
    with Kernel({"INTERLEAVE_CACHE": "off", "TMPDIR": str(tmp_path)}) as kernel:
        yield kernel


def was_asked(tmp_path):
    """The question of a cell stays where it was put to rustc."""
    [workspace] = tmp_path.glob("interleave-*")
    return bool(list(workspace.glob("*/types.rs")))


def test_rustc_is_called_once(kernel, tmp_path):
    for cell in LEARNT:
        assert kernel.run(cell).reply["status"] == "ok", cell
        assert not was_asked(tmp_path), cell
    used = kernel.run("(receiver.recv(), &point, words.count(), five, shared.0.lock().is_ok(), rx.recv(), one, a, text)")
    assert used.value == '(Ok(3), Point { x: 3 }, 2, 5, true, Ok(1), 1, [1, 2, 3], "a b")'
    assert kernel.run("task.await.unwrap()").value == "1"
    # Else the test would not see a question.
    assert kernel.run("async fn two() -> i32 { 2 }\nlet later = two();").reply["status"] == "ok"
    assert was_asked(tmp_path)


def test_a_type_that_is_defined_anew_is_another(kernel):
    kernel.run("struct Point { x: i32 }\nlet point = Point { x: 3 }; let kept = 1;")
    kernel.run("struct Point { x: String }")
    found = kernel.run("kept")
    assert found.value == "1" and "`point`" in found.stderr


def test_a_type_is_known_without_the_workspace(kernel, tmp_path):
    kernel.run("let a = vec![1];")
    [workspace] = tmp_path.glob("interleave-*")
    subprocess.run(["rm", "-r", str(workspace)], check=True)
    assert kernel.run("a").value == "[1]"


def test_what_takes_the_name_of_a_type_confuses_nobody(kernel):
    kernel.run("#[allow(non_camel_case_types)] struct u8(i32);\nlet own = u8(5);")
    kernel.run("let other = 1;")
    assert kernel.run("(own.0, other)").value == "(5, 1)"


@pytest.mark.parametrize("switch", ["on", "off"])
def test_a_function_is_kept_as_a_pointer(tmp_path, switch):
    with Kernel({"INTERLEAVE_CACHE": "off", "INTERLEAVE_LEARNT_TYPES": switch}) as kernel:
        kernel.run("fn twice(n: i32) -> i32 { 2 * n }\nlet f = twice; let g: fn(i32) -> i32 = |n| -n;")
        assert kernel.run("g(f(2))").value == "-4"
        assert "f: fn(i32) -> i32\n" in kernel.run(":vars").value


def test_the_object_is_the_same(tmp_path):
    made = []
    for switch in ("on", "off"):
        directory = tmp_path / switch
        directory.mkdir()
        variables = {"INTERLEAVE_CACHE": "off", "INTERLEAVE_LEARNT_TYPES": switch, "TMPDIR": str(directory)}
        with Kernel(variables) as kernel:
            kernel.run("let a = vec![1, 2, 3];")
            objects = directory.glob("interleave-*/evcxr/out/*.so")
            made.append(without_columns(max(objects, key=lambda path: path.stat().st_mtime_ns)))
    assert made[0] == made[1]


def without_columns(path):
    """An object without what debuggers are told: a generated line is longer with a type in it."""
    new = path.with_suffix(".stripped")
    command = ["objcopy", "--strip-debug", "--remove-section=.note.gnu.build-id", path, new]
    subprocess.run(command, check=True)
    return new.read_bytes()


def test_the_language_is_that_of_today(kernel):
    assert "E0554" in kernel.run("#![feature(never_type)]\nlet a = 1;").traceback
    assert "E0658" in kernel.run("let a = 1; let b: ! = panic!();").traceback
    assert kernel.run("let seen = option_env!(\"RUSTC_BOOTSTRAP\"); seen").value == "None"
