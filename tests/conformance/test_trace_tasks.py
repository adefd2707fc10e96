"""What tasks, jobs, generators and event loops do is noted as it happens; see `test_trace.py`."""

import re

from traced import prepared, trace  # noqa: F401 (fixtures)


def test_tasks_of_tokio_take_turns_and_wake_each_other(trace):
    lanes = trace(
        "use std::sync::atomic::{AtomicU32, Ordering::SeqCst};\n"
        "use tokio::{sync::oneshot, time::sleep};\n"
        # Who sends does so when the other awaits it, and so wakes him.
        "static AWAITING: AtomicU32 = AtomicU32::new(0);\n"
        "async fn told<T: Future + Unpin>(mut receiver: T) -> T::Output {\n"
        "    std::future::poll_fn(|context| {\n"
        "        let polled = std::pin::Pin::new(&mut receiver).poll(context);\n"
        "        if polled.is_pending() { AWAITING.fetch_add(1, SeqCst); }\n"
        "        polled\n"
        "    }).await\n"
        "}\n"
        "async fn ask(question: oneshot::Sender<u32>, answer: oneshot::Receiver<u32>) {\n"
        "    while AWAITING.load(SeqCst) < 1 { sleep(Duration::from_millis(1)).await; }\n"
        "    question.send(6).unwrap();\n"
        '    println!("{}", told(answer).await.unwrap());\n'
        "}\n"
        "async fn reply(question: oneshot::Receiver<u32>, answer: oneshot::Sender<u32>) {\n"
        "    let number = told(question).await.unwrap();\n"
        "    let (go, wait) = mpsc::channel();\n"
        "    let work = tokio::task::spawn_blocking(multiply(number, wait));\n"
        "    // What is polled first is not ready when the second lets it go on.\n"
        "    let (product, ()) = tokio::join!(work, async { go.send(()).unwrap() });\n"
        "    while AWAITING.load(SeqCst) < 2 { sleep(Duration::from_millis(1)).await; }\n"
        "    answer.send(product.unwrap()).unwrap();\n"
        "}\n"
        "fn multiply(number: u32, wait: mpsc::Receiver<()>) -> impl FnOnce() -> u32 {\n"
        '    move || { wait.recv().unwrap(); println!("multiplies"); number * 7 }\n'
        "}\n"
        "let (question, asked) = oneshot::channel();\n"
        "let (answer, answered) = oneshot::channel();\n"
        "let (one, other) = (tokio::spawn(ask(question, answered)), tokio::spawn(reply(asked, answer)));\n"
        "let (one, other) = tokio::join!(one, other);\n"
        "tokio::select! { _ = async { one.unwrap(); other.unwrap() } => {}, _ = std::future::pending::<()>() => {} }"
    )
    assert lanes.printed("42")[1] == "ask"
    assert ("wake", "ask", "reply") in lanes.arrows and ("wake", "reply", "ask") in lanes.arrows
    assert ("spawn", "reply", "multiply") in lanes.arrows
    multiplies, who = lanes.printed("multiplies")
    assert who == "multiply"
    assert any(wait.end >= multiplies for wait in lanes.find("reply", "await task"))
    # A task runs on one thread at a time, and no thread runs two.
    workers = lanes.matching(r"tokio-worker.*")
    # tokio tells of the end of a task when the task is left.
    assert {("wake", worker, "reply") for worker in workers} & lanes.arrows
    runs = [span for worker in workers for span in lanes.find(worker, "ask|reply")]
    assert runs, lanes.names
    for task in ("ask", "reply"):
        mine = sorted((span for span in runs if span.name == task), key=lambda span: span.start)
        assert all(first.end <= second.start for first, second in zip(mine, mine[1:]))


