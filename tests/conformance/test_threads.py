"""A cell behaves as in a program: statics have one identity, and a thread prints into its own cell."""

import re

import pytest
from gates import NAMED as NAMED_THREAD
from kernel_client import ANSI_COLOUR, eventually


def plain(traceback):
    """A traceback without colours."""
    return ANSI_COLOUR.sub("", "\n".join(traceback))


COUNTER = "use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};\nstatic N: AtomicUsize = AtomicUsize::new(0);"


def test_a_static_that_a_thread_of_an_earlier_cell_changed_has_changed(kernel):
    kernel.run(COUNTER)
    kernel.run("let worker = std::thread::spawn(|| for _ in 0..1000 { N.fetch_add(1, SeqCst); });")
    assert kernel.run("worker.join().unwrap(); N.load(SeqCst)").value == "1000"
    assert kernel.run("N.load(SeqCst)").value == "1000"


def test_defining_a_static_again_makes_a_new_one(kernel):
    kernel.run(COUNTER + "\nN.store(7, SeqCst);")
    assert kernel.run("N.load(SeqCst)").value == "7"
    kernel.run(COUNTER)
    assert kernel.run("N.load(SeqCst)").value == "0"


def test_statics_with_values_made_late_are_made_once(kernel):
    kernel.run(
        "use std::sync::{LazyLock, Mutex, OnceLock};\n"
        "static ONCE: OnceLock<String> = OnceLock::new();\n"
        "static LIST: Mutex<Vec<i32>> = Mutex::new(Vec::new());\n"
        "static LAZY: LazyLock<usize> = LazyLock::new(|| LIST.lock().unwrap().len());"
    )
    kernel.run('ONCE.set("first".into()).unwrap(); LIST.lock().unwrap().push(1);')
    assert kernel.run("*LAZY").value == "1"
    kernel.run("LIST.lock().unwrap().push(2);")
    assert kernel.run("(ONCE.get().cloned(), LIST.lock().unwrap().clone(), *LAZY)").value == '(Some("first"), [1, 2], 1)'


def test_a_thread_local_is_one_for_all_cells_and_another_for_each_thread(kernel):
    kernel.run(
        "use std::cell::{Cell, RefCell};\n"
        "thread_local! {\n"
        "    static COUNT: Cell<u32> = const { Cell::new(1) };\n"
        "    pub static WORDS: RefCell<Vec<String>> = RefCell::new(vec![]);\n"
        "}"
    )
    kernel.run(
        "let (ask, asked) = std::sync::mpsc::channel::<()>();\n"
        "let (answer, answered) = std::sync::mpsc::channel::<u32>();\n"
        "let of_thread = std::thread::spawn(move || { COUNT.set(20); asked.iter().for_each(|_| answer.send(COUNT.get()).unwrap()) });"
    )
    kernel.run('COUNT.set(COUNT.get() + 1); WORDS.with_borrow_mut(|words| words.push("here".into()));')
    assert kernel.run("ask.send(()).unwrap(); (answered.recv().unwrap(), COUNT.get(), WORDS.take())").value == '(20, 2, ["here"])'


def test_a_thread_local_defined_again_is_new(kernel):
    code = "thread_local!(static AGAIN: std::cell::Cell<u32> = std::cell::Cell::new(5));\nAGAIN.set(AGAIN.get() + 1); AGAIN.get()"
    assert [kernel.run(cell).value for cell in (code, "AGAIN.set(9); AGAIN.get()", code)] == ["6", "9", "6"]


def test_thread_locals_in_modules_and_functions_are_one_for_all_cells(kernel):
    kernel.run(
        "mod counters {\n    thread_local! { pub static INNER: std::cell::Cell<u32> = std::cell::Cell::new(0); }\n}\n"
        "fn next() -> u32 {\n    thread_local!(static N: std::cell::Cell<u32> = const { std::cell::Cell::new(0) });\n"
        "    N.set(N.get() + 1);\n    N.get()\n}"
    )
    assert kernel.run("counters::INNER.set(7); next()").value == "1"
    assert kernel.run("(counters::INNER.get(), next())").value == "(7, 2)"


