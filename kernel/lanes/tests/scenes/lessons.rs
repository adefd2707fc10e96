//! What happens in the lessons.

use interleave_lanes::Trace;
use interleave_protocol::{Awaited, FutexUse, ObjectKind, TaskKind, ThreadKind, ThreadState, What};

use super::notes::{Notes, task};

/// Three requests, one after the other.
pub fn sequential() -> Trace {
    let mut notes =
        Notes::new("for name in [\"A\", \"B\", \"C\"] {\n    network_request(name);\n}");
    for (at, name) in [(0.2, "A"), (1000.5, "B"), (2000.9, "C")] {
        notes.line(2).sleep(at, 1, 1.0);
        notes
            .line(2)
            .prints(at + 1000.1, 1, &format!("{name} is done"));
    }
    notes.cell_ends(3001.4)
}

/// Three timers at once.
pub fn timers() -> Trace {
    let mut notes =
        Notes::new("for name in [\"First\", \"Second\", \"Third\"] {\n    timer(name);\n}");
    for (thread, name) in [(4, "First"), (5, "Second"), (6, "Third")] {
        let at = thread as f64 * 0.3;
        notes.line(2).spawn(at, 1, thread, name);
        notes.line(7).sleep(at + 0.2, thread, 1.0);
    }
    for (thread, name, at) in [
        (4, "First", 1002.9),
        (6, "Third", 1003.1),
        (5, "Second", 1003.4),
    ] {
        notes
            .line(8)
            .prints(at, thread, name)
            .ends(at + 0.05, thread);
    }
    notes.line(4).joins(2.5, 1003.0, 1, 4);
    notes.line(4).joins(1003.05, 1003.5, 1, 5);
    notes.cell_ends(1003.6)
}

/// A function that is called back on the timer's thread, after the cell's end.
pub fn callback() -> Trace {
    let mut notes =
        Notes::new("Timer::new(secs(1.0), || on_done(42)).start();\nprintln!(\"go on\");");
    let kind = ThreadKind::Student;
    notes.line(1).spawn(0.3, 1, 4, "Timer-1");
    notes.state(0.3, 1, ObjectKind::Timer, 1, "waiting");
    let state = ThreadState::Futex {
        address: 0x10,
        used_by: FutexUse::Condvar,
        seconds: Some(1.0),
    };
    notes.add(0.5, 4, What::Is(state)).runs(1000.6, 4);
    notes.line(2).prints(0.6, 1, "go on");
    notes.add(0.7, 1, What::CellEnded);
    notes.state(1000.6, 4, ObjectKind::Timer, 1, "fired");
    notes.line(1).prints(1000.8, 4, "the result is 42");
    notes.line(1).sleep(1000.9, 4, 0.2);
    notes.ends(1201.1, 4);
    let _ = kind;
    notes.read(1300.0, false)
}

/// A future is made, waited for, and completed by another thread.
pub fn future() -> Trace {
    let mut notes = Notes::new("let future = request();\nfuture.result()");
    notes
        .line(1)
        .state(0.2, 1, ObjectKind::Future, 9, "pending");
    notes.line(1).spawn(0.4, 1, 4, "request");
    notes.state(0.6, 4, ObjectKind::Future, 9, "running");
    notes.line(1).sleep(0.7, 4, 0.5);
    notes.state(500.9, 4, ObjectKind::Future, 9, "finished");
    notes.line(2).waits(1.1, 1, FutexUse::Condvar, 0x40);
    notes.wakes(501.0, 4, 0x40).runs(501.2, 1).ends(501.3, 4);
    notes.line(2).prints(501.4, 1, "the answer");
    notes.cell_ends(501.6)
}

/// A loop made by hand, whose second job is due first.
pub fn event_loop() -> Trace {
    let mut notes = Notes::new("event_loop.call_later(0.2, job1);\nevent_loop.run();");
    let mut at = 0.4;
    for (tick, sleep, job) in [(1, 0.1, "Job2"), (2, 0.1, "Job1"), (3, 0.05, "Job3")] {
        let state = format!("tick {tick}");
        notes.state(at, 1, ObjectKind::EventLoop, 1, &state);
        notes.line(2).sleep(at + 0.1, 1, sleep);
        at += sleep * 1000.0 + 0.4;
        notes.line(1).prints(at, 1, &format!("{job} done"));
        at += 6.0;
    }
    notes.state(at, 1, ObjectKind::EventLoop, 1, "stopped");
    notes.cell_ends(at + 1.0)
}