def test_a_suspended_task_says_what_it_awaits_and_where(trace):
    lanes = trace(
        "use tokio::sync;\n"
        "async fn receives(mut messages: sync::mpsc::Receiver<u32>) {\n"
        "    while messages.recv().await.is_some() {}\n"
        "}\n"
        "async fn locks(lock: Arc<sync::Mutex<()>>) { lock.lock().await; }\n"
        "async fn is_asked(question: sync::oneshot::Receiver<()>) { question.await.unwrap(); }\n"
        "async fn has_a_limit(permits: Arc<sync::Semaphore>) {\n"
        "    let permit = permits.acquire();\n"
        "    tokio::time::timeout(Duration::from_secs(600), permit).await.unwrap().unwrap();\n"
        "}\n"
        "async fn naps() { tokio::time::sleep(Duration::from_millis(200)).await; }\n"
        "async fn sleeps() { naps().await; }\n"
        "async fn joins(task: tokio::task::JoinHandle<()>) { task.await.unwrap(); }\n"
        "async fn connects(listener: tokio::net::TcpListener) { listener.accept().await.unwrap(); }\n"
        "let (give, messages) = sync::mpsc::channel(1);\n"
        "let (ask, question) = sync::oneshot::channel();\n"
        "let (lock, permits) = (Arc::new(sync::Mutex::new(())), Arc::new(sync::Semaphore::new(0)));\n"
        # One thread runs each task until it waits, before its own future goes on.
        "tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async move {\n"
        '    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();\n'
        "    let address = listener.local_addr().unwrap();\n"
        "    let guard = lock.lock().await;\n"
        "    let tasks = [\n"
        "        tokio::spawn(receives(messages)), tokio::spawn(locks(lock.clone())), tokio::spawn(is_asked(question)),\n"
        "        tokio::spawn(has_a_limit(permits.clone())), tokio::spawn(joins(tokio::spawn(sleeps()))),\n"
        "        tokio::spawn(connects(listener)),\n"
        "    ];\n"
        "    tokio::task::yield_now().await;\n"
        "    drop(guard);\n"
        "    permits.add_permits(1);\n"
        "    ask.send(()).unwrap();\n"
        "    give.send(1).await.unwrap();\n"
        "    drop(give);\n"
        "    tokio::net::TcpStream::connect(address).await.unwrap();\n"
        "    for task in tasks { task.await.unwrap(); }\n"
        "})"
    )
    for lane, says, line in (
        ("receives", "await message", 3),
        ("locks", "await lock", 5),
        ("is_asked", "await message", 6),
        ("has_a_limit", "await permit", 9),
        ("sleeps", "await sleep", 11),
        ("joins", "await task", 13),
        ("connects", "await I/O", 14),
    ):
        assert lanes.the(lane, says).line.endswith(f":{line}"), lane
        assert not lanes.find(lane, "suspended"), lane


def test_a_suspended_task_of_an_event_loop_says_what_it_awaits(trace):
    lanes = trace(
        "async fn naps() { asyncio::sleep(0.2).await; }\n"
        "async fn works(executor: &concurrent::futures::ThreadPoolExecutor, asked: mpsc::Receiver<()>) {\n"
        "    asyncio::get_event_loop().run_in_executor(executor, |asked: mpsc::Receiver<()>| asked.recv(), asked).await.unwrap();\n"
        "}\n"
        "async fn waits(task: asyncio::Task<()>) {\n"
        "    task.await\n"
        "}\n"
        "let executor: &'static _ = Box::leak(Box::new(concurrent::futures::ThreadPoolExecutor::new(1)));\n"
        "let (ask, asked) = mpsc::channel();\n"
        "let worker = asyncio::create_task(works(executor, asked));\n"
        "let waiter = asyncio::create_task(waits(asyncio::create_task(naps())));\n"
        "asyncio::run(async move { waiter.await; ask.send(()).unwrap(); worker.await; });"
    )
    for name, says, line in (("naps", "sleep", 1), ("works", "job", 3), ("waits", "task", 6)):
        [lane] = lanes.matching(rf"Task-\d+ {name}")
        assert lanes.the(lane, f"await {says}").line.endswith(f":{line}"), name


