"""Variables are kept whatever their type is, and whoever finds it out."""

from pathlib import Path

import pytest

# Each defines variables; each is followed by a use of them in the next cell.
KEPT = [
    ("let a = 1; let b = 1.5; let c = 'c'; let d = \"d\";", "(a + 1, b * 2.0, c, d)", "(2, 3.0, 'c', \"d\")"),
    ("let a = 200; let b: u8 = a;", "a.wrapping_add(b)", "144"),
    ("let mut v = Vec::new(); v.push(1u16);", "v.push(2); v", "[1, 2]"),
    ("let (a, mut b) = (1, vec!['b']);", "b.push('c'); (a, b)", "(1, ['b', 'c'])"),
    ("let v: Vec<_> = (1..4).map(|n| n * n).collect();", "v", "[1, 4, 9]"),
    ("let [a, .., b] = [1, 2, 3];", "a + b", "4"),
    ("let Some(n) = Some(7) else { panic!() };", "n", "7"),
    ("struct Pair<T> { l: T, r: T }\nlet Pair { l, r: right } = Pair { l: 1i8, r: 2 };", "l + right", "3"),
    ("mod m { pub struct Q<T>(pub T); }\nlet q = m::Q([[1; 2]; 2]);", "q.0[1]", "[1, 1]"),
    ("let late;\nlate = std::env::args().count();", "late > 0", "true"),
    ("let x = 1; let x = x.to_string();", "x.as_str()", '"1"'),
    ("fn twice(n: i32) -> i32 { 2 * n }\nlet f = twice; let g: fn(i32) -> i32 = |n| -n;", "g(f(2))", "-4"),
    ("let f: Box<dyn Fn(i32) -> i32 + Send> = Box::new(|n| n + 1);", "f(1)", "2"),
    ("let words = \"a b\".split(' ');", "words.collect::<String>()", '"ab"'),
    ("let (tx, rx) = std::sync::mpsc::channel();\ntx.send(3u8).unwrap();", "rx.recv()", "Ok(3)"),
    ("let shared = std::sync::Arc::new(std::sync::Mutex::new(0));", "*shared.lock().unwrap() += 1; shared", None),
    ("let task = tokio::spawn(async { 5 });", "task.await.unwrap()", "5"),
    ("let (s, r) = crossbeam::channel::unbounded();\ns.send(\"m\").unwrap();", "r.recv()", 'Ok("m")'),
    ("let (s1, r1) = futures::channel::oneshot::channel();\ns1.send(9).unwrap();", "r1.await", "Ok(9)"),
    ("let lock = parking_lot::Mutex::new(4);", "*lock.lock()", "4"),
    ("let n = \"12\".parse::<u8>()?;", "n", "12"),
    ("let gone = vec![1]; let kept = gone;", "kept", "[1]"),
    ("let é = 1;", "é", "1"),
]


@pytest.mark.parametrize("define, use, value", KEPT)
def test_a_variable_is_kept(kernel, define, use, value):
    assert kernel.run(define).reply["status"] == "ok"
    used = kernel.run(use)
    assert used.reply["status"] == "ok"
    if value is not None:
        assert used.value == value


def test_no_type_of_these_is_asked_of_rust_analyzer(kernel):
    assert "analyse" not in arguments(kernel)


def test_types_are_shown_without_paths(kernel):
    kernel.run("let shown = std::sync::Arc::new(vec![1u64]);")
    assert "shown: Arc<Vec<u64>>\n" in kernel.run(":vars").value


def test_an_error_is_where_the_student_wrote_it(kernel):
    assert "1 | let q1 = 5; let q2 = q1.no_such_method();" in kernel.run(
        "let q1 = 5; let q2 = q1.no_such_method();"
    ).traceback
    moved = kernel.run("let b1 = vec![1]; let b2 = b1; let b3 = b1;").traceback
    assert "In[" in moved and ":1:41" in moved


def test_a_cell_needs_no_second_process_and_a_completion_starts_one(own_kernel):
    kernel = own_kernel()
    kernel.run("let v = vec![1];")
    assert "analyse" not in arguments(kernel)
    code = "v.pus"
    assert "push" in kernel.ask("complete", code, len(code))["matches"]
    assert "analyse" in arguments(kernel)


def test_own_names_are_completed_while_the_second_process_learns(own_kernel):
    kernel = own_kernel()
    kernel.run("let counter = 1;\nfn count_up() {}")
    matches = kernel.ask("complete", "cou", 3)["matches"]
    assert {"counter", "count_up"} <= set(matches)
    # The answer that nobody waited for is not taken for that to the next question.
    assert "push" in kernel.ask("complete", "vec![1].pus", 11)["matches"]
    assert kernel.run("counter").value == "1"


def arguments(kernel):
    """The arguments of every process that the kernel has started itself."""
    children = Path(f"/proc/{kernel.pid}/task").glob("*/children")
    pids = [pid for child in children for pid in child.read_text().split()]
    return [word.decode() for pid in pids for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")]


def test_rust_analyzer_finds_the_same_types(own_kernel):
    kernel = own_kernel(INTERLEAVE_RUSTC_TYPES="off")
    for define, use, value in KEPT:
        assert kernel.run(define).reply["status"] == "ok"
        used = kernel.run(use)
        assert value is None or used.value == value