def test_lazy_statics_are_made_once(kernel):
    kernel.run(
        "lazy_static! {\n"
        "    static ref MADE: std::sync::Mutex<Vec<u32>> = { println!(\"made\"); Default::default() };\n"
        "}"
    )
    assert kernel.run("MADE.lock().unwrap().push(1);").stdout == "made\n"
    assert kernel.run("MADE.lock().unwrap().push(2); MADE.lock().unwrap().clone()").value == "[1, 2]"


def test_an_error_in_a_thread_local_is_drawn_at_its_place(kernel):
    cell = kernel.run('let first = 1;\nthread_local! {\n    static WRONG: u32 = "text";\n}')
    assert cell.error["ename"] == "E0308"
    shown = cell.traceback.splitlines()
    [at] = [index for index, line in enumerate(shown) if 'static WRONG: u32 = "text";' in line]
    assert shown[at].index('"text"') == shown[at + 1].index("^^^^^^")
    assert f"In[{cell.reply['execution_count']}]:3" in cell.traceback


def test_a_static_inside_a_function_keeps_its_value(kernel):
    kernel.run(
        "fn count() -> usize {\n"
        "    static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);\n"
        "    CALLS.fetch_add(1, std::sync::atomic::Ordering::SeqCst)\n"
        "}"
    )
    assert [kernel.run("count()").value for _ in range(3)] == ["0", "1", "2"]


def test_a_static_of_a_type_that_was_redefined_is_made_anew(kernel):
    kernel.run("#[derive(Debug)] struct Shape { side: u8 }\nstatic SHAPE: Shape = Shape { side: 1 };")
    assert kernel.run("SHAPE.side").value == "1"
    kernel.run(
        "#[derive(Debug)] struct Shape { wide: u64, high: u64 }\n"
        "static SHAPE: Shape = Shape { wide: 2, high: 3 };"
    )
    assert kernel.run("(SHAPE.wide, SHAPE.high)").value == "(2, 3)"


def test_statics_begin_anew_in_a_new_process(own_kernel):
    kernel = own_kernel()
    kernel.run(COUNTER + "\nN.store(7, SeqCst);")
    kernel.run(":restart")
    assert kernel.run("N.load(SeqCst)").value == "0"
    assert kernel.run("N.fetch_add(1, SeqCst); N.load(SeqCst)").value == "1"


def notices(cell):
    """What a cell shows at its end of threads that still run, up to what differs from run to run."""
    texts = [content["data"]["text/plain"] for content in cell.contents("display_data")]
    return [re.sub(r"(: thread )\d+ .*| \(:.*", r"\1", text) for text in texts if "of this cell" in text]


def test_what_a_thread_prints_late_appears_in_its_own_cell(kernel):
    first = kernel.send(
        "let (go, wait) = std::sync::mpsc::channel::<()>();\n"
        "let late = std::thread::spawn(move || {\n"
        "    wait.recv().unwrap();\n"
        '    println!("printed");\n'
        '    std::thread::spawn(|| eprintln!("by a thread of the thread")).join().unwrap();\n'
        '    display(&Html::from("shown"));\n'
        "});"
    )
    assert notices(kernel.finish(first)) == ["1 thread of this cell still runs: thread "]
    second = kernel.run('go.send(()).unwrap(); late.join().unwrap(); println!("second");')
    assert second.stdout == "second\n"
    late = [kernel.published(first) for _ in range(3)]
    assert [message["content"].get("text") for message in late[:2]] == ["printed\n", "by a thread of the thread\n"]
    assert late[2]["content"]["data"]["text/html"] == "shown"


