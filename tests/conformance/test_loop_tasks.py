"""Tasks and callbacks of asyncio's event loop, which go on only while a cell runs it: what is said of
them at the end of a cell, in `:threads`, by `:join`, and how `:stop` ends them."""

import json
import re

import pytest
from kernel_client import eventually, kernel_after

BEFORE = """
use std::{sync::atomic::{AtomicUsize, Ordering::SeqCst}, sync::mpsc, thread, time::Duration};
use tokio::sync::Notify;
static GO: Notify = Notify::const_new();
static ENDS: AtomicUsize = AtomicUsize::new(0);
struct End;
impl Drop for End { fn drop(&mut self) { ENDS.fetch_add(1, SeqCst); } }
async fn waits() -> i32 { let _end = End; GO.notified().await; 7 }
"""
NOTHING = "No thread or task that a cell started is running."
RESTS = "goes on when the event loop runs again: in a cell that awaits, or calls `asyncio::run`."


@pytest.fixture(scope="module")
def loop():
    """A kernel in which nothing is left when a test begins."""
    with kernel_after(BEFORE) as kernel:
        yield kernel


def notices(cell):
    texts = [content["data"]["text/plain"] for content in cell.contents("display_data")]
    return [text for text in texts if "of this cell" in text]


def rows(kernel):
    """What `:threads` lists, by the name in the first column: the columns behind it."""
    lines = kernel.run(":threads").value.splitlines()
    found = (re.split(r"  +", line) for line in lines)
    return {row[0]: row[1:] for row in found if re.match(r"(Task|callback)-\d+$", row[0])}


def value(kernel, code):
    cell = kernel.run(code)
    assert cell.reply["status"] == "ok", cell.traceback
    return cell.value


def last_text(cell):
    """What stands in the output that `:join` changes."""
    return cell.outputs[-1]["content"]["data"]["text/plain"]


def test_a_cell_that_leaves_a_task_says_that_it_waits_for_the_loop(loop):
    cell = loop.run("let first = asyncio::create_task(waits()); 5")
    assert notices(cell) == ["1 task of this cell waits until the event loop runs again (:threads lists, :stop stops)"]
    assert cell.kinds == ["display_data", "execute_result"]
    assert notices(loop.run("let x = 1; x + 1")) == [], "only the cell that made it"
    cell = loop.run(
        "let second = asyncio::create_task(waits()); asyncio::get_event_loop().call_soon(|| ());\n"
        "asyncio::get_event_loop().call_later(1000, || ()); tokio::spawn(async { GO.notified().await; });"
    )
    assert notices(cell) == [
        "1 task of this cell still runs; 1 task and 2 callbacks of this cell wait until the event loop runs again "
        "(:threads lists, :join waits, :stop stops)"
    ]
    assert value(loop, "asyncio::sleep(0).await; GO.notify_waiters(); (first.await, second.await)") == "(7, 7)"
    assert loop.run(":stop").value == "1 task has stopped.", "the callback that is not due"
    assert loop.run(":stop").value == NOTHING


def test_nothing_is_said_of_what_ends_with_its_cell(loop):
    for code in [
        "asyncio::create_task(async { 5 }).await",
        "asyncio::get_event_loop().call_later(0.01, || ()); asyncio::sleep(0.02).await;",
        "asyncio::get_event_loop().call_later(1000, || ()).cancel();",
        "let task = asyncio::create_task(waits()); task.cancel(); asyncio::sleep(0).await;",
        "let pool = concurrent::futures::ThreadPoolExecutor::new(1); let later = "
        "asyncio::get_event_loop().run_in_executor(&pool, |n: i32| n, 5);",
    ]:
        assert notices(loop.run(code)) == [], code
    assert value(loop, "later.await") == "5"


def test_threads_lists_them_by_name_with_what_they_wait_for(loop):
    loop.run(
        "let task = asyncio::create_task(waits());\n"
        "asyncio::get_event_loop().call_later(1000, || ());\n"
        "asyncio::get_event_loop().call_soon(|| ());"
    )
    listed = rows(loop)
    (task, later, soon) = listed.values()
    [name] = [name for name in listed if name.startswith("Task-")]
    assert value(loop, "task.name()") == f'"{name}"'
    assert task[0] == "waits" and re.fullmatch(r"In\[\d+\]:1", task[1]), task
    assert task[2] == "waits until the event loop runs again"
    assert later[0].endswith(":2") and re.fullmatch(r"due in 16 min \d+ s, if the event loop runs then", later[1])
    assert soon[0].endswith(":3") and soon[1] == "waits until the event loop runs again"
    loop.run("asyncio::sleep(0).await;")
    assert len(rows(loop)) == 2, "the first callback was called"
    assert loop.run(":stop").value == "2 tasks have stopped."


