"""A cell that can never go on says why, by itself; a cell that only waits says nothing."""

import time

import pytest

from stuck_cells import STUCK, TASKS, TWO_LOCKS, USES


def notice(kernel, request):
    """What a running cell says about itself."""
    while "stuck" not in (content := kernel.published(request)["content"]).get("data", {}).get("text/plain", ""):
        assert content.get("execution_state") != "idle", "the cell ended without a word"
    assert "<ul>" in content["data"]["text/html"]
    return content


def says_stuck(cell):
    """Whether a cell that has ended was called stuck."""
    return any("stuck" in str(content["data"]) for content in cell.contents("display_data"))


@pytest.fixture(scope="module")
def lesson(kernel):
    assert kernel.run(USES).reply["status"] == "ok"
    return kernel


@pytest.mark.parametrize("name", STUCK)
def test_a_stuck_cell_says_why_and_keeps_variables(lesson, name):
    code, expected = STUCK[name]
    request = lesson.send(code.strip("\n") if code[0] != "\n" else code)
    text = notice(lesson, request)["data"]["text/plain"]
    lesson.manager.interrupt_kernel()
    cell = lesson.finish(request)
    assert cell.error["ename"] == "Interrupted"
    assert "stuck:" in cell.traceback, "the error does not name the reason"
    number = cell.reply["execution_count"]
    for piece in expected:
        assert piece.replace("#", str(number)) in text, text
    assert text.startswith("This cell is stuck: ")
    assert "Interrupt the kernel" in text
    assert lesson.run("kept.len()").value == "3"
    again = lesson.run(":why").value
    assert f"In[{number}] was stuck: " in again
    assert expected[0].replace("#", str(number)) in again