def test_a_panic_of_a_thread_appears_in_its_own_cell_with_its_line(kernel):
    first = kernel.send(
        "let (go, wait) = std::sync::mpsc::channel::<()>();\n"
        'let doomed = std::thread::Builder::new().name("doomed".into()).spawn(move || {\n'
        "    wait.recv().unwrap();\n"
        '    assert!(wait.recv().is_ok(), "nobody is left");\n'
        "}).unwrap();"
    )
    number = kernel.finish(first).reply["execution_count"]
    assert kernel.run("drop(go.send(())); drop(go); doomed.join().is_err()").value == "true"
    error = kernel.published(first)
    assert error["msg_type"] == "error"
    assert error["content"]["ename"] == "panic"
    assert error["content"]["evalue"] == "thread 'doomed' panicked: nobody is left"
    traceback = plain(error["content"]["traceback"])
    assert f"In[{number}]:4:5" in traceback
    assert "`join()` gives an `Err`" in traceback and "poisoned" in traceback


def test_a_panic_of_a_task_appears_in_its_own_cell_and_names_the_task(kernel):
    first = kernel.send(
        "let (go, wait) = tokio::sync::oneshot::channel::<()>();\n"
        "let doomed = tokio::spawn(async move {\n"
        "    wait.await.unwrap();\n"
        '    if true { panic!("out of luck") }\n'
        "});"
    )
    number = kernel.finish(first).reply["execution_count"]
    assert kernel.run("go.send(()).unwrap(); doomed.await.unwrap_err().is_panic()").value == "true"
    error = kernel.published(first)["content"]
    assert error["ename"] == "panic"
    assert re.fullmatch(rf"task \d+ \(spawned at In\[{number}\]:2:14\) panicked: out of luck", error["evalue"])
    traceback = plain(error["traceback"])
    assert f"In[{number}]:4:15" in traceback and "`JoinHandle` gives an `Err`" in traceback


def test_a_panic_that_is_handed_on_is_no_error_of_its_own(kernel):
    cell = kernel.run(
        "let pool = concurrent::futures::ThreadPoolExecutor::new(1);\n"
        'pool.submit_fn(|| if true { panic!("handed on") }).exception().is_some()'
    )
    assert cell.value == "true"
    assert "handed on" in cell.stderr and "error" not in cell.kinds


@pytest.mark.parametrize(
    "print_in_pool",
    [
        'let pool = concurrent::futures::ThreadPoolExecutor::new(1); pool.submit_fn(|| println!("{n}")).result();',
        'pool.submit_fn(|| println!("{n}")).result();',
        'tokio::task::spawn_blocking(|| println!("{n}")).await.unwrap();',
        'tokio::spawn(async {{ println!("{n}") }}).await.unwrap();',
        'use rayon::prelude::*; [()].into_par_iter().for_each(|_| rayon::join(|| println!("{n}"), || ()).0);',
    ],
)
def test_a_pool_prints_into_the_cell_that_uses_it(kernel, print_in_pool):
    for n in "one", "two":
        assert kernel.run(print_in_pool.replace("{n}", n).replace("{{", "{").replace("}}", "}")).stdout == f"{n}\n"


def test_the_runtime_of_tokio_starts_with_the_first_cell_that_names_it(own_kernel):
    kernel = own_kernel()
    names = """std::fs::read_dir("/proc/self/task").unwrap()
        .filter_map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")).ok())
        .filter(|name| name.starts_with("tok"))
        .count()"""
    assert kernel.run(names).value == "0"
    kernel.run("fn later() -> tokio::task::JoinHandle<i32> { tokio::spawn(async { 5 }) }")
    assert kernel.run("let task = later();").reply["status"] == "ok"
    # A thread gives itself its name.
    assert eventually(lambda: int(kernel.run(names).value) >= 2)
    assert kernel.run("task.await.unwrap()").value == "5"


def rows_of_threads(kernel):
    """What `:threads` lists: for each name, started in, state, and the rest."""
    data = kernel.run(":threads").contents("execute_result")[0]["data"]
    columns = re.compile(r"  +")
    rows = [columns.split(line) for line in data["text/plain"].splitlines()]
    assert "<table>" in data["text/html"]
    return {row[1]: row[2:] for row in rows if len(row) == 6}


