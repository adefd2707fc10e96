//! `concurrent::futures::Future`, and waiting for many of them.

use std::{
    num::ParseIntError,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Barrier, mpsc},
    thread,
};

use interleave::{
    block_on,
    concurrent::futures::{
        Exception, Future, FutureError, ReturnWhen, as_completed, wait, wait_timeout,
    },
};

fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("it should panic")
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

fn parse_error() -> Exception {
    Exception::new("x".parse::<i32>().unwrap_err())
}

#[test]
fn states_are_shown_as_in_python() {
    let future = Future::<Vec<Option<String>>>::new();
    let address = format!("{future}").split(' ').nth(2).unwrap().to_owned();
    let shown = |future: &Future<_>, state: &str| {
        assert_eq!(
            future.to_string(),
            format!("<Future at {address} state={state}>")
        );
        assert_eq!(future.to_string(), format!("{future:?}"));
    };
    let clone = future.clone();
    shown(&clone, "pending");
    assert!(future.set_running_or_notify_cancel());
    assert!(clone.running());
    shown(&clone, "running");
    future.set_result(vec![]);
    shown(&clone, "finished returned Vec<Option<String>>");

    let of_text = Future::new();
    of_text.set_result("hello");
    assert!(
        of_text
            .to_string()
            .ends_with("state=finished returned &str>")
    );

    let cancelled = Future::<i32>::new();
    cancelled.cancel();
    assert!(cancelled.to_string().ends_with("state=cancelled>"));

    let failed = Future::<i32>::new();
    failed.set_exception(parse_error());
    assert!(
        failed
            .to_string()
            .ends_with("state=finished raised ParseIntError>")
    );
}

#[test]
fn a_result_cannot_be_replaced() {
    let future = Future::new();
    future.set_result(1);
    let expected = format!("InvalidStateError: FINISHED: {future}");
    assert_eq!(panic_message(|| future.set_result(2)), expected);
    assert_eq!(panic_message(|| future.set_exception("late")), expected);
    assert_eq!(future.result(), 1);

    let cancelled = Future::<i32>::new();
    cancelled.cancel();
    let message = panic_message(|| cancelled.set_result(1));
    assert!(message.starts_with("InvalidStateError: CANCELLED: <Future at 0x"));
}

#[test]
fn an_exception_reaches_every_way_of_asking() {
    let future = Future::<i32>::new();
    future.set_exception(parse_error());
    assert_eq!(
        panic_message(|| future.result()),
        "invalid digit found in string"
    );
    assert_eq!(
        panic_message(|| block_on(future.clone())),
        "invalid digit found in string"
    );
    let exception = future.exception().unwrap();
    assert!(exception.downcast_ref::<ParseIntError>().is_some());
    assert_eq!(
        format!("{exception:?}"),
        r#"ParseIntError("invalid digit found in string")"#
    );
    assert!(matches!(
        future.result_timeout(0),
        Err(FutureError::Exception(_))
    ));

    let good = Future::new();
    good.set_result(1);
    assert!(good.exception().is_none());
}

#[test]
fn cancelling() {
    let pending = Future::<i32>::new();
    assert!(pending.cancel() && pending.cancelled() && pending.done());
    assert!(pending.cancel(), "a second time is no failure");
    assert!(!pending.set_running_or_notify_cancel());
    assert_eq!(panic_message(|| pending.result()), "CancelledError");
    assert_eq!(panic_message(|| pending.exception()), "CancelledError");
    assert!(matches!(
        pending.result_timeout(0),
        Err(FutureError::Cancelled)
    ));

    let running = Future::new();
    assert!(running.set_running_or_notify_cancel());
    assert!(!running.cancel() && !running.cancelled());
    assert!(panic_message(|| running.set_running_or_notify_cancel()).contains("state=running"));
    running.set_result(1);
    assert!(!running.cancel());
}

#[test]
fn cancel_wakes_who_waits_and_calls_the_callbacks() {
    let future = Future::<i32>::new();
    let (sender, receiver) = mpsc::channel();
    future.add_done_callback(move |future| sender.send(future.cancelled()).unwrap());
    let waiting = thread::spawn({
        let future = future.clone();
        move || {
            matches!(
                future.result_timeout(f64::INFINITY),
                Err(FutureError::Cancelled)
            )
        }
    });
    future.cancel();
    assert_eq!(receiver.recv(), Ok(true));
    assert!(waiting.join().unwrap());
}