# Several that wait at the same time, each for longer than it takes to be called stuck.
WAITS = {
    "time": "thread::sleep(Duration::from_millis(1600));",
    "a timed wait": "let (tx, rx) = mpsc::channel::<()>();\nassert!(rx.recv_timeout(Duration::from_millis(1600)).is_err());",
    "a computing thread": "thread::spawn(|| { let start = std::time::Instant::now(); while start.elapsed().as_millis() < 1600 { std::hint::spin_loop(); } }).join().unwrap();",
    "a sleeping thread": "let lock = Arc::new(Mutex::new(1));\nlet (theirs, both) = (Arc::clone(&lock), Arc::new(Barrier::new(2)));\nlet begun = Arc::clone(&both);\n"
    "thread::spawn(move || { let _guard = theirs.lock().unwrap(); begun.wait(); thread::sleep(Duration::from_millis(1600)); });\n"
    "both.wait();\nassert_eq!(*lock.lock().unwrap(), 1);",
    "another program": 'assert!(std::process::Command::new("sleep").arg("1.6").status().unwrap().success());',
    "data": "use std::io::Read;\nlet listener = std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap();\nlet address = listener.local_addr().unwrap();\n"
    "let mut child = std::process::Command::new(\"bash\").arg(\"-c\").arg(format!(\"sleep 1.6; echo > /dev/tcp/127.0.0.1/{}\", address.port())).spawn().unwrap();\n"
    "thread::spawn(move || { listener.accept().unwrap(); }).join().unwrap();\nchild.wait().unwrap();",
    "a timer": "let (tx, rx) = mpsc::channel();\nlet timer = threading::Timer::new(1.6, move || tx.send(1).unwrap());\ntimer.start();\nassert_eq!(rx.recv(), Ok(1));",
    "a pool": "let pool = concurrent::futures::ThreadPoolExecutor::new(2);\nlet future = pool.submit(|time| thread::sleep(time), Duration::from_millis(1600));\nfuture.result();",
    "tokio": "let (tx, rx) = tokio::sync::oneshot::channel();\ntokio::spawn(async move { tokio::time::sleep(Duration::from_millis(1600)).await; tx.send(1).unwrap(); });\nassert_eq!(rx.await, Ok(1));",
    "a task that has a lock": "let lock = Arc::new(tokio::sync::Mutex::new(1));\nlet theirs = Arc::clone(&lock);\nlet (tx, rx) = tokio::sync::oneshot::channel();\n"
    "tokio::spawn(async move { let _guard = theirs.lock().await; tx.send(()).unwrap(); tokio::time::sleep(Duration::from_millis(1600)).await; });\n"
    "rx.await.unwrap();\nassert_eq!(*lock.lock().await, 1);",
    "tasks in a circle with a limit": "let locks: Vec<_> = (0..2).map(|n| Arc::new(tokio::sync::Mutex::new(n))).collect();\nlet both = Arc::new(tokio::sync::Barrier::new(2));\n"
    "let tasks: Vec<_> = (0..2).map(|n| {\n    let (first, second, both) = (locks[n].clone(), locks[1 - n].clone(), both.clone());\n"
    "    tokio::spawn(async move {\n        let _first = first.lock().await;\n        both.wait().await;\n"
    "        tokio::time::timeout(Duration::from_millis(1600), second.lock()).await.is_err()\n    })\n}).collect();\n"
    "let mut late = 0;\nfor task in tasks { late += task.await.unwrap() as i32; }\nassert!(late > 0);",
    "asyncio": "asyncio::sleep(1.6).await;",
    "park_timeout": "let start = std::time::Instant::now();\nwhile start.elapsed().as_millis() < 1600 { thread::park_timeout(Duration::from_millis(1600)); }",
    "wait_timeout": "let (ready, changed) = (Mutex::new(false), Condvar::new());\n"
    "let (_guard, wait) = changed.wait_timeout_while(ready.lock().unwrap(), Duration::from_millis(1600), |ready| !*ready).unwrap();\nassert!(wait.timed_out());",
    "an interval": "let mut ticks = tokio::time::interval(Duration::from_millis(1600));\nticks.tick().await;\nticks.tick().await;",
    "a pipe": 'assert_eq!(std::process::Command::new("bash").args(["-c", "sleep 1.6; echo x"]).output().unwrap().stdout, b"x\\n");',
    "a sender that still works": "let (tx, rx) = mpsc::channel();\nthread::spawn(move || { thread::sleep(Duration::from_millis(1600)); tx.send(1).unwrap(); });\nassert_eq!(rx.iter().count(), 1);",
    "crossbeam": "let (tx, rx) = crossbeam::channel::bounded::<i32>(0);\nlet timer = crossbeam::channel::after(Duration::from_millis(1600));\n"
    "crossbeam::channel::select! { recv(rx) -> _ => unreachable!(), recv(timer) -> _ => {} }\ndrop(tx);",
}


@pytest.mark.parametrize("what", WAITS)
def test_a_cell_that_waits_is_not_stuck(lesson, what):
    cell = lesson.run(WAITS[what])
    assert cell.reply["status"] == "ok", cell
    assert not says_stuck(cell), cell.outputs


def test_a_holder_is_only_probable_where_locks_are_taken_in_macros(own_kernel):
    """The newest note names the one who had the lock before."""
    kernel = own_kernel()
    kernel.run(USES)
    kernel.run("macro_rules! locked { ($lock:expr) => { $lock.lock().unwrap() } }\nstatic SHARED: Mutex<i32> = Mutex::new(0);")
    code = (
        'thread::Builder::new().name("before".into()).spawn(|| *SHARED.lock().unwrap() += 1).unwrap().join().unwrap();\n'
        "let both = Arc::new(Barrier::new(2));\nlet begun = Arc::clone(&both);\n"
        'thread::Builder::new().name("holder".into()).spawn(move || { let _guard = locked!(SHARED); begun.wait(); SLEEP }).unwrap();\n'
        "both.wait();\nlet guard = SHARED.lock().unwrap();"
    )
    waits = kernel.run(code.replace("SLEEP", "thread::sleep(Duration::from_millis(2500));"))
    assert waits.reply["status"] == "ok" and not says_stuck(waits), waits.outputs
    kernel.run("drop(guard);")
    request = kernel.send(code.replace("SLEEP", "loop { thread::park() }"))
    text = notice(kernel, request)["data"]["text/plain"]
    kernel.manager.interrupt_kernel()
    kernel.finish(request)
    assert "main waits for lock `SHARED`" in text, text
    assert "before" not in text and "nobody gives back" not in text, text


