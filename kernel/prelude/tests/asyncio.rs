//! The event loop: order, nesting, stopping.

mod support;

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
    thread,
};

use interleave::{
    asyncio::{self, get_event_loop},
    block_on,
    concurrent::futures::Future,
};
use support::{Log, one_round, panic_message, write};

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