def test_a_task_whose_waker_nobody_keeps_is_lost(trace):
    lanes = trace(
        "use std::{future::{pending, poll_fn}, task::{Poll, Waker}};\n"
        "async fn drops(keep: mpsc::Sender<Waker>) {\n"
        "    poll_fn(|context| { keep.send(context.waker().clone()).unwrap(); Poll::<()>::Pending }).await\n"
        "}\n"
        "async fn is_woken(keep: mpsc::Sender<Waker>) {\n"
        "    let mut times = 0;\n"
        "    poll_fn(|context| {\n"
        "        keep.send(context.waker().clone()).unwrap();\n"
        "        times += 1;\n"
        "        if times > 1 { Poll::Ready(()) } else { Poll::Pending }\n"
        "    }).await\n"
        "}\n"
        "async fn forgets(begins: mpsc::Sender<()>) { begins.send(()).unwrap(); pending().await }\n"
        "let (keep, kept) = mpsc::channel();\n"
        "let (begins, begun) = mpsc::channel();\n"
        "tokio::spawn(forgets(begins.clone())); tokio::spawn(drops(keep.clone()));\n"
        "asyncio::create_task(forgets(begins)); asyncio::create_task(drops(keep.clone()));\n"
        "asyncio::run(asyncio::sleep(0));\n"
        "for _ in 0..2 { begun.recv().unwrap(); }\n"
        "let wakers = [kept.recv().unwrap(), kept.recv().unwrap()];\n"
        "let (keep, kept) = mpsc::channel();\n"
        "let (task, other) = (tokio::spawn(is_woken(keep.clone())), asyncio::create_task(is_woken(keep)));\n"
        "let wakes = thread::spawn(move || { drop(wakers); kept.iter().for_each(Waker::wake); });\n"
        "asyncio::run(async { task.await.unwrap(); other.await; });\n"
        "wakes.join().unwrap();"
    )
    for name in ("forgets", "drops"):
        lost = lanes.matching(rf"(Task-\d+ )?{name}")
        assert len(lost) == 2 and all(lanes.find(lane, "nobody can wake it") for lane in lost), lost
    woken = lanes.matching(r"(Task-\d+ )?is_woken")
    assert len(woken) == 2 and not any(lanes.find(lane, "nobody can wake it") for lane in woken)


def test_a_lock_that_is_kept_across_an_await_is_seen(trace):
    lanes = trace(
        "async fn keeps(purse: Arc<std::sync::Mutex<i32>>) {\n"
        "    let mut coins = purse.lock().unwrap();\n"
        "    asyncio::sleep(0.1).await;\n"
        "    *coins += 1;\n"
        "}\n"
        "async fn gives_back(purse: Arc<std::sync::Mutex<i32>>) {\n"
        "    *purse.lock().unwrap() += 1;\n"
        "    *Box::new(std::sync::Mutex::new(1)).lock().unwrap() += 1;\n"
        "    asyncio::sleep(0.2).await;\n"
        "}\n"
        "let purse = Arc::new(std::sync::Mutex::new(0));\n"
        "let first = asyncio::create_task(gives_back(Arc::clone(&purse)));\n"
        "let second = asyncio::create_task(keeps(purse));\n"
        "asyncio::run(async { first.await; second.await; });"
    )
    [keeper], [other] = lanes.matching(r"Task-\d+ keeps"), lanes.matching(r"Task-\d+ gives_back")
    assert lanes.the(keeper, "await sleep, keeps lock purse").line.endswith(":3")
    assert lanes.the(other, "await sleep").line.endswith(":9") and not lanes.find(other, ".*keeps.*")


def test_jobs_of_rayon_run_on_its_threads(trace):
    lanes = trace(
        "let meet = Barrier::new(2);\n"
        "let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();\n"
        "pool.scope(|scope| for _ in 0..2 { scope.spawn(|_| { meet.wait(); }); });"
    )
    jobs = lanes.matching(r"job \d+")
    assert len(jobs) >= 2
    threads = [name for name in lanes.names if any(span.name in jobs for span in lanes.spans[name]) and name not in jobs]
    assert len(threads) == 2
    first, second = ([span for span in lanes.spans[name] if span.name in jobs] for name in threads)
    assert any(one.overlaps(other) for one in first for other in second)


def test_a_job_of_rayon_has_an_arrow_from_who_made_it(trace):
    lanes = trace(
        "let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();\n"
        "let (meet, other) = (Arc::new(Barrier::new(2)), Barrier::new(2));\n"
        "let meets = Arc::clone(&meet);\n"
        "pool.spawn(move || { meets.wait(); });\n"
        "meet.wait();\n"
        # Each half waits for the other, so that one becomes a job of the other thread.
        "pool.install(|| rayon::join(|| other.wait(), || other.wait()));"
    )
    made = {arrow for arrow in lanes.arrows if arrow[0] == "spawn" and arrow[2].startswith("job ")}
    assert len(made) == 3 and {maker for _, maker, _ in made} > {"main"}, made
    assert sum(maker == "main" for _, maker, _ in made) == 2
    assert sum(maker.startswith("job ") for _, maker, _ in made) == 1


