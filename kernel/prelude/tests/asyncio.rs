//! The event loop, its tasks and futures.

use std::{
    cell::RefCell,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::mpsc,
    task::Poll,
    thread,
};

use interleave::{
    asyncio::{self, Coroutine, EventLoop, Task, TimeoutError, get_event_loop},
    block_on,
    concurrent::futures::{Future, ThreadPoolExecutor},
};

type Log = Rc<RefCell<Vec<&'static str>>>;

fn write(log: &Log, entry: &'static str) -> impl FnOnce() + 'static {
    let log = Rc::clone(log);
    move || log.borrow_mut().push(entry)
}

fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("it should panic")
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

/// Lets everything that is ready now run once.
fn one_round(event_loop: &EventLoop) {
    event_loop.stop();
    event_loop.run_forever();
}

async fn hello() -> &'static str {
    "hello"
}

#[test]
fn callbacks_and_tasks_run_in_the_order_in_which_they_came() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    event_loop.call_soon(write(&log, "callback 1"));
    let in_task = write(&log, "task");
    event_loop.create_task(async move { in_task() });
    event_loop.call_soon(write(&log, "callback 2"));
    assert!(log.borrow().is_empty(), "nothing runs before the loop does");
    event_loop.run_until_complete(async {});
    assert_eq!(*log.borrow(), ["callback 1", "task", "callback 2"]);
}

#[test]
fn what_a_callback_schedules_runs_in_the_next_round() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    let (inner, handle) = (write(&log, "next round"), event_loop.clone());
    event_loop.call_soon(move || handle.call_soon(inner));
    event_loop.call_soon(write(&log, "this round"));
    one_round(&event_loop);
    assert_eq!(*log.borrow(), ["this round"]);
    one_round(&event_loop);
    assert_eq!(*log.borrow(), ["this round", "next round"]);
}

#[test]
fn timers_run_by_due_time_and_by_age() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    let stop = event_loop.clone();
    event_loop.call_later(0.03, move || stop.stop());
    event_loop.call_later(0.02, write(&log, "late"));
    event_loop.call_later(0.0, write(&log, "first"));
    event_loop.call_later(-1.0, write(&log, "second"));
    let cancelled = event_loop.call_later(0.01, write(&log, "cancelled"));
    let never = event_loop.call_later(f64::INFINITY, write(&log, "never"));
    cancelled.cancel();
    event_loop.run_forever();
    assert_eq!(*log.borrow(), ["first", "second", "late"]);
    assert!(format!("{cancelled:?}").starts_with("<TimerHandle cancelled when="));
    assert!(!never.cancelled() && never.when() == f64::INFINITY);
    assert!(event_loop.time() >= 0.03);
}

#[test]
fn cancelling_a_timer_drops_what_it_owns_even_if_that_uses_the_loop() {
    struct UsesLoop;
    impl Drop for UsesLoop {
        fn drop(&mut self) {
            get_event_loop().call_soon(|| ());
        }
    }
    let owned = UsesLoop;
    get_event_loop()
        .call_later(60, move || drop(owned))
        .cancel();
    one_round(&get_event_loop());
}

#[test]
fn a_panicking_callback_does_not_stop_the_loop() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    event_loop.call_soon(|| panic!("on purpose"));
    event_loop.call_soon(write(&log, "after"));
    one_round(&event_loop);
    assert_eq!(*log.borrow(), ["after"]);
}

#[test]
fn the_loop_knows_whether_it_runs() {
    let event_loop = get_event_loop();
    assert_eq!(
        format!("{event_loop:?}"),
        "<EventLoop running=false closed=false>"
    );
    let inside = event_loop.run_until_complete(async { format!("{:?}", get_event_loop()) });
    assert_eq!(inside, "<EventLoop running=true closed=false>");
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        asyncio::run(async { panic!("on purpose") })
    }));
    assert!(panicked.is_err() && !event_loop.is_running());
}

#[test]
fn each_thread_has_its_own_loop() {
    let log = Log::default();
    get_event_loop().call_soon(write(&log, "here"));
    thread::spawn(|| asyncio::run(async {})).join().unwrap();
    assert!(log.borrow().is_empty());
}

#[test]
fn stop_before_the_end_is_a_panic_as_in_python() {
    let message = panic_message(|| {
        asyncio::run(async {
            get_event_loop().stop();
            asyncio::sleep(60).await;
        });
    });
    assert_eq!(message, "Event loop stopped before Future completed.");
    asyncio::run(asyncio::sleep(0)); // The next run is a fresh one.
}

#[test]
fn the_root_future_may_borrow() {
    let mut words = vec!["a"];
    get_event_loop().run_until_complete(async { words.push("b") });
    assert_eq!(words, ["a", "b"]);
}

#[test]
fn a_loop_inside_a_loop_lets_the_other_tasks_run() {
    let event_loop = get_event_loop();
    let output = event_loop.run_until_complete(async {
        let other = asyncio::create_task(async {
            asyncio::sleep(0.01).await;
            "other"
        });
        let nested = asyncio::create_task(async { asyncio::run(other) });
        asyncio::sleep(0).await;
        nested.await
    });
    assert_eq!(output, "other");
}