def test_a_sender_that_the_notebook_keeps_is_told(lesson):
    made = lesson.run("let (kept_tx, kept_rx) = mpsc::channel::<i32>();").reply["execution_count"]
    request = lesson.send("kept_tx.send(1).unwrap();\nfor number in &kept_rx {\n    println!(\"{number}\");\n}")
    text = notice(lesson, request)["data"]["text/plain"]
    lesson.manager.interrupt_kernel()
    number = lesson.finish(request).reply["execution_count"]
    expected = (
        f"main waits for a message from `kept_rx` (In[{number}]:2), made at In[{made}]:1, "
        f"whose only sender is still there, probably `kept_tx` (In[{made}]:1), a variable of the notebook"
    )
    assert expected in text, text
    lesson.run("drop((kept_tx, kept_rx));")


def test_input_is_waited_for_without_a_word(lesson):
    request = lesson.send('let mut line = String::new();\nstd::io::stdin().read_line(&mut line).unwrap();\nline', allow_stdin=True)
    assert lesson.question(request)
    # Longer than it takes to be called stuck.
    time.sleep(1.6)
    lesson.client.input("text")
    assert lesson.finish(request).value == '"text\\n"'


def test_who_has_poisoned_a_lock_is_named(lesson):
    code = """
let counter = Arc::new(Mutex::new(1));
let (theirs, other) = (Arc::clone(&counter), Arc::new(Mutex::new(0)));
let _ = thread::Builder::new().name("clumsy".into()).spawn(move || {
    let _number = theirs.lock().unwrap();
    let _ = [1][std::hint::black_box(1)];
}).unwrap().join();
let _ = thread::Builder::new().name("innocent".into()).spawn(move || {
    drop(other.lock());
    panic!("of something else");
}).unwrap().join();
"""
    first = lesson.run(code)
    number = first.reply["execution_count"]
    second = lesson.run("let value = *counter.lock().unwrap();")
    words = " ".join(second.traceback.split())
    expected = f"lock `counter` is poisoned: clumsy panicked, or was stopped, while it held it since In[{number}]:5"
    assert expected in words, words
    assert "innocent" not in words


def test_a_circle_is_seen_while_others_run_and_of_an_earlier_cell(lesson):
    code = TWO_LOCKS.replace("let first = a", "thread::spawn(move || {\nlet first = a").rstrip() + "\n});"
    request = lesson.send(code)
    cell = lesson.finish(request)
    assert cell.reply["status"] == "ok"
    busy = lesson.run("let start = std::time::Instant::now();\nwhile start.elapsed() < Duration::from_secs(2) {}")
    assert not says_stuck(busy), busy.outputs
    content = notice(lesson, request)
    number = cell.reply["execution_count"]
    text = content["data"]["text/plain"]
    assert text.startswith("Threads of this cell are stuck: 2 threads wait for each other"), text
    assert f"Threads of In[{number}] are stuck: 2 threads" in lesson.run(":why").value


def test_tasks_in_a_circle_are_seen_while_others_run(lesson):
    code = TASKS.strip().replace("for guest in guests { guest.await.unwrap(); }", "drop(guests);")
    request = lesson.send(code)
    cell = lesson.finish(request)
    assert cell.reply["status"] == "ok"
    busy = lesson.run("let start = std::time::Instant::now();\nwhile start.elapsed() < Duration::from_secs(2) {}")
    assert not says_stuck(busy), busy.outputs
    text = notice(lesson, request)["data"]["text/plain"]
    number = cell.reply["execution_count"]
    assert text.startswith("Tasks of this cell are stuck: 3 tasks wait for each other, in a circle."), text
    assert f"awaits lock `right` (In[{number}]:8), which task " in text, text
    assert f"Tasks of In[{number}] are stuck: 3 tasks" in lesson.run(":why").value
