"""Cells that can never go on, each with what must be said of it."""

USES = """
use std::{sync::{Arc, Barrier, Condvar, Mutex, RwLock, mpsc}, thread, time::Duration};
let kept = vec![1, 2, 3];
"""

TWO_LOCKS = """
let (a, b) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
let both = Arc::new(Barrier::new(2));
let (left_a, left_b, left_both) = (Arc::clone(&a), Arc::clone(&b), Arc::clone(&both));
thread::Builder::new().name("left".into()).spawn(move || {
    let _second = left_b.lock().unwrap();
    left_both.wait();
    let _first = left_a.lock().unwrap();
}).unwrap();
let first = a.lock().unwrap();
both.wait();
let second = b.lock().unwrap();
"""

PHILOSOPHERS = """
let forks: Arc<Vec<Mutex<()>>> = Arc::new((0..3).map(|_| Mutex::new(())).collect());
let seated = Arc::new(Barrier::new(3));
let guests: Vec<_> = ["Arendt", "Buber", "Cixous"].into_iter().enumerate().map(|(seat, name)| {
    let (forks, seated) = (Arc::clone(&forks), Arc::clone(&seated));
    thread::Builder::new().name(name.into()).spawn(move || {
        let _left = forks[seat].lock().unwrap();
        seated.wait();
        let _right = forks[(seat + 1) % 3].lock().unwrap();
    }).unwrap()
}).collect();
for guest in guests { guest.join().unwrap(); }
"""

TASKS = """
let forks: Arc<Vec<_>> = Arc::new((0..3).map(|_| Arc::new(tokio::sync::Mutex::new(()))).collect());
let seated = Arc::new(tokio::sync::Barrier::new(3));
let guests: Vec<_> = (0..3).map(|seat| {
    let (seated, left, right) = (Arc::clone(&seated), Arc::clone(&forks[seat]), Arc::clone(&forks[(seat + 1) % 3]));
    tokio::spawn(async move {
        let _left = left.lock().await;
        seated.wait().await;
        let _right = right.lock().await;
    })
}).collect();
for guest in guests { guest.await.unwrap(); }
"""