#[test]
fn a_wake_for_the_outer_run_survives_the_inner_one() {
    let outer = Future::<i32>::new();
    let to_fill = outer.clone();
    let output = asyncio::run(async {
        asyncio::create_task(async move {
            to_fill.set_result(1);
            asyncio::run(asyncio::sleep(0.01));
        });
        outer.await
    });
    assert_eq!(output, 1);
}

#[test]
fn a_root_that_is_done_is_not_polled_again() {
    let mut polls = 0;
    asyncio::run(poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 1 {
            get_event_loop().call_soon(|| ());
            return Poll::Pending;
        }
        // Runs the callback, whose place in this round the root would take.
        asyncio::run(async {});
        Poll::Ready(())
    }));
    assert_eq!(polls, 2);
}

#[test]
fn a_stop_does_not_outlive_the_run_that_it_stops() {
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        asyncio::run(async {
            get_event_loop().stop();
            panic!("on purpose");
        })
    }));
    assert!(panicked.is_err());
    asyncio::run(asyncio::sleep(0.01));
}

#[test]
fn a_stop_is_for_the_run_that_was_innermost_then() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    let after_nested = write(&log, "after nested");
    event_loop.call_soon(move || {
        get_event_loop().stop();
        asyncio::run(asyncio::sleep(0.01));
        after_nested();
    });
    event_loop.run_forever();
    assert_eq!(*log.borrow(), ["after nested"]);
}

#[test]
fn tokio_and_block_on_work_inside_and_outside() {
    async fn work() -> i32 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        tokio::spawn(async { asyncio::sleep(0.005).await })
            .await
            .unwrap();
        42
    }
    assert_eq!(asyncio::run(work()), 42);
    assert_eq!(asyncio::run(async { block_on(work()) }), 42);
    assert_eq!(block_on(async { asyncio::run(work()) }), 42);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(async { asyncio::run(work()) }), 42);
    let on_worker = async { tokio::spawn(async { asyncio::run(work()) }).await.unwrap() };
    assert_eq!(runtime.block_on(on_worker), 42);
}

