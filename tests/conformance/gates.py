"""Lets a test know when something else is at a certain point, and when that has ended."""

import os
import select

TIMEOUT = 240  # Seconds.

# Says that it runs, and ends only with its process; unless the gate is open.
BUILD_SCRIPT = """
use std::io::Write;
fn main() {{
    println!("cargo:rerun-if-changed={gate}");
    if !std::path::Path::new("{gate}").exists() {{
        let mut pipe = std::fs::OpenOptions::new().append(true).open("{pipe}").unwrap();
        pipe.write_all(b"\\n").unwrap();
        loop {{ std::thread::park(); }}
    }}
}}
"""

# A function for cells. A thread has its name when its work begins: std sets it on the thread itself.
NAMED = """
/// Starts a thread, and returns when it does its work.
fn named<T: Send + 'static>(name: &str, work: impl FnOnce() -> T + Send + 'static) -> std::thread::JoinHandle<T> {
    let begun = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let begins = std::sync::Arc::clone(&begun);
    let work = move || { begins.store(true, std::sync::atomic::Ordering::Release); work() };
    let thread = std::thread::Builder::new().name(name.into()).spawn(work).unwrap();
    while !begun.load(std::sync::atomic::Ordering::Acquire) { std::thread::yield_now(); }
    thread
}
"""

# Another one.
UNTIL_IT_WAITS = """
use std::{fs, path::Path, thread};

/// Returns when a thread sleeps, whose next step must be a wait: the one of this name, or at this path.
fn until_it_waits(name: &str) {
    let of = |task: &Path, what| fs::read_to_string(task.join(what)).unwrap_or_default();
    let waits = |task: &Path| {
        (task == Path::new(name) || of(task, "comm").trim_end() == name)
            && of(task, "stat").rsplit(')').next().unwrap().starts_with(" S")
    };
    let tasks = format!("/proc/{}/task", std::process::id());
    while !fs::read_dir(&tasks).unwrap().any(|task| waits(&task.unwrap().path())) { thread::yield_now(); }
}
"""


class Pipe:
    """A pipe with a name, into which somebody writes a line and which it then keeps open."""

    def __init__(self, path):
        self.path = path
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def wait_for_line(self):
        assert self._next() == b"\n"

    def wait_for_end(self):
        assert self._next() == b"", "more was written"
        os.close(self._reader)

    def _next(self):
        assert select.select([self._reader], [], [], TIMEOUT)[0], f"{self.path}: nobody writes, or somebody lives on"
        return os.read(self._reader, 1)


class GatedCrate:
    """A crate with one function, `answer`, that compiles for as long as its gate is closed."""

    def __init__(self, directory, name="gated"):
        self._gate = directory / "gate"
        self.building = Pipe(directory / "pipe")
        root = directory / name
        (root / "src").mkdir(parents=True)
        (root / "src/lib.rs").write_text("pub fn answer() -> i32 { 42 }\n")
        (root / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n[workspace]\n')
        (root / "build.rs").write_text(BUILD_SCRIPT.format(gate=self._gate, pipe=self.building.path))
        self.dep = f':dep {name} = {{ path = "{root}" }}'

    def open(self):
        self._gate.touch()