# Each with what must be said, piece by piece. `#` stands for the number of the cell.
STUCK = {
    "two locks": (
        TWO_LOCKS,
        [
            "2 threads wait for each other",
            "main waits for lock `b` (In[#]:12), which left has held since In[#]:6 (there it is `left_b`)",
            "left waits for lock `left_a` (In[#]:8), which main has held since In[#]:10",
            "main --lock b--> left --lock left_a--> main",
        ],
    ),
    "philosophers": (
        PHILOSOPHERS,
        [
            "3 threads wait for each other",
            "Arendt waits for lock `forks[(seat + 1) % 3]` (In[#]:9), which Buber has held since In[#]:7",
            "main waits for the end of `guest`, thread Arendt (In[#]:12)",
        ],
    ),
    "itself": (
        "let twice = Mutex::new(0);\nlet first = twice.lock().unwrap();\nlet second = twice.lock().unwrap();",
        ["a lock that it holds itself", "main waits for lock `twice` (In[#]:3), which it holds itself since In[#]:2"],
    ),
    "itself in a function": (
        "fn total(list: &Mutex<Vec<i32>>) -> i32 { list.lock().unwrap().iter().sum() }\n"
        "let list = Mutex::new(vec![1]);\nlet guard = list.lock().unwrap();\nprintln!(\"{}\", total(&list));",
        ["main waits for lock `list` (In[#]:1), which it holds itself since In[#]:3"],
    ),
    "itself in println!": (
        'let total = Mutex::new(1);\nprintln!("{} {}", total.lock().unwrap(), total.lock().unwrap());',
        ["main waits for lock `total` (In[#]:2), which it holds itself since In[#]:2"],
    ),
    "itself in the condition": (
        "let queue = Mutex::new(vec![1]);\nif let Some(last) = queue.lock().unwrap().pop() { queue.lock().unwrap().push(last); }",
        ["which it holds itself since In[#]:2"],
    ),
    "reader and writer": (
        "let shared = RwLock::new(1);\nlet reader = shared.read().unwrap();\n*shared.write().unwrap() += *reader;",
        ["main waits for lock `shared` (In[#]:3), which it probably holds itself since In[#]:2"],
    ),
    "forgotten guard": (
        "let lost = Mutex::new(1);\nthread::scope(|scope| {\n"
        '    thread::Builder::new().name("loser".into()).spawn_scoped(scope, || std::mem::forget(lost.lock())).unwrap().join();\n'
        "});\nlet again = lost.lock();",
        ["a lock that nobody gives back", "which loser took at In[#]:3 and never gave back: it has ended"],
    ),
    "own sender": (
        "let (tx, rx) = mpsc::channel();\nlet other = tx.clone();\nthread::spawn(move || other.send(1)).join();\n"
        'for number in rx {\n    println!("{number}");\n}',
        [
            "a message that only it could send itself",
            "main waits for a message from `rx` (In[#]:4), made at In[#]:1, whose only sender is still there: `tx` (In[#]:1) in main",
            "drop those that will send nothing more, here `drop(tx)`",
        ],
    ),
    "a sender in a loop's shadow": (
        "let (tx, rx) = mpsc::channel();\nfor number in 0..3 {\n    let tx = tx.clone();\n"
        "    thread::spawn(move || tx.send(number));\n}\nwhile let Ok(number) = rx.recv() {\n    println!(\"{number}\");\n}",
        ["whose only sender is still there: `tx` (In[#]:1) in main"],
    ),
    "a receiver elsewhere": (
        "fn consume(inbox: mpsc::Receiver<i32>) {\n    for number in inbox {\n        println!(\"{number}\");\n    }\n}\n"
        "let (tx, rx) = mpsc::channel();\n"
        'let worker = thread::Builder::new().name("consumer".into()).spawn(move || consume(rx)).unwrap();\n'
        "tx.send(1).unwrap();\nworker.join().unwrap();",
        [
            "2 threads wait for each other",
            "main waits for the end of `worker`, thread consumer (In[#]:9)",
            "consumer waits for a message from `inbox` (In[#]:2), made at In[#]:6 as `rx`, whose only sender is still there: `tx` (In[#]:6) in main",
            "main --end--> consumer --message from inbox--> main",
        ],
    ),
    "a shared receiver": (
        "let (tx, rx) = mpsc::channel::<Box<dyn FnOnce() + Send>>();\nlet rx = Arc::new(Mutex::new(rx));\n"
        "let workers: Vec<_> = (0..2).map(|_| {\n    let rx = Arc::clone(&rx);\n    thread::spawn(move || loop {\n"
        "        let job = rx.lock().unwrap().recv();\n        match job { Ok(job) => job(), Err(_) => break }\n    })\n}).collect();\n"
        "for worker in workers { worker.join().unwrap(); }",
        ["waits for a message from `rx` (In[#]:6), made at In[#]:1, whose only sender is still there: `tx` (In[#]:1) in main"],
    ),
    "two that wait for messages": (
        "let (a, b) = mpsc::channel::<i32>();\nlet (c, d) = mpsc::channel::<i32>();\n"
        'thread::Builder::new().name("ping".into()).spawn(move || c.send(b.recv().unwrap())).unwrap();\n'
        "let first = d.recv().unwrap();\na.send(first).unwrap();",
        [
            "main waits for a message from `d` (In[#]:4), made at In[#]:2, whose only sender is still there: `c` (In[#]:3) in ping",
            "ping waits for a message from `b` (In[#]:3), made at In[#]:1, whose only sender is still there: `a` (In[#]:1) in main",
            "main --message from d--> ping --message from b--> main",
            "one of them must send first",
        ],
    ),
    "a producer without room": (
        "let (tx, rx) = crossbeam::channel::bounded::<i32>(1);\n"
        'let producer = thread::Builder::new().name("producer".into()).spawn(move || for number in 0..5 { tx.send(number).unwrap(); }).unwrap();\n'
        "producer.join().unwrap();\nrx.iter().count();",
        ["producer waits for room in `tx` (In[#]:2), made at In[#]:1, whose only receiver is still there: `rx` (In[#]:1) in main"],
    ),
    "a sender of tokio": (
        "let (tx, mut rx) = tokio::sync::mpsc::channel::<i32>(4);\nlet other = tx.clone();\n"
        "tokio::spawn(async move { other.send(1).await.unwrap(); });\nwhile let Some(number) = rx.recv().await {\n    println!(\"{number}\");\n}",
        ["main awaits a message from `rx` (In[#]:4), made at In[#]:1, whose only sender is still there: `tx` (In[#]:1) in main"],
    ),
    "a pool whose queue stays open": (
        "struct Pool { jobs: mpsc::Sender<i32>, worker: Option<thread::JoinHandle<()>> }\n"
        "impl Drop for Pool { fn drop(&mut self) { self.worker.take().unwrap().join().unwrap(); } }\n"
        "let (jobs, rx) = mpsc::channel();\n"
        'let worker = thread::Builder::new().name("worker".into()).spawn(move || for job in rx { println!("{job}"); }).unwrap();\n'
        "drop(Pool { jobs, worker: Some(worker) });",
        [
            "main waits for the end of `self.worker`, thread worker (In[#]:2)",
            "worker waits for a message from `rx` (In[#]:4), made at In[#]:3, which still has a sender",
        ],
    ),
    "two that join each other": (
        "let slot = Arc::new(Mutex::new(None::<thread::JoinHandle<()>>));\nlet theirs = Arc::clone(&slot);\n"
        "let go = Arc::new(Barrier::new(2));\nlet begun = Arc::clone(&go);\n"
        'let a = thread::Builder::new().name("a".into()).spawn(move || { begun.wait(); let b = theirs.lock().unwrap().take().unwrap(); b.join().unwrap(); }).unwrap();\n'
        'let b = thread::Builder::new().name("b".into()).spawn(move || a.join().unwrap()).unwrap();\n'
        "*slot.lock().unwrap() = Some(b);\ngo.wait();\nloop { thread::park(); }",
        ["2 threads wait for each other", "a waits for the end of `b` (In[#]:5)", "a --end--> b --end--> a"],
    ),
    "full channel": (
        "let (tx, rx) = mpsc::sync_channel(1);\ntx.send(1).unwrap();\ntx.send(2).unwrap();\nrx.recv().unwrap();",
        ["main waits for room in `tx` (In[#]:3), made at In[#]:1, whose only receiver is still there: `rx` (In[#]:1) in main"],
    ),
    "join of one that waits": (
        "let held = Arc::new(Mutex::new(1));\nlet guard = held.lock().unwrap();\nlet theirs = Arc::clone(&held);\n"
        'let worker = thread::Builder::new().name("worker".into()).spawn(move || { *theirs.lock().unwrap() += 1; }).unwrap();\n'
        "worker.join().unwrap();",
        [
            "main waits for the end of `worker` (In[#]:5)",
            "worker waits for lock `theirs` (In[#]:4), which main has held since In[#]:2",
            "main --end--> worker --lock theirs--> main",
        ],
    ),
    "scope": (
        "let held = Mutex::new(1);\nlet guard = held.lock().unwrap();\n"
        "thread::scope(|scope| {\n    scope.spawn(|| *held.lock().unwrap() += 1);\n});",
        ["main waits for the threads of its scope (In[#]:3)", "which main has held since In[#]:2"],
    ),
    "nobody notifies": (
        "let (ready, changed) = (Mutex::new(false), Condvar::new());\nlet mut guard = ready.lock().unwrap();\n"
        "while !*guard {\n    guard = changed.wait(guard).unwrap();\n}",
        ["main waits for a notification of `changed` (In[#]:4)", "lost"],
    ),
    "barrier": ("let alone = Barrier::new(2);\nalone.wait();", ["main waits for others at `alone` (In[#]:2): 1 of 2 has come"]),
    "parked": ("loop { thread::park(); }", ["main is parked", "In[#]:1"]),
    "a lock of parking_lot": (
        "let twice = parking_lot::Mutex::new(0);\nlet first = twice.lock();\nlet second = twice.lock();",
        ["a lock that it holds itself", "main waits for lock `twice` (In[#]:3), which it holds itself since In[#]:2"],
    ),
    "philosophers with parking_lot": (
        PHILOSOPHERS.replace("Mutex", "parking_lot::Mutex").replace(".lock().unwrap()", ".lock()"),
        [
            "3 threads wait for each other",
            "Arendt waits for lock `forks[(seat + 1) % 3]` (In[#]:9), which Buber has held since In[#]:7",
            "Cixous waits for lock `forks[(seat + 1) % 3]` (In[#]:9), which Arendt has held since In[#]:7",
        ],
    ),
    "reader and writer of parking_lot": (
        "let shared = parking_lot::RwLock::new(1);\nlet writer = shared.write();\nlet reader = shared.read();",
        ["main waits for lock `shared` (In[#]:3), which it holds itself since In[#]:2"],
    ),
    "reader, then writer of parking_lot": (
        "let shared = parking_lot::RwLock::new(1);\nlet reader = shared.read();\n*shared.write() += *reader;",
        ["main waits for lock `shared` (In[#]:3), which it probably holds itself since In[#]:2"],
    ),
    "result": (
        "let nobody = concurrent::futures::Future::<i32>::new();\nnobody.result();",
        ["main waits for the result of `nobody` (In[#]:2)"],
    ),
    "await": (
        "async fn deep(rx: tokio::sync::oneshot::Receiver<i32>) -> i32 {\n"
        "    tokio::time::sleep(Duration::from_millis(1)).await;\n    rx.await.unwrap()\n}\n"
        "let (tx, rx) = tokio::sync::oneshot::channel();\nlet number = deep(rx).await;\ndrop(tx);",
        ["main awaits a message from `rx` (In[#]:3), made at In[#]:5, whose only sender is still there: `tx` (In[#]:5) in main"],
    ),
    "pending": (
        "block_on(async {\n    std::future::pending::<()>().await\n});",
        ["main awaits something, and nobody is left to wake it (In[#]:1)"],
    ),
    "tasks": (
        "let (a, b) = (Arc::new(tokio::sync::Mutex::new(1)), Arc::new(tokio::sync::Mutex::new(2)));\n"
        "let (their_a, their_b) = (Arc::clone(&a), Arc::clone(&b));\nlet (tx, rx) = tokio::sync::oneshot::channel();\n"
        "let first = a.lock().await;\n"
        "tokio::spawn(async move {\n    let _second = their_b.lock().await;\n    tx.send(()).unwrap();\n"
        "    let _first = their_a.lock().await;\n});\n"
        "rx.await.unwrap();\nlet second = b.lock().await;",
        [
            "2 threads and tasks wait for each other, in a circle",
            "main awaits lock `b` (In[#]:11), which task ",
            " has held since In[#]:6 (there it is `their_b`)",
            ", spawned at In[#]:5, awaits lock `their_a` (In[#]:8), which main has held since In[#]:4 (there it is `a`)",
            "main --lock b--> task ",
            " --lock their_a--> main",
        ],
    ),
    "philosophers on tasks": (
        TASKS,
        [
            "3 tasks wait for each other, in a circle",
            "main awaits the end of `guest`, task ",
            ", spawned at In[#]:6, awaits lock `right` (In[#]:9), which task ",
            " has held since In[#]:7 (there it is `left`)",
            "Tasks that take several locks in the same order cannot do that.",
        ],
    ),
    "futures in one task": (
        "async fn transfer(from: &tokio::sync::Mutex<i32>, to: &tokio::sync::Mutex<i32>) {\n    let mut from = from.lock().await;\n"
        "    tokio::task::yield_now().await;\n    *to.lock().await += 1;\n    *from -= 1;\n}\n"
        "let (x, y) = (tokio::sync::Mutex::new(1), tokio::sync::Mutex::new(1));\ntokio::join!(transfer(&x, &y), transfer(&y, &x));",
        [
            "main awaits all of `transfer(&x, &y)` and `transfer(&y, &x)` (In[#]:8): "
            "lock `to` (In[#]:4), which it holds itself since In[#]:2 (there it is `from`)",
        ],
    ),
    "reader and writer of tokio": (
        "let shared = tokio::sync::RwLock::new(1);\nlet reader = shared.read().await;\n*shared.write().await += *reader;",
        ["main awaits lock `shared` (In[#]:3), which it probably holds itself since In[#]:2"],
    ),
    "a lock of tokio on a thread": (
        "let held = Arc::new(tokio::sync::Mutex::new(1));\nlet theirs = Arc::clone(&held);\nlet guard = held.lock().await;\n"
        'thread::Builder::new().name("other".into()).spawn(move || { *theirs.blocking_lock() += 1; }).unwrap().join().unwrap();',
        [
            "main waits for the end of other (In[#]:4)",
            "other awaits lock `theirs` (In[#]:4), which main has held since In[#]:3 (there it is `held`)",
            "main --end--> other --lock theirs--> main",
        ],
    ),
    "no permits": (
        "let tickets = tokio::sync::Semaphore::new(0);\nlet ticket = tickets.acquire().await.unwrap();",
        ["main awaits a permit of `tickets` (In[#]:2)", "`add_permits` makes new ones"],
    ),
    "one permit": (
        "let tickets = tokio::sync::Semaphore::new(1);\nlet first = tickets.acquire().await.unwrap();\nlet second = tickets.acquire().await.unwrap();",
        [
            "a thread waits for a permit of which it has taken the newest itself",
            "main awaits a permit of `tickets` (In[#]:3), of which it itself took the newest at In[#]:2",
        ],
    ),
    "the first of two": (
        "let (tx, mut rx) = tokio::sync::oneshot::channel::<i32>();\nlet bell = tokio::sync::Notify::new();\n"
        "tokio::select! {\n    number = &mut rx => println!(\"{number:?}\"),\n    _ = bell.notified() => {}\n}\ndrop(tx);",
        ["main awaits the first of `&mut rx` and `bell.notified()` (In[#]:3): a message", "; a notification"],
    ),
    "nobody is notified": (
        "let bell = tokio::sync::Notify::new();\nbell.notify_waiters();\nbell.notified().await;",
        ["main awaits a notification of `bell` (In[#]:3)", "`notify_one` is remembered"],
    ),
    "a program of its own": (
        "#[tokio::main(flavor = \"current_thread\")]\nasync fn main() {\n    let (tx, mut rx) = tokio::sync::mpsc::channel(1);\n"
        "    let other = tx.clone();\n    tokio::spawn(async move { other.send(1).await.unwrap(); });\n"
        "    while let Some(number) = rx.recv().await {\n        println!(\"{number}\");\n    }\n}\nmain();",
        ["main awaits a message from `rx` (In[#]:6), made at In[#]:3, whose only sender is still there: `tx` (In[#]:3) in main"],
    ),
    "local tasks that nobody runs": (
        "let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();\n"
        "let local = tokio::task::LocalSet::new();\nlet five = local.spawn_local(async { 5 });\n"
        "runtime.block_on(async { println!(\"{}\", five.await.unwrap()); });",
        [
            "main awaits the end of `five`, task ",
            ", spawned at In[#]:3, has not run yet: nobody runs the `LocalSet` or the runtime that it is on",
        ],
    ),
    "once within once": (
        "static ONE: std::sync::OnceLock<i32> = std::sync::OnceLock::new();\nfn one() -> i32 {\n    *ONE.get_or_init(|| one())\n}\none();",
        ["main waits for the initialization of `ONE` (In[#]:3), which it is doing itself: the initialization asks for its own result"],
    ),
    "a task behind a sender": (
        "let (tx, rx) = tokio::sync::oneshot::channel::<i32>();\nlet task = tokio::spawn(async move { rx.await });\n"
        "task.await.unwrap().unwrap();\ntx.send(1).unwrap();",
        [
            "main awaits the end of `task`, task ",
            ", spawned at In[#]:2, awaits a message from `rx` (In[#]:2), made at In[#]:1, whose only sender is still there: `tx` (In[#]:1) in main",
        ],
    ),
    "a pool without room": (
        "let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).max_blocking_threads(1).build().unwrap();\n"
        "let (tx, rx) = mpsc::channel::<i32>();\nlet first = runtime.spawn_blocking(move || rx.recv());\n"
        "let second = runtime.spawn_blocking(move || tx.send(1));\nruntime.block_on(second).unwrap().unwrap();",
        [
            "every thread and task waits for another",
            ", spawned at In[#]:4, waits for a thread of the pool for blocking work",
            "waits for a message from `rx` (In[#]:3), made at In[#]:2, whose only sender is still there, probably `tx` (In[#]:4) in task",
        ],
    ),
    "rayon": (
        "use rayon::prelude::*;\nlet held = Mutex::new(0);\nlet guard = held.lock().unwrap();\n"
        "(0..2).into_par_iter().for_each(|_| *held.lock().unwrap() += 1);",
        ["every thread waits for another", "waits for lock `held` (In[#]:4), which main has held since In[#]:3"],
    ),
    "executor": (
        "let held = Arc::new(Mutex::new(0));\nlet theirs = Arc::clone(&held);\nlet guard = held.lock().unwrap();\n"
        "let pool = concurrent::futures::ThreadPoolExecutor::new(1);\n"
        "let job = pool.submit(move |more| *theirs.lock().unwrap() += more, 1);\njob.result();",
        ["main waits for the result of `job` (In[#]:6)", "waits for lock `theirs` (In[#]:5), which main has held since"],
    ),
    "a runtime of its own": (
        "let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();\n"
        "thread::scope(|scope| {\n    scope.spawn(|| runtime.block_on(std::future::pending::<()>()));\n});",
        ["main waits for the threads of its scope (In[#]:2)", "awaits something, and nobody is left to wake it (In[#]:3)"],
    ),
}
