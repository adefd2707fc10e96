//! What happens beside the lessons: too much, too long, too strange.

use interleave_lanes::Trace;
use interleave_protocol::{Awaited, FutexUse, ObjectKind, TaskKind, ThreadKind, What};

use super::notes::{Notes, task};

/// Two threads send each other ten thousand messages.
pub fn flood() -> Trace {
    let mut notes = Notes::new("for n in 0..5000 {\n    sender.send(n);\n}");
    notes.line(1).spawn(0.1, 1, 4, "receiver");
    let mut random = fastrand::Rng::with_seed(5);
    let mut at = 1.0;
    for n in 0..4000 {
        notes.line(5).waits(at, 4, FutexUse::Park, 0x40);
        at += random.f64() * 0.2;
        notes.line(2).wakes(at, 1, 0x40);
        at += random.f64() * 0.05;
        notes.runs(at, 4);
        at += random.f64() * 0.1;
        notes.line(6).prints(at, 4, &format!("message {n}"));
    }
    notes.ends(at + 0.1, 4).lost(1234);
    notes.cell_ends(at + 0.5)
}

/// Names and prints that would like to be something else.
pub fn hostile() -> Trace {
    let mut notes = Notes::new("// </script><img src=x onerror=alert(1)>\nthread::spawn(…);");
    let names = [
        "</script><img onerror>",
        "🦀🧵 线程一二三四",
        "שלום \u{202e}evil",
        "a&b\"'`\u{1b}[31m",
    ];
    for (thread, name) in (4..).zip(names) {
        let at = thread as f64;
        notes.line(2).spawn(at, 1, thread, name);
        notes.line(2).sleep(at + 1.0, thread, 0.1);
        notes.prints(
            at + 102.0,
            thread,
            &format!("{name}\u{7}\u{0}]]>--><b>\nsecond line"),
        );
        notes.ends(at + 103.0, thread);
    }
    let names = "</svg>&lt;";
    notes.lock(0x99, names).waits(10.0, 1, FutexUse::Lock, 0x99);
    notes.wakes(50.0, 4, 0x99).runs(50.1, 1);
    notes.state(20.0, 1, ObjectKind::Future, 1, "Ok(\"<i>\")");
    notes.cell_ends(120.0)
}

/// As many threads as asked for, each of which sleeps a little and computes a little.
pub fn many(threads: u64) -> Trace {
    let mut notes = Notes::new("for n in 0..threads {\n    thread::spawn(work);\n}");
    for n in 0..threads {
        let (thread, at) = (4 + n, 0.5 + n as f64 * 2.0);
        notes
            .line(2)
            .spawn(at, 1, thread, &format!("philosopher-{n}"));
        let sleep = 0.05 + (n % 5) as f64 * 0.03;
        notes.line(4).sleep(at + 20.0, thread, sleep);
        let end = at + 20.0 + sleep * 1000.0 + 30.0;
        notes
            .line(5)
            .prints(end, thread, &format!("{n} eats"))
            .ends(end + 1.0, thread);
    }
    let last = threads as f64 * 2.0 + 260.0;
    notes
        .line(7)
        .joins(threads as f64 * 2.0 + 1.0, last, 1, 3 + threads);
    notes.cell_ends(last + 1.0)
}

/// Three coroutines, each of which sleeps as a thread does: nobody else can run meanwhile.
pub fn blocking() -> Trace {
    let mut notes = Notes::new(
        "async fn job() {\n    thread::sleep(secs(1));\n}\ngather(job(), job(), job()).await;",
    );
    let jobs = [1, 2, 3].map(|id| task(TaskKind::Coroutine, id));
    for (job, at) in jobs.into_iter().zip([0.1, 0.2, 0.3]) {
        let name = "job".to_owned();
        notes.line(4).add(at, 1, What::TaskSpawned { task: job });
        notes.add(at, 1, What::TaskNamed { task: job, name });
    }
    for (job, at) in jobs.into_iter().zip([0.5, 1001.0, 2001.5]) {
        notes.enters(at, 1, job, "");
        notes.within(job).line(2).sleep(at + 0.1, 1, 1.0);
        notes.finishes(at + 1000.3, 1, job);
    }
    notes.cell_ends(3002.0)
}

/// A task that computes while another is due again and again.
pub fn greedy() -> Trace {
    let mut notes = Notes::new("spawn(ticker());\nspawn(compute());");
    let (ticker, compute) = (task(TaskKind::Tokio, 1), task(TaskKind::Tokio, 2));
    notes
        .line(1)
        .add(0.1, 1, What::TaskSpawned { task: ticker });
    notes
        .line(2)
        .add(0.2, 1, What::TaskSpawned { task: compute });
    notes.enters(0.5, 1, ticker, "").leaves(0.6, 1, ticker, "");
    notes
        .enters(0.7, 1, compute, "")
        .finishes(1800.0, 1, compute);
    notes.add(1800.1, 1, What::TaskWoken { task: ticker });
    notes
        .enters(1800.2, 1, ticker, "")
        .finishes(1800.3, 1, ticker);
    notes.cell_ends(1801.0)
}