/// A generator and its caller take turns.
pub fn generator() -> Trace {
    let mut notes = Notes::new("let mut parrot = parrot();\nparrot.send(\"hello\");");
    let parrot = task(TaskKind::Generator, 1);
    notes
        .line(1)
        .add(0.01, 1, What::TaskSpawned { task: parrot });
    let turns = [
        ("", "“…”"),
        ("hello", "HELLO"),
        ("how are you", "HOW ARE YOU"),
    ];
    for (turn, (given, gave)) in (0..).zip(turns) {
        let at = 0.08 + f64::from(turn) * 0.2;
        notes.line(2).enters(at, 1, parrot, given);
        notes.line(2).leaves(at + 0.07, 1, parrot, gave);
        notes.line(2).prints(at + 0.12, 1, gave);
    }
    notes
        .line(3)
        .enters(0.68, 1, parrot, "bye")
        .finishes(0.72, 1, parrot);
    notes.cell_ends(0.8)
}

/// Three workers and four jobs: the fourth waits for a worker.
pub fn pool() -> Trace {
    let mut notes = Notes::new("let pool = ThreadPoolExecutor::new(3);\npool.map(request, 1..=4);");
    let kind = ThreadKind::Pool;
    for worker in 0..3 {
        let (thread, at) = (4 + worker, 0.3 + worker as f64 * 0.2);
        notes.line(2).add(at, 1, What::Spawned { thread });
        notes.add(at + 0.1, thread, What::ThreadBegan { kind });
        let name = format!("worker-{worker}");
        notes.add(at + 0.1, thread, What::Named { name });
    }
    for job in 1..=4 {
        let task = task(TaskKind::Job, job);
        notes
            .line(2)
            .add(0.9 + job as f64 * 0.01, 1, What::TaskSpawned { task });
    }
    notes.state(0.95, 1, ObjectKind::Pool, 1, "1 queued");
    notes.state(1001.5, 4, ObjectKind::Pool, 1, "0 queued");
    for (job, thread, at) in [(1, 4, 1.0), (2, 5, 1.1), (3, 6, 1.2), (4, 4, 1001.5)] {
        let task = task(TaskKind::Job, job);
        notes.enters(at, thread, task, "");
        notes.within(task).line(5).sleep(at + 0.1, thread, 1.0);
        let end = at + 1000.2;
        notes
            .within(task)
            .line(6)
            .prints(end, thread, &format!("job {job}"));
        notes.finishes(end + 0.05, thread, task);
        notes.waits(end + 0.06, thread, FutexUse::Condvar, 0x90);
    }
    notes.runs(1001.45, 4);
    notes.line(2).waits(1.3, 1, FutexUse::Park, 0x80);
    notes.wakes(2001.8, 4, 0x80).runs(2002.0, 1);
    notes.cell_ends(2002.2)
}