def test_a_generator_and_its_caller_take_turns(trace):
    lanes = trace(
        "fn total() -> Generator<i32, i32> {\n"
        "    Generator::new(|co: Yielder<i32, i32>| async move {\n"
        "        let mut sum = 0;\n"
        "        while let Some(n) = co.yield_(sum).await { sum += n; println!(\"sum {sum}\"); }\n"
        "    })\n"
        "}\n"
        "let mut sum = total();\n"
        "sum.send(None)?; sum.send(Some(3))?; sum.send(Some(4))?;"
    )
    assert lanes.printed("sum 3")[1] == lanes.printed("sum 7")[1] == "total"
    assert {("enter", "main", "total"), ("leave", "total", "main")} <= lanes.arrows
    visits = lanes.find("main", "total")
    runs = lanes.find("total", "runs")
    assert len(visits) == len(runs) == 3
    assert [(span.start, span.end) for span in visits] == [(span.start, span.end) for span in runs]


def test_jobs_of_an_executor_queue_and_their_futures_change(trace):
    lanes = trace(
        "let executor = concurrent::futures::ThreadPoolExecutor::new(1);\n"
        "let (go, wait) = mpsc::channel::<()>();\n"
        "fn slow(wait: mpsc::Receiver<()>) -> i32 { wait.recv().unwrap(); 16 }\n"
        "fn fast(n: i32) -> i32 { n * n }\n"
        "let first = executor.submit(slow, wait);\n"
        "let second = executor.submit(fast, 5);\n"
        'second.add_done_callback(|future| println!("{}", future.result()));\n'
        "go.send(()).unwrap();\n"
        "assert_eq!((first.result(), second.result()), (16, 25));\n"
        "executor.shutdown(true);"
    )
    assert ("spawn", "main", "slow") in lanes.arrows and ("spawn", "main", "fast") in lanes.arrows
    assert any(lanes.the("fast", "ready").overlaps(span) for span in lanes.find("slow", "runs|message .*"))
    assert lanes.the("slow", "runs").start < lanes.the("fast", "runs").start
    assert lanes.printed("25")[1] == "fast", "the thread that completes a future calls its callbacks"
    futures = [[span.name for span in lanes.spans[name]] for name in lanes.matching(r"future.*")]
    assert ["pending", "running", "finished returned i32 16"] in futures
    end = "finished returned i32 25"
    assert ["pending", "running", end, "calls a callback", end] in futures
    [pool] = lanes.matching("pool.*")
    assert lanes.find(pool, "2 queued|1 queued") and lanes.spans[pool][-1].name == "0 queued"


def test_an_event_loop_ticks_and_its_tasks_take_turns(trace):
    lanes = trace(
        "async fn count(name: &'static str) { for n in 1..=2 { println!(\"{name}{n}\"); asyncio::sleep(0).await; } }\n"
        'let tasks = ["x", "y"].map(|name| asyncio::create_task(count(name)));\n'
        'asyncio::get_event_loop().call_soon(|| println!("called"));\n'
        "asyncio::run(asyncio::gather(tasks));"
    )
    times = [lanes.printed(text)[0] for text in ("x1", "y1", "called", "x2", "y2")]
    assert times == sorted(times)
    [one, other] = [lanes.printed(text)[1] for text in ("x1", "y1")]
    assert re.fullmatch(r"Task-\d+ count.*", one) and re.fullmatch(r"Task-\d+ count.*", other) and one != other
    assert lanes.printed("called")[1] == "callback"
    [loop] = lanes.matching("event loop.*")
    ticks = lanes.find(loop, r"tick \d+")
    assert len(ticks) >= 2
    first = next(tick for tick in ticks if tick.start <= times[0] <= tick.end)
    assert all(first.start <= time <= first.end for time in times[:3])
    assert times[3] >= first.end


def test_work_for_an_executor_goes_down_and_comes_up(trace):
    lanes = trace(
        "let executor = concurrent::futures::ThreadPoolExecutor::new(1);\n"
        "fn answer(asker: String) -> i32 { until_it_waits(&asker); thread::sleep(Duration::from_millis(1)); 42 }\n"
        'let asker = fs::canonicalize("/proc/thread-self").unwrap().display().to_string();\n'
        "let number = asyncio::run(async { asyncio::get_event_loop().run_in_executor(&executor, answer, asker).await });\n"
        "assert_eq!(number, 42);"
    )
    sleep = lanes.the("answer", "sleep .*")
    assert sleep.line.endswith(":2")
    assert any(arrow[0] == "spawn" and arrow[2] == "answer" for arrow in lanes.arrows)
    assert any(arrow[0] == "wake" and arrow[1] == "answer" for arrow in lanes.arrows)
