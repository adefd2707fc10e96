"""Tasks of tokio beside threads: what a cell says of those it leaves, `:join`, `:stop`, and interrupts."""

import re

import pytest
from gates import NAMED
from kernel_client import eventually, kernel_after

# `waiting()` gives a task that goes on when `GO` is notified, and notes in `ENDS` that it is dropped.
BEFORE = """
use std::{sync::{Arc, Mutex, atomic::{AtomicUsize, Ordering::SeqCst}}, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};
static GO: Notify = Notify::const_new();
static ENDS: AtomicUsize = AtomicUsize::new(0);
static WENT_ON: AtomicUsize = AtomicUsize::new(0);
struct End;
impl Drop for End { fn drop(&mut self) { ENDS.fetch_add(1, SeqCst); } }
fn waiting() -> JoinHandle<i32> {
    tokio::spawn(async { let _end = End; GO.notified().await; WENT_ON.fetch_add(1, SeqCst); 7 })
}
""" + NAMED
NOTHING = "No thread or task that a cell started is running."


@pytest.fixture(scope="module")
def tasks():
    """A kernel in which no task is left when a test begins."""
    with kernel_after(BEFORE) as kernel:
        yield kernel


def notices(cell):
    """What a cell says at its end of what it leaves, up to the names of commands."""
    texts = [content["data"]["text/plain"] for content in cell.contents("display_data")]
    return [text.split(" (:")[0] for text in texts if "of this cell" in text]


def rows(kernel):
    """The numbers of the tasks that `:threads` lists, with the rest of their lines."""
    lines = kernel.run(":threads").value.splitlines()
    found = (re.match(r"task (\d+) +(.*)", line) for line in lines)
    return {match[1]: match[2] for match in found if match}


def until_all_wait(kernel, count):
    """Returns when so many tasks live and each waits: what they wait for can tell only those who do."""

    def waiting():
        states = rows(kernel).values()
        return len(states) == count and all("waits to be woken" in state for state in states)

    assert eventually(waiting)


def value(kernel, code):
    cell = kernel.run(code)
    assert cell.reply["status"] == "ok", cell.traceback
    return cell.value


def test_a_cell_that_leaves_tasks_says_so_before_its_value(tasks):
    cell = tasks.run("let first = waiting(); 5")
    assert notices(cell) == ["1 task of this cell still runs"]
    assert cell.kinds == ["display_data", "execute_result"]
    cell = tasks.run("let second = waiting(); let third = waiting();\n"
                     'named("worker", || loop { std::thread::sleep(Duration::from_secs(9)) });')
    assert notices(cell) == ["1 thread of this cell still runs: worker; 2 tasks of this cell still run"]
    assert notices(tasks.run("let x = 1; x + 1")) == [], "only the cell that spawned them"
    assert tasks.run(":stop").value == "1 thread and 3 tasks have stopped."


def test_nothing_is_said_of_tasks_that_end_with_their_cell(tasks):
    for code in [
        "tokio::spawn(async { 5 }).await.unwrap()",
        "tokio::spawn(async {}); tokio::task::spawn_blocking(|| ());",
        "for _ in 0..50 { tokio::spawn(async { tokio::task::yield_now().await }); }",
        "let task = waiting(); GO.notify_one();",
        "let mut set = tokio::task::JoinSet::new(); for n in 0..5 { set.spawn(async move { n }); } set.join_all().await;",
        "let other = waiting(); other.abort();",
    ]:
        assert notices(tasks.run(code)) == [], code
    assert value(tasks, "task.await.unwrap()") == "7"


# Threads of another cell keep all processors busy; beside them one with a lower priority gets little.
BUSY = """
use std::{sync::atomic::AtomicBool, thread};
unsafe extern "C" { safe fn setpriority(which: i32, who: u32, priority: i32) -> i32; }
static ARE_BUSY: AtomicBool = AtomicBool::new(true);
for _ in 0..2 * thread::available_parallelism().unwrap().get() {
    thread::spawn(|| while ARE_BUSY.load(SeqCst) { std::hint::spin_loop(); });
}
"""
HARDLY_RUNS = "thread::spawn(|| { setpriority(0, 0, 10); thread::yield_now(); });"