#[test]
fn a_task_is_shown_as_in_python() {
    let event_loop = get_event_loop();
    let mut task = event_loop.create_task(hello());
    let name = task.name().to_owned();
    assert!(name.starts_with("Task-"));
    assert_eq!(
        format!("{task:?}"),
        format!(r#"<Task pending name="{name}" coro=<hello()>>"#)
    );
    one_round(&event_loop);
    let done = format!(r#"<Task finished name="{name}" coro=<hello()> result="hello">"#);
    assert_eq!(format!("{task:?}"), done);
    assert_eq!(task.result(), "hello");
    assert_eq!(
        block_on(&mut task),
        "hello",
        "a finished task needs no loop"
    );
    assert!(panic_message(|| task.result()).contains("taken by await"));

    let of_coroutine = event_loop.create_task(Coroutine::from(hello()));
    assert!(format!("{of_coroutine:?}").contains("coro=<hello()>"));
}

#[test]
fn a_task_that_panics_panics_where_it_is_awaited() {
    let event_loop = get_event_loop();
    let task: Task<i32> = event_loop.create_task(async { panic!("on purpose") });
    one_round(&event_loop);
    assert!(task.done() && !task.cancelled());
    assert!(format!("{task:?}").ends_with(r#"exception=panic("on purpose")>"#));
    assert_eq!(panic_message(|| task.result()), "on purpose");
    assert_eq!(
        panic_message(|| event_loop.run_until_complete(task)),
        "on purpose"
    );
}

#[test]
fn cancel_drops_the_future_before_anyone_hears_of_it() {
    struct OnDrop(Option<Box<dyn FnOnce()>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.take().unwrap()();
        }
    }
    let (event_loop, log) = (get_event_loop(), Log::default());
    let cleanup = OnDrop(Some(Box::new(write(&log, "cleaned up"))));
    let mut task = event_loop.create_task(async move {
        let _cleanup = cleanup;
        asyncio::sleep(60).await;
    });
    one_round(&event_loop);
    assert!(task.cancel() && !task.cancelled());
    assert!(log.borrow().is_empty());
    let message = panic_message(|| event_loop.run_until_complete(&mut task));
    assert_eq!(message, "CancelledError");
    assert_eq!(*log.borrow(), ["cleaned up"]);
    assert!(!task.cancel());
}

#[test]
fn a_cancelled_task_that_never_began_never_runs() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    let in_task = write(&log, "ran");
    let task = event_loop.create_task(async move { in_task() });
    task.cancel();
    one_round(&event_loop);
    assert!(task.cancelled() && log.borrow().is_empty());
    assert!(format!("{task:?}").starts_with("<Task cancelled"));
}

#[test]
fn a_task_may_cancel_itself() {
    let event_loop = get_event_loop();
    let own: Rc<RefCell<Option<Task<()>>>> = Rc::default();
    let in_task = Rc::clone(&own);
    let task = event_loop.create_task(async move {
        in_task.borrow().as_ref().unwrap().cancel();
        asyncio::sleep(60).await;
    });
    own.replace(Some(task));
    one_round(&event_loop);
    assert!(own.borrow().as_ref().unwrap().cancelled());
}

#[test]
fn a_dropped_handle_lets_the_task_run_unless_it_was_awaited() {
    let (event_loop, log) = (get_event_loop(), Log::default());
    let in_task = write(&log, "detached");
    drop(event_loop.create_task(async move { in_task() }));
    one_round(&event_loop);
    assert_eq!(*log.borrow(), ["detached"]);

    let owned = Rc::new(());
    let in_task = Rc::clone(&owned);
    let task = event_loop.create_task(async move {
        asyncio::sleep(60).await;
        drop(in_task);
    });
    assert_eq!(
        asyncio::run(asyncio::wait_for(task, 0.01)),
        Err(TimeoutError)
    );
    one_round(&event_loop);
    assert_eq!(Rc::strong_count(&owned), 1);
}

#[test]
fn an_executor_future_changes_only_while_the_loop_runs() {
    let executor = ThreadPoolExecutor::new(1);
    let event_loop = get_event_loop();
    let future = event_loop.run_in_executor(&executor, str::to_owned, "hello");
    executor.shutdown(true);
    assert_eq!(
        format!("{future:?}"),
        "<Future pending cb=[EventLoop::wake()]>"
    );
    assert!(panic_message(|| future.result()).contains("Result is not set"));
    asyncio::run(async {});
    assert_eq!(format!("{future:?}"), r#"<Future finished result="hello">"#);
    assert_eq!(future.result(), "hello");
    assert_eq!(event_loop.run_until_complete(future), "hello");
}

#[test]
fn an_executor_future_can_fail_and_be_cancelled() {
    let executor = ThreadPoolExecutor::new(1);
    let event_loop = get_event_loop();
    let failed = event_loop.run_in_executor(&executor, |()| panic!("on purpose"), ());
    assert_eq!(
        panic_message(|| event_loop.run_until_complete(failed)),
        "on purpose"
    );

    let (open, gate) = mpsc::channel::<()>();
    let blocker = executor.submit_fn(move || gate.recv().unwrap());
    let (sender, receiver) = mpsc::channel();
    let queued = event_loop.run_in_executor(&executor, move |()| sender.send(()).unwrap(), ());
    assert!(queued.cancel() && queued.cancelled() && !queued.cancel());
    assert_eq!(format!("{queued:?}"), "<Future cancelled>");
    assert_eq!(
        panic_message(|| event_loop.run_until_complete(queued)),
        "CancelledError"
    );
    open.send(()).unwrap();
    blocker.result();
    assert!(receiver.recv().is_err(), "the call was prevented");
}

#[test]
fn waiting_for_a_loop_that_does_not_run_is_a_panic_and_not_a_deadlock() {
    let task = asyncio::create_task(hello());
    assert!(panic_message(|| block_on(task)).contains("event loop that does not run"));
}

#[test]
fn other_tasks_run_while_a_thread_blocks() {
    let executor = ThreadPoolExecutor::new(1);
    let (open, gate) = mpsc::channel();
    let output = asyncio::run(async {
        let blocking = get_event_loop().run_in_executor(
            &executor,
            move |()| {
                gate.recv().unwrap();
                "blocked"
            },
            (),
        );
        asyncio::create_task(async move { open.send(()).unwrap() });
        blocking.await
    });
    assert_eq!(output, "blocked");
}

#[test]
fn wait_for_prefers_the_future_and_drops_it_when_late() {
    assert_eq!(asyncio::run(asyncio::wait_for(hello(), 0.0)), Ok("hello"));
    let owned = Rc::new(());
    let in_future = Rc::clone(&owned);
    let late = async move {
        asyncio::sleep(f64::INFINITY).await;
        drop(in_future);
    };
    assert_eq!(
        asyncio::run(asyncio::wait_for(late, 0.01)),
        Err(TimeoutError)
    );
    assert_eq!(Rc::strong_count(&owned), 1);
}

#[test]
fn coroutines_have_the_name_of_their_function() {
    async fn generic<T>(_: T) {}
    struct Greeter;
    impl Greeter {
        async fn greet(&self) {}
    }
    let named = |coro: &Coroutine<()>, name: &str| {
        assert_eq!(coro.name(), name);
        assert!(format!("{coro:?}").starts_with(&format!("<coroutine object {name} at 0x")));
    };
    let coro = Coroutine::from(generic(vec![1]));
    named(&coro, "generic");
    block_on(coro);
    let coro = Coroutine::from(async { Greeter.greet().await });
    named(&coro, "coroutines_have_the_name_of_their_function");
    tokio::task::LocalSet::new().block_on(
        &tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap(),
        coro,
    );
}