/// A blocking function goes to a thread, so that the loop can go on.
pub fn executor() -> Trace {
    let mut notes = Notes::new("run_in_executor(blocking).await;\nticker().await;");
    let (asker, ticker) = (task(TaskKind::Coroutine, 1), task(TaskKind::Coroutine, 2));
    let job = task(TaskKind::Job, 7);
    let kind = ThreadKind::Pool;
    notes.line(1).add(0.1, 1, What::TaskSpawned { task: asker });
    notes
        .line(2)
        .add(0.2, 1, What::TaskSpawned { task: ticker });
    notes.enters(0.3, 1, asker, "");
    notes
        .within(asker)
        .line(1)
        .add(0.4, 1, What::Spawned { thread: 4 });
    notes.add(0.6, 4, What::ThreadBegan { kind });
    let name = "executor-0".to_owned();
    notes.add(0.6, 4, What::Named { name });
    notes
        .within(asker)
        .line(1)
        .add(0.5, 1, What::TaskSpawned { task: job });
    notes.line(1).suspends(0.7, 1, asker, Awaited::Job);
    notes.enters(0.8, 4, job, "");
    notes.within(job).line(1).sleep(0.9, 4, 0.4);
    for tick in 0..4 {
        let at = 1.0 + 100.0 * f64::from(tick);
        notes.enters(at, 1, ticker, "");
        notes
            .within(ticker)
            .line(2)
            .prints(at + 0.2, 1, &format!("tick {tick}"));
        notes.line(3).suspends(at + 0.3, 1, ticker, Awaited::Sleep);
        notes
            .waits(at + 0.4, 1, FutexUse::Park, 0x50)
            .runs(at + 99.7, 1);
        notes.add(at + 99.8, 1, What::TaskWoken { task: ticker });
    }
    notes
        .within(job)
        .add(401.0, 4, What::TaskWoken { task: asker });
    notes.finishes(401.1, 4, job);
    notes.waits(401.2, 4, FutexUse::Condvar, 0x90);
    notes.enters(401.2, 1, asker, "");
    notes.finishes(401.4, 1, asker);
    notes
        .enters(401.5, 1, ticker, "")
        .finishes(401.6, 1, ticker);
    notes.cell_ends(401.8)
}

/// Two threads, each of which holds the lock that the other wants; the cell is asked for its end.
pub fn deadlock() -> Trace {
    let mut notes = Notes::new("let left = fork_a.lock();\nlet right = fork_b.lock();");
    notes.lock(0xa0, "fork_a").lock(0xb0, "fork_b");
    notes.line(1).spawn(0.2, 1, 4, "Plato");
    notes.line(2).spawn(0.4, 1, 5, "Kant");
    notes.line(5).sleep(0.6, 4, 0.1).line(8).sleep(0.7, 5, 0.1);
    notes.line(6).waits(100.9, 4, FutexUse::Lock, 0xb0);
    notes.line(9).waits(101.0, 5, FutexUse::Lock, 0xa0);
    let joining = ThreadState::Joining { thread: Some(4) };
    notes.line(3).add(0.9, 1, What::Is(joining));
    notes.read(2500.0, true)
}

/// Tasks of tokio move between two workers.
pub fn tokio() -> Trace {
    let mut notes = Notes::new("for n in 0..4 {\n    tokio::spawn(work(n));\n}");
    let kind = ThreadKind::Pool;
    for thread in [8, 9] {
        notes.add(0.1, thread, What::ThreadBegan { kind });
        let name = "tokio-rt-worker".to_owned();
        notes.add(0.1, thread, What::Named { name });
    }
    let tasks = [31, 32, 33, 34].map(|id| task(TaskKind::Tokio, id));
    for (n, task) in (0..).zip(tasks) {
        notes
            .line(2)
            .add(0.3 + 0.1 * f64::from(n), 1, What::TaskSpawned { task });
    }
    notes.line(4).waits(0.8, 1, FutexUse::Park, 0x70);
    let mut at = 1.0;
    for round in 0..3_usize {
        for (n, task) in tasks.into_iter().enumerate() {
            let thread = if (n + round) % 2 == 0 { 8 } else { 9 };
            let start = at + (n / 2) as f64 * 12.0;
            notes.enters(start, thread, task, "");
            match round {
                2 => notes.finishes(start + 9.0, thread, task),
                _ => notes
                    .line(2)
                    .suspends(start + 9.0, thread, task, Awaited::Message),
            };
        }
        for thread in [8, 9] {
            let address = 0x700 + thread;
            notes.waits(at + 24.0, thread, FutexUse::Park, address);
            if round < 2 {
                notes.runs(at + 60.0, thread);
            }
        }
        for task in tasks.into_iter().filter(|_| round < 2) {
            notes.add(at + 61.0, 8, What::TaskWoken { task });
        }
        at += 65.0;
    }
    notes.wakes(at - 43.0, 9, 0x70).runs(at - 42.9, 1);
    notes.cell_ends(at - 42.5)
}