def test_nothing_is_said_of_a_thread_that_ends_but_gets_no_processor(tasks):
    assert notices(tasks.run(BUSY)) != [], "threads that use a processor and go on are left"
    try:
        for _ in range(5):
            assert notices(tasks.run(HARDLY_RUNS)) == []
    finally:
        tasks.run("ARE_BUSY.store(false, SeqCst);")
    assert tasks.run(":join").reply["status"] == "ok"


def test_join_waits_for_tasks_and_can_be_interrupted(tasks):
    tasks.run("for _ in 0..6 { waiting(); }")
    numbers = list(rows(tasks))
    assert len(numbers) == 6
    waiting = tasks.send(":join")
    first = None
    while first is None or first["msg_type"] != "display_data":
        first = tasks.published(waiting)
    text = f"6 tasks: {', '.join(numbers[:4])} and 2 more"
    assert first["content"]["data"]["text/plain"] == f"waiting for {text}"
    tasks.manager.interrupt_kernel()
    assert tasks.finish(waiting).error["evalue"] == f"still running: {text}"
    until_all_wait(tasks, 6)
    tasks.run("GO.notify_waiters();")
    assert eventually(lambda: not rows(tasks)), "they have been told to go on"
    tasks.run("let last = waiting();")
    [last] = rows(tasks)
    waiting = tasks.send(f":join task {last}")
    while first["content"].get("data", {}).get("text/plain") != f"waiting for 1 task: {last}":
        first = tasks.published(waiting)
    tasks.manager.interrupt_kernel()
    assert tasks.finish(waiting).error["ename"] == "Interrupted"
    assert tasks.run(f":join task {numbers[0]}").error["evalue"] == (
        f"no task is called `task {numbers[0]}`. There are: task {last}"
    )
    until_all_wait(tasks, 1)
    tasks.run("GO.notify_waiters();")
    ended = tasks.run(":join").outputs[-1]["content"]["data"]["text/plain"]
    assert ended in ("1 task has ended.", NOTHING)


def test_stop_aborts_a_task_as_tokio_does(tasks):
    tasks.run("ENDS.store(0, SeqCst); let a = waiting(); let b = waiting();")
    first, _ = rows(tasks)
    assert tasks.run(f":stop task {first}").value == "1 task has stopped."
    assert value(tasks, "(a.await.unwrap_err().is_cancelled(), b.is_finished(), ENDS.load(SeqCst))") == "(true, false, 1)"
    assert tasks.run(":stop").value == "1 task has stopped."
    assert value(tasks, "b.await.unwrap_err().is_cancelled()") == "true"
    assert tasks.run(":stop").value == NOTHING


@pytest.mark.parametrize(
    "code",
    [
        "tokio::spawn(async { let _end = End; loop { std::hint::spin_loop(); } })",
        "tokio::spawn(async { let _end = End; std::thread::sleep(Duration::from_secs(1000)); })",
        "tokio::task::spawn_blocking(|| { let _end = End; loop { std::thread::sleep(Duration::from_secs(1000)); } })",
        "tokio::spawn(async { let _end = End; loop { tokio::task::yield_now().await; } })",
    ],
)
def test_stop_ends_a_task_that_runs(tasks, code):
    tasks.run(f"ENDS.store(0, SeqCst); let busy: JoinHandle<()> = {code};")
    assert eventually(lambda: any("runs" in row for row in rows(tasks).values()))
    assert tasks.run(":stop").value == "1 task has stopped."
    assert value(tasks, "(busy.await.unwrap_err().is_cancelled(), ENDS.load(SeqCst))") == "(true, 1)"


def test_stop_and_threads_know_more_tasks_than_are_listed(tasks):
    tasks.run("ENDS.store(0, SeqCst); for _ in 0..12_000 { waiting(); }")
    assert "11900 more tasks are too many to list." in tasks.run(":threads").value
    assert eventually(lambda: tasks.run(":stop").value == NOTHING), "`:stop` waits for a second at most"
    assert value(tasks, "ENDS.load(SeqCst)") == "12000"