def test_threads_are_listed_with_their_cell_and_what_they_wait_for(own_kernel):
    kernel = own_kernel()
    assert "No thread" in kernel.run(":threads").value
    kernel.run(
        "use std::{sync::{Condvar, Mutex, mpsc}, thread, time::Duration};\n"
        "static LOCK: Mutex<bool> = Mutex::new(false);\n"
        "static CHANGED: Condvar = Condvar::new();\n"
        "let (go, wait) = mpsc::channel::<()>();\n" + NAMED_THREAD
    )
    number = kernel.run(
        "let sleeper = named(\"sleeper\", || thread::sleep(Duration::from_secs(1000)));\n"
        "named(\"joiner\", || drop(sleeper.join()));\n"
        "named(\"receiver\", move || { let _ = wait.recv(); });\n"
        "named(\"holder\", || drop(CHANGED.wait_while(LOCK.lock().unwrap(), |ready| !*ready)));\n"
        "named(\"runner\", || loop { std::hint::spin_loop() });"
    ).reply["execution_count"]
    states = {
        "sleeper": "sleeps 16 min",
        "joiner": "joins sleeper",
        "receiver": "waits for a message from `wait`",
        "holder": "waits for a notification of `CHANGED`",
        "runner": "runs",
    }

    def settled():
        rows = rows_of_threads(kernel)
        return rows if all(rows[name][1].startswith(state) for name, state in states.items()) else None

    rows = eventually(settled)
    for line, name in enumerate(states, 1):
        assert rows[name][:1] == [f"In[{number}]:{line}"]
        assert name == "runner" or rows[name][1].endswith(f"In[{number}]:{line}")
    assert eventually(lambda: rows_of_threads(kernel)["runner"][3] != "0 ms")
    kernel.run("go.send(()).unwrap(); *LOCK.lock().unwrap() = true; CHANGED.notify_all();")
    assert eventually(lambda: rows_of_threads(kernel).keys() == {"name", "sleeper", "joiner", "runner"})


NAMED = (
    "use std::{sync::mpsc, thread, time::Duration};\n"
    f"{NAMED_THREAD}\n"
    "fn start(name: &str, body: impl FnOnce() + Send + 'static) { named(name, body); }"
)


def test_a_cell_that_leaves_threads_says_so_before_its_value(own_kernel):
    kernel = own_kernel()
    kernel.run(NAMED + "\nlet (go, wait) = mpsc::channel::<()>();")
    cell = kernel.run('start("worker", move || { let _ = wait.recv(); }); threading::Timer::new(1000, || ()).start(); 5')
    assert notices(cell) == ["1 thread of this cell still runs: worker; 1 timer of this cell is still to fire"]
    assert cell.kinds == ["display_data", "execute_result"]
    assert kernel.run('println!("printed"); 5').kinds == ["stream", "execute_result"], "only the cell that started it"
    cell = kernel.run(
        'let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();\n'
        "let before = threads();\n"
        'start("a", || ()); thread::scope(|scope| drop(scope.spawn(|| ())));\n'
        "while threads() > before { thread::yield_now(); }"
    )
    assert notices(cell) == [], "threads that have ended"
    cell = kernel.run("let pool = concurrent::futures::ThreadPoolExecutor::new(1); pool.submit_fn(|| 2).result()")
    assert cell.kinds == ["execute_result"], "threads that wait for work of any cell"


def test_join_waits_for_the_threads_of_earlier_cells(own_kernel):
    kernel = own_kernel()
    kernel.run(NAMED + "\nlet (go, wait) = mpsc::channel::<()>();")
    kernel.run('start("receiver", move || { let _ = wait.recv(); });')
    kernel.run('let (let_go, hold) = mpsc::channel::<()>(); start("holder", move || { let _ = hold.recv(); });')
    waiting = kernel.send(":join")
    first = None
    while first is None or first["msg_type"] != "display_data":
        first = kernel.published(waiting)
    assert first["content"]["data"]["text/plain"] == "waiting for 2 threads: receiver, holder"
    kernel.manager.interrupt_kernel()
    stopped = kernel.finish(waiting)
    assert stopped.error["ename"] == "Interrupted"
    assert stopped.error["evalue"] == "still running: 2 threads: receiver, holder"
    kernel.run("go.send(()).unwrap();")
    assert kernel.run(":join 1").error["evalue"].startswith("no thread is called `1`")
    kernel.run("let_go.send(()).unwrap();")
    shown = kernel.run(":join").outputs[-1]["content"]["data"]["text/plain"]
    assert shown in ("1 thread has ended.", "2 threads have ended.", "No thread or task that a cell started is running.")
    assert "No thread" in kernel.run(":threads").value