def test_stop_drops_what_waits_while_no_cell_runs(loop):
    loop.run("ENDS.store(0, SeqCst); let [a, b] = [(); 2].map(|()| asyncio::create_task(waits()));\n"
             "let end = End; asyncio::get_event_loop().call_later(1000, move || drop(end));")
    maker = loop.run("asyncio::sleep(0).await; (a.name().to_owned(), b.name().to_owned())")
    first, second = re.findall(r"Task-\d+", maker.value)
    assert loop.run(f":stop {first}").value == "1 task has stopped."
    assert value(loop, "(a.cancelled(), b.done(), ENDS.load(SeqCst))") == "(true, false, 1)"
    assert list(rows(loop))[0] == second
    assert loop.run(":stop").value == "2 tasks have stopped."
    assert value(loop, "(b.cancelled(), ENDS.load(SeqCst))") == "(true, 3)"
    error = loop.run(":stop Task-x").error["evalue"]
    assert error == "no thread is called `Task-x`: no thread or task that a cell started is running"


def test_stop_ends_a_task_of_a_loop_on_another_thread(loop):
    loop.run(
        "ENDS.store(0, SeqCst); let (tell, told) = mpsc::channel();\n"
        "let worker = thread::spawn(move || asyncio::run(async move {\n"
        "    let waiting = asyncio::create_task(waits());\n"
        "    tell.send(waiting.name().to_owned()).unwrap();\n"
        "    let busy = asyncio::create_task(async { let _end = End; asyncio::sleep(0).await; loop {} });\n"
        "    GO.notified().await;\n"
        "}));\n"
    )
    name = value(loop, "told.recv().unwrap()").strip('"')
    assert eventually(lambda: any("runs" in row for row in rows(loop).values()))
    [busy] = [other for other, row in rows(loop).items() if "runs" in row]
    assert rows(loop)[name][2] == "waits to be woken"
    assert loop.run(f":stop {busy}").value == "1 task has stopped."
    assert value(loop, "ENDS.load(SeqCst)") == "1"
    assert list(rows(loop)) == [name], "the others of that loop go on"
    assert loop.run(":stop").value == "1 thread and 1 task have stopped."
    assert value(loop, "(worker.join().is_err(), ENDS.load(SeqCst))") == "(true, 2)"


def test_the_destructors_of_thread_locals_of_a_thread_that_is_stopped_come_to_their_end(loop):
    loop.run(
        "ENDS.store(0, SeqCst);\n"
        "struct Slow; impl Drop for Slow { fn drop(&mut self) { for _ in 0..3 { thread::yield_now(); drop(End); } } }\n"
        "thread_local! { static SLOW: Slow = const { Slow }; }\n"
        "let slow: thread::JoinHandle<()> = thread::spawn(|| SLOW.with(|_| loop { thread::yield_now(); }));"
    )
    assert loop.run(":stop").value == "1 thread has stopped."
    assert value(loop, "(slow.join().is_err(), ENDS.load(SeqCst))") == "(true, 3)"


def test_what_a_destructor_prints_belongs_to_the_cell_that_made_the_task(loop):
    loop.run('struct Last; impl Drop for Last { fn drop(&mut self) { println!("the last"); } }')
    request = loop.send("let last = Last; asyncio::get_event_loop().call_later(1000, move || drop(last));")
    assert len(notices(loop.finish(request))) == 1
    assert loop.run(":stop").value == "1 task has stopped."
    loop.published_text(request, "the last\n")


def test_join_does_not_wait_for_a_loop_that_nobody_runs(loop, tmp_path):
    gate = tmp_path / "gate"
    cell = loop.run(
        "let task = asyncio::create_task(waits());\n"
        f"thread::spawn(|| while !std::path::Path::new({json.dumps(str(gate))}).exists() "
        "{ thread::sleep(Duration::from_millis(5)); });"
    )
    assert "1 thread of this cell still runs" in notices(cell)[0]
    [name] = rows(loop)
    joining = loop.send(":join")
    loop.published(joining)
    while loop.published(joining)["msg_type"] != "display_data":
        pass
    gate.touch()
    assert last_text(loop.finish(joining)) == f"1 thread has ended.\n1 task: {name} {RESTS}"
    assert last_text(loop.run(f":join {name}")) == f"1 task: {name} {RESTS}"
    loop.run("GO.notify_one(); task.await")
    assert last_text(loop.run(":join")) == NOTHING


def test_the_tasks_of_a_cell_that_was_left_behind_are_gone(loop):
    loop.run("let lock = std::sync::Arc::new(std::sync::Mutex::new(0)); asyncio::create_task(waits());")
    assert len(rows(loop)) == 1
    request = loop.send('let first = lock.lock(); println!("locks"); let second = lock.lock();')
    loop.published_text(request, "locks\n")
    loop.manager.interrupt_kernel()
    assert loop.finish(request).error["ename"] == "Interrupted"
    assert rows(loop) == {}
    cell = loop.run("let task = asyncio::create_task(async { 3 });")
    assert len(notices(cell)) == 1
    assert value(loop, "task.await") == "3"