#[test]
fn callbacks_run_in_order_on_the_thread_that_completes() {
    let future = Future::new();
    let (sender, receiver) = mpsc::channel();
    for n in 1..=3 {
        let sender = sender.clone();
        future.add_done_callback(move |future| {
            sender
                .send((n, future.result(), thread::current().id()))
                .unwrap();
            assert_ne!(n, 2, "this callback panics on purpose");
        });
    }
    let to_fill = future.clone();
    let thread = thread::spawn(move || to_fill.set_result("value"));
    let completer = thread.thread().id();
    thread.join().unwrap();
    let calls: Vec<_> = receiver.try_iter().collect();
    assert_eq!(calls, [1, 2, 3].map(|n| (n, "value", completer)));
}

#[test]
fn a_callback_added_later_runs_at_once_here() {
    let future = Future::new();
    future.set_result(1);
    let (sender, receiver) = mpsc::channel();
    let late = sender.clone();
    future.add_done_callback(move |_| late.send(thread::current().id()).unwrap());
    assert_eq!(receiver.try_recv(), Ok(thread::current().id()));
    future.add_done_callback(|_| panic!("on purpose"));
}

#[test]
fn a_callback_may_use_the_future_and_drop_the_last_handle() {
    let future = Future::new();
    let own = future.clone();
    future.add_done_callback(move |future| {
        let (sender, receiver) = mpsc::channel();
        own.add_done_callback(move |_| sender.send(()).unwrap());
        receiver.try_recv().unwrap();
        assert_eq!(future.result(), 1);
        drop(own);
    });
    future.set_result(1);
}

#[test]
fn many_threads_and_tasks_wait_for_one_result() {
    let future = Future::new();
    let barrier = Arc::new(Barrier::new(5));
    let threads: Vec<_> = (0..4)
        .map(|n| {
            let (future, barrier) = (future.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                if n % 2 == 0 {
                    future.result()
                } else {
                    block_on(future)
                }
            })
        })
        .collect();
    barrier.wait();
    future.set_result(7);
    assert!(
        threads
            .into_iter()
            .all(|thread| thread.join().unwrap() == 7)
    );
}

#[test]
fn awaiting_twice_gives_the_value_twice() {
    let future = Future::new();
    future.set_result("hello".to_owned());
    assert_eq!(
        block_on(async { future.clone().await + &future.await }),
        "hellohello"
    );
}

#[test]
fn a_timeout_leaves_the_future_as_it_was() {
    let future = Future::new();
    assert!(matches!(
        future.result_timeout(0.01),
        Err(FutureError::Timeout)
    ));
    assert!(matches!(
        future.result_timeout(-1.0),
        Err(FutureError::Timeout)
    ));
    future.set_result(1);
    assert_eq!(future.result_timeout(0).unwrap(), 1);
}

#[test]
fn wait_stops_at_the_first_exception() {
    let futures = [Future::<i32>::new(), Future::new(), Future::new()];
    futures[0].set_result(1);
    futures[1].set_exception("failed");
    let finding = wait(&futures, ReturnWhen::FirstException);
    assert_eq!((finding.done.len(), finding.not_done.len()), (2, 1));
    assert!(format!("{finding:?}").starts_with("DoneAndNotDone { done: [<Future at 0x"));
}

#[test]
fn wait_without_an_exception_waits_for_all() {
    let futures = [Future::<i32>::new(), Future::new()];
    futures[0].cancel(); // No exception.
    let waiting = thread::spawn({
        let futures = futures.clone();
        move || wait(&futures, ReturnWhen::FirstException).not_done.len()
    });
    futures[1].set_result(1);
    assert_eq!(waiting.join().unwrap(), 0);
    assert_eq!(wait::<i32>(&[], ReturnWhen::FirstCompleted).done.len(), 0);
}

#[test]
fn wait_timeout_keeps_the_order_of_its_argument() {
    let futures = [Future::new(), Future::new(), Future::new()];
    futures[2].set_result(2);
    futures[0].set_result(0);
    let finding = wait_timeout(&futures, 0.01, ReturnWhen::AllCompleted);
    let done: Vec<i32> = finding.done.iter().map(Future::result).collect();
    assert_eq!(done, [0, 2]);
    assert_eq!(finding.not_done.len(), 1);
}

#[test]
fn as_completed_blocks_for_what_is_missing() {
    let futures = [Future::new(), Future::new(), Future::new()];
    futures[1].set_result(1);
    let mut completed = as_completed(futures.clone());
    assert_eq!(completed.len(), 3);
    assert_eq!(completed.next().unwrap().result(), 1);
    let thread = thread::spawn(move || completed.map(|future| future.result()).collect::<Vec<_>>());
    futures[2].set_result(2);
    futures[0].set_result(0);
    assert_eq!(thread.join().unwrap(), [2, 0]);
}