def test_threads_without_end_meet_a_limit(own_kernel):
    kernel = own_kernel(INTERLEAVE_THREAD_LIMIT="50")
    number = kernel.run(NAMED).reply["execution_count"] + 1
    cell = kernel.run("fn bomb() {\n    loop {\n        thread::spawn(bomb);\n    }\n}\nbomb();")
    assert cell.error["evalue"].startswith("too many threads: 50 live at once")
    assert f"In[{number}]:3:9" in cell.traceback
    # The cell does not wait for those of the bomb.
    assert eventually(lambda: "No thread" in kernel.run(":threads").value)
    assert kernel.run("thread::spawn(|| 5).join().unwrap()").value == "5"
    cell = kernel.run("thread::spawn(bomb).join().is_err()")
    assert cell.value == "true"
    assert len(cell.contents("error")) == 1, "the same panic of many threads is told once"
    assert kernel.run(":threads limit many").error["evalue"].startswith("`many` is no number")
    assert kernel.run(":threads limit 200").value == "200 threads may live at once."
    kernel.run("use std::sync::Barrier;")
    together = "let all = Barrier::new(101); thread::scope(|s| { for _ in 0..100 { s.spawn(|| all.wait()); } all.wait(); })"
    assert kernel.run(together).reply["status"] == "ok"
    kernel.run("std::process::abort();")
    assert kernel.run(together).reply["status"] == "ok", "a new process keeps the limit"


def test_a_panic_that_comes_of_another_names_it(own_kernel):
    kernel = own_kernel()
    kernel.run(NAMED + "\nstatic LOCK: std::sync::Mutex<i32> = std::sync::Mutex::new(0);")
    cell = kernel.send('start("doomed", || {\n    let _guard = LOCK.lock().unwrap();\n    panic!("boom");\n});')
    number = kernel.finish(cell).reply["execution_count"]
    kernel.run(":join")
    told = " ".join(kernel.run("*LOCK.lock().unwrap() += 1;").traceback.split())
    assert f"lock `LOCK` is poisoned: doomed panicked, or was stopped, while it held it since In[{number}]:2" in told


def test_stop_ends_threads_and_says_which_go_on(own_kernel):
    kernel = own_kernel()
    kernel.run(NAMED + "\nstatic LOCK: std::sync::Mutex<i32> = std::sync::Mutex::new(0);")
    kernel.run(
        'start("spinner", || loop { std::hint::spin_loop() });\n'
        'start("sleeper", || loop { thread::sleep(Duration::from_secs(1000)) });\n'
        "let guard = LOCK.lock().unwrap();\n"
        'start("waiter", || drop(LOCK.lock()));'
    )
    number = kernel.run("*guard").reply["execution_count"] - 1
    assert eventually(lambda: rows_of_threads(kernel)["waiter"][1].startswith("waits for lock"))
    assert kernel.run(":stop nobody").error["evalue"].startswith("no thread is called `nobody`. There are: spinner (")
    assert kernel.run(":stop spinner").value == "1 thread has stopped."
    stopped = kernel.run(":stop").value.splitlines()
    assert stopped[0] == "1 thread has stopped."
    assert re.fullmatch(
        rf"waiter \(\d+\) goes on: it waits for a lock, In\[{number}\]:4; it stops when that wait ends.", stopped[1]
    )
    assert kernel.run("drop(guard); 5").value == "5"
    assert eventually(lambda: "No thread" in kernel.run(":threads").value)
    assert kernel.run(":stop").value == "No thread or task that a cell started is running."
