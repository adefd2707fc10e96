"""Output goes to the cell whose code caused it, whichever thread writes it and however late."""

import re

import pytest

# Each cell waits for a word, then prints from the place under test, and says that it has.
STARTERS = {
    "task": "tokio::spawn(async move { wait.recv().await; print_late(); });",
    "task of a task": (
        "tokio::spawn(async move { wait.recv().await; tokio::spawn(async { print_late() }).await.unwrap(); });"
    ),
    "task of a thread": (
        "std::thread::spawn(move || { wait.blocking_recv();\n"
        "    block_on(async { tokio::spawn(async { print_late() }).await.unwrap() }); });"
    ),
    "thread of a task": (
        "tokio::spawn(async move { wait.recv().await; std::thread::spawn(|| print_late()); });"
    ),
    "spawn_blocking": "tokio::task::spawn_blocking(move || { wait.blocking_recv(); print_late(); });",
    "JoinSet": (
        "let mut set = tokio::task::JoinSet::new(); set.spawn(async move { wait.recv().await; print_late(); });\n"
        "set.detach_all();"
    ),
    "Handle": "tokio::runtime::Handle::current().spawn(async move { wait.recv().await; print_late(); });",
    "Runtime": (
        "let own = tokio::runtime::Runtime::new().unwrap();\n"
        "own.spawn(async move { wait.recv().await; print_late(); }); std::mem::forget(own);"
    ),
    "current-thread Runtime": (
        "let own = tokio::runtime::Builder::new_current_thread().build().unwrap();\n"
        "own.spawn(async move { wait.recv().await; print_late(); });\n"
        "std::thread::spawn(move || own.block_on(std::future::pending::<()>()));"
    ),
    "LocalSet": (
        "std::thread::spawn(move || block_on(tokio::task::LocalSet::new().run_until(async move {\n"
        "    tokio::task::spawn_local(async move { wait.recv().await; print_late(); }).await.unwrap();\n"
        "})));"
    ),
    "Timer": "threading::Timer::new(0, move || { wait.blocking_recv(); print_late(); }).start();",
    "ThreadPoolExecutor": (
        "let pool = concurrent::futures::ThreadPoolExecutor::new(1);\n"
        "pool.submit_fn(move || { wait.blocking_recv(); print_late(); }); std::mem::forget(pool);"
    ),
    "callback of a future": (
        "let future = concurrent::futures::ThreadPoolExecutor::new(1).submit_fn(move || { wait.blocking_recv(); });\n"
        "future.add_done_callback(|_| print_late());"
    ),
    "call_later": (
        "asyncio::get_event_loop().call_later(0, move || { wait.try_recv().unwrap(); print_late(); });"
    ),
    "create_task": (
        "asyncio::get_event_loop().create_task(async move { wait.recv().await; print_late(); });"
    ),
    "rayon::spawn": "rayon::spawn(move || { wait.blocking_recv(); print_late(); });",
    "job of a job": (
        "rayon::spawn(move || { wait.blocking_recv(); rayon::join(|| (), || rayon::spawn(|| print_late())); });"
    ),
    "par_iter of a thread": (
        "use rayon::prelude::*; std::thread::spawn(move || { wait.blocking_recv();\n"
        "    (0..64).into_par_iter().for_each(|n| if n == 63 { print_late() }); });"
    ),
    "scope of rayon": (
        "std::thread::spawn(move || { wait.blocking_recv();\n"
        "    rayon::scope(|scope| scope.spawn(|scope| scope.spawn(|_| print_late()))); });"
    ),
}

# Printed in parts: each belongs to the cell of the thread that printed it, not of the one that ends the line.
PRINT_LATE = (
    "static DONE: std::sync::Mutex<Option<std::sync::mpsc::Sender<()>>> = std::sync::Mutex::new(None);\n"
    'fn print_late() { print!("la"); println!("te"); DONE.lock().unwrap().take().unwrap().send(()).unwrap(); }'
)


@pytest.fixture(scope="module")
def print_late(kernel):
    kernel.run(PRINT_LATE)


@pytest.mark.usefixtures("print_late")
@pytest.mark.parametrize("starter", STARTERS)
def test_what_was_started_prints_into_the_cell_that_started_it(kernel, starter):
    first = kernel.send(
        "let (go, mut wait) = tokio::sync::mpsc::unbounded_channel::<()>();\n" + STARTERS[starter],
    )
    assert kernel.finish(first).reply["status"] == "ok"
    second = kernel.run(
        "let (sender, done) = std::sync::mpsc::channel(); *DONE.lock().unwrap() = Some(sender);\n"
        'println!("before"); go.send(()).unwrap();\n'
        "asyncio::get_event_loop().run_until_complete(asyncio::sleep(0.01));\n"
        'done.recv().unwrap(); println!("after");'
    )
    assert (second.stdout, second.reply["status"]) == ("before\nafter\n", "ok")
    kernel.published_text(first, "late\n")


def test_the_newest_cell_can_be_chosen_for_output(kernel):
    request = kernel.send(
        "let (go, wait) = std::sync::mpsc::channel::<()>();\n"
        'let late = std::thread::spawn(move || for () in wait { println!("late"); });'
    )
    kernel.finish(request)
    assert "newest" in kernel.run(":output current").value
    assert kernel.run("go.send(()).unwrap(); drop(go); late.join().unwrap();").stdout == "late\n"
    assert "started it" in kernel.run(":output birth").value


def test_a_task_is_listed_with_its_line_until_it_ends(kernel):
    request = kernel.send(
        "let (go, wait) = tokio::sync::oneshot::channel::<()>();\n"
        "let listed = tokio::spawn(async move { wait.await.unwrap() });"
    )
    number = kernel.finish(request).reply["execution_count"]
    row = re.compile(rf"^task \d+ .* In\[{number}\]:2 +(waits to be woken|runs) ", re.MULTILINE)
    assert row.search(kernel.run(":threads").value)
    kernel.run("go.send(()).unwrap(); listed.await.unwrap();")
    assert not row.search(kernel.run(":threads").value)