def test_a_task_of_a_runtime_that_nobody_drives_stops_when_it_is_driven(tasks):
    tasks.run("let own = tokio::runtime::Builder::new_current_thread().build().unwrap();\n"
              "let resting: JoinHandle<()> = own.spawn(std::future::pending());")
    [number] = rows(tasks)
    assert tasks.run(":stop").value == (
        f"1 task: {number} to be stopped when the runtime runs again; nobody drives it just now"
    )
    tasks.run("drop(std::thread::spawn(move || own.block_on(tokio::task::yield_now())).join());")
    assert tasks.run(":stop").value == NOTHING


def interrupted(kernel, code):
    """Runs a cell, and interrupts it when it has said that it waits."""
    request = kernel.send(code)
    kernel.published_text(request, "waits\n")
    kernel.manager.interrupt_kernel()
    cell = kernel.finish(request)
    assert cell.error["ename"] == "Interrupted"
    assert "replaced" not in cell.traceback
    return cell


@pytest.mark.parametrize("wait", ["loop {}", "std::future::pending::<()>().await;", "waiting().await;"])
def test_an_interrupt_ends_the_tasks_of_its_cell_and_no_others(tasks, wait):
    tasks.run(
        "ENDS.store(0, SeqCst); WENT_ON.store(0, SeqCst); let kept = waiting();\n"
        "let taken: Arc<Mutex<Vec<JoinHandle<i32>>>> = Arc::default();"
    )
    assert len(rows(tasks)) == 1
    cell = interrupted(
        tasks,
        "for _ in 0..3 { taken.lock().unwrap().push(waiting()); }\n"
        "tokio::spawn(async { loop { tokio::time::sleep(Duration::from_millis(1)).await; } });\n"
        f'println!("waits");\n{wait}',
    )
    assert notices(cell) == []
    # That of the other cell: nobody tells those that are stopped.
    until_all_wait(tasks, 1)
    tasks.run("GO.notify_waiters();")
    assert value(tasks, "kept.await.unwrap()") == "7"
    ends = "{ let mut all = Vec::new(); for task in taken.lock().unwrap().drain(..) { all.push(task); } all }"
    assert value(tasks, f"let mut ends = Vec::new(); for task in {ends} {{ ends.push(task.await.unwrap_err().is_cancelled()); }} ends") == (
        "[true, true, true]"
    )
    assert value(tasks, "WENT_ON.load(SeqCst)") == "1"


def test_an_interrupt_cancels_a_task_that_runs(tasks):
    tasks.run("let taken: Arc<Mutex<Option<JoinHandle<()>>>> = Arc::default();")
    interrupted(
        tasks,
        "let (tell, told) = std::sync::mpsc::channel();\n"
        "*taken.lock().unwrap() = Some(tokio::spawn(async move { tell.send(()).unwrap(); loop {} }));\n"
        'told.recv().unwrap();\nprintln!("waits");\nloop {}',
    )
    assert value(tasks, "let task = taken.lock().unwrap().take().unwrap(); task.await.unwrap_err().is_cancelled()") == "true"


def test_an_interrupt_ends_what_the_cell_has_asked_of_its_event_loop(tasks):
    tasks.run("ENDS.store(0, SeqCst); let kept = asyncio::create_task(async { let _end = End; GO.notified().await; 7 });")
    interrupted(
        tasks,
        "let end = End;\n"
        "asyncio::get_event_loop().call_later(1000, move || drop(end));\n"
        "asyncio::create_task(async { let _end = End; GO.notified().await; });\n"
        'asyncio::sleep(0).await;\nprintln!("waits");\nasyncio::sleep(1000).await;',
    )
    assert value(tasks, "ENDS.load(SeqCst)") == "2", "a timer and a task"
    tasks.run("GO.notify_one();")
    assert value(tasks, "(kept.await, ENDS.load(SeqCst))") == "(7, 3)"