/// One task forgets its waker at once, another's is dropped later; a third is cancelled in time.
pub fn lost() -> Trace {
    let mut notes =
        Notes::new("spawn(forgets());\nspawn(is_dropped());\nspawn(pending()).abort();");
    let tasks = [1, 2, 3].map(|id| task(TaskKind::Tokio, id));
    let [forgets, is_dropped, pending] = tasks;
    for (line, (task, name)) in (1..).zip([
        (forgets, "forgets"),
        (is_dropped, "is_dropped"),
        (pending, "pending"),
    ]) {
        let at = 0.1 * line as f64;
        notes.line(line).add(at, 1, What::TaskSpawned { task });
        let name = name.to_owned();
        notes.add(at, 1, What::TaskNamed { task, name });
    }
    notes.spawn(0.5, 1, 4, "keeper");
    for (at, task) in [(1.0, forgets), (1.5, pending)] {
        notes.enters(at, 1, task, "");
        notes.within(task).add(at + 0.1, 1, What::TaskLost { task });
        notes.leaves(at + 0.2, 1, task, "");
    }
    notes.enters(2.0, 1, is_dropped, "");
    notes.line(2).leaves(2.1, 1, is_dropped, "");
    notes
        .add(9.0, 4, What::TaskLost { task: is_dropped })
        .ends(9.1, 4);
    notes.add(10.0, 1, What::TaskWoken { task: pending });
    notes
        .enters(10.1, 1, pending, "")
        .finishes(10.2, 1, pending);
    notes.cell_ends(20.0)
}

/// A lock that a coroutine keeps across an `.await`, while a thread wants it.
pub fn kept() -> Trace {
    let mut notes = Notes::new("let guard = m.lock();\nsleep(1).await;\ndrop(guard);");
    let keeper = task(TaskKind::Coroutine, 1);
    notes.lock(0xa0, "m");
    notes
        .line(1)
        .add(0.1, 1, What::TaskSpawned { task: keeper });
    notes.spawn(0.2, 1, 4, "other");
    notes.enters(0.5, 1, keeper, "");
    let (address, call) = (0xa0, 3);
    notes
        .within(keeper)
        .add(0.6, 1, What::LockKept { address, call });
    notes.line(2).suspends(0.6, 1, keeper, Awaited::Sleep);
    notes.line(9).waits(100.0, 4, FutexUse::Lock, 0xa0);
    notes.waits(0.7, 1, FutexUse::Condvar, 0x90).runs(1000.5, 1);
    notes.add(1000.6, 1, What::TaskWoken { task: keeper });
    notes.enters(1000.7, 1, keeper, "");
    notes.within(keeper).wakes(1000.8, 1, 0xa0).runs(1000.9, 4);
    notes.finishes(1001.0, 1, keeper).ends(1001.1, 4);
    notes.cell_ends(1002.0)
}

/// A lock that is kept while its holder sleeps.
pub fn contended() -> Trace {
    let mut notes =
        Notes::new("let mut counter = counter.lock();\nsleep(secs(1));\n*counter += 1;");
    notes.lock(0xc0, "counter");
    notes
        .line(1)
        .spawn(0.1, 1, 4, "first")
        .line(1)
        .spawn(0.3, 1, 5, "second");
    notes.line(2).sleep(0.6, 4, 1.0);
    notes.line(1).waits(0.7, 5, FutexUse::Lock, 0xc0);
    notes.wakes(1000.8, 4, 0xc0).runs(1000.9, 5).ends(1001.0, 4);
    notes.line(2).sleep(1001.0, 5, 1.0).ends(2001.3, 5);
    notes
        .line(5)
        .joins(0.9, 1001.2, 1, 4)
        .line(6)
        .joins(1001.3, 2001.5, 1, 5);
    notes.cell_ends(2002.0)
}

/// A worker that began in an earlier cell, and a coroutine that a later cell runs.
pub fn between_cells() -> Trace {
    let mut notes = Notes::new("let future = executor.submit(work);\nlet coroutine = later();");
    let (job, later) = (task(TaskKind::Job, 3), task(TaskKind::Coroutine, 8));
    let kind = ThreadKind::Pool;
    notes.earlier(-9000.0, 4, What::ThreadBegan { kind });
    let name = "worker".to_owned();
    notes.earlier(-8999.0, 4, What::Named { name });
    notes.line(1).add(0.2, 1, What::TaskSpawned { task: job });
    notes.line(2).add(0.3, 1, What::TaskSpawned { task: later });
    notes.add(0.4, 1, What::CellEnded);
    notes.enters(50.0, 4, job, "").finishes(80.0, 4, job);
    notes.waits(80.1, 4, FutexUse::Condvar, 0x90);
    notes.enters(60.0, 1, later, "").finishes(70.0, 1, later);
    notes.read(500.0, false)
}
