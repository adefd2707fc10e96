//! `ThreadPoolExecutor`: how many threads, which jobs wait, and how it ends.

use std::{
    collections::HashSet,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Barrier, mpsc},
    thread,
};

use interleave::concurrent::futures::{Future, ThreadPoolExecutor};

fn thread_name(_: ()) -> String {
    thread::current().name().unwrap().to_owned()
}

/// A job that waits for the test, so that its thread is known to be busy.
fn gate(executor: &ThreadPoolExecutor) -> (mpsc::Sender<()>, Future<()>) {
    let (open, gate) = mpsc::channel();
    (open, executor.submit_fn(move || gate.recv().unwrap()))
}

#[test]
fn a_job_more_than_threads_has_to_queue() {
    let executor = ThreadPoolExecutor::new(2);
    let (open_a, a) = gate(&executor);
    let (open_b, b) = gate(&executor);
    let queued = executor.submit(thread_name, ());
    assert!(a.running() && b.running());
    assert!(queued.to_string().ends_with("state=pending>"));
    open_a.send(()).unwrap();
    assert!(queued.result().starts_with("ThreadPoolExecutor-"));
    open_b.send(()).unwrap();
    b.result();
}

#[test]
fn threads_are_named_as_in_python() {
    let executor = ThreadPoolExecutor::new(8);
    let name = executor.submit(thread_name, ()).result();
    assert!(
        name.starts_with("ThreadPoolExecutor-") && name.ends_with("_0"),
        "{name}"
    );
}

#[test]
fn as_many_jobs_as_threads_run_at_the_same_time() {
    let executor = ThreadPoolExecutor::new(3);
    let barrier = Arc::new(Barrier::new(3));
    let names: HashSet<String> = executor
        .map(
            move |()| {
                barrier.wait();
                thread_name(())
            },
            [(); 3],
        )
        .collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_queued_job_can_be_cancelled_and_never_runs() {
    let executor = ThreadPoolExecutor::new(1);
    let (open, blocker) = gate(&executor);
    let (sender, receiver) = mpsc::channel();
    let queued = executor.submit_fn(move || sender.send(()).unwrap());
    assert!(queued.cancel());
    assert!(!blocker.cancel());
    open.send(()).unwrap();
    executor.shutdown(true);
    assert!(
        receiver.recv().is_err(),
        "the closure was dropped, not called"
    );
}

#[test]
fn a_panicking_job_fails_and_its_thread_goes_on() {
    let executor = ThreadPoolExecutor::new(1);
    let failed = executor.submit(|n: i32| -> i32 { panic!("no square of {n}") }, 3);
    let exception = failed.exception().unwrap();
    assert_eq!(
        (exception.type_name(), &*exception.to_string()),
        ("panic", "no square of 3")
    );
    assert!(failed.to_string().ends_with("state=finished raised panic>"));
    let name = executor.submit(thread_name, ()).result();
    assert!(name.ends_with("_0"), "{name}");
}

#[test]
fn a_future_completed_by_somebody_else_does_not_cost_a_thread() {
    let executor = ThreadPoolExecutor::new(1);
    let (open, future) = gate(&executor);
    future.set_result(());
    open.send(()).unwrap();
    assert_eq!(executor.submit_fn(|| 1).result(), 1);
    executor.shutdown(true);
}

#[test]
fn map_submits_now_keeps_the_order_and_panics_where_the_job_did() {
    let executor = ThreadPoolExecutor::new(2);
    let (sender, receiver) = mpsc::channel();
    let mut results = executor.map(
        move |n| {
            sender.send(n).unwrap();
            assert_ne!(n, 2, "two");
            NotClone(n)
        },
        1..=3,
    );
    let mut started: Vec<i32> = receiver.iter().take(3).collect();
    started.sort();
    assert_eq!(started, [1, 2, 3]);
    assert_eq!(results.next().unwrap().0, 1);
    assert!(catch_unwind(AssertUnwindSafe(|| results.next())).is_err());
    assert_eq!(results.next().unwrap().0, 3);
    assert!(results.next().is_none());
}

struct NotClone(i32);

#[test]
fn shutdown_waits_for_queued_jobs_and_takes_no_more() {
    let executor = ThreadPoolExecutor::new(1);
    let futures: Vec<_> = (0..5).map(|n| executor.submit(|n| n, n)).collect();
    executor.shutdown(true);
    assert!(futures.iter().all(Future::done));
    executor.shutdown(true);
    let refused = catch_unwind(AssertUnwindSafe(|| executor.submit_fn(|| ())));
    let message = refused.unwrap_err();
    assert_eq!(
        message.downcast_ref::<&str>(),
        Some(&"cannot schedule new futures after shutdown")
    );
}

#[test]
fn two_threads_may_wait_for_the_shutdown() {
    let executor = ThreadPoolExecutor::new(2);
    let (open, blocker) = gate(&executor);
    let other = thread::spawn({
        let executor = executor.clone();
        move || executor.shutdown(true)
    });
    executor.shutdown(false);
    open.send(()).unwrap();
    executor.shutdown(true);
    other.join().unwrap();
    assert!(blocker.done());
}

#[test]
fn a_job_cannot_wait_for_the_end_of_its_own_pool() {
    let executor = ThreadPoolExecutor::new(1);
    let own = executor.clone();
    let exception = executor
        .submit_fn(move || own.shutdown(true))
        .exception()
        .unwrap();
    assert_eq!(exception.to_string(), "cannot join current thread");
}

#[test]
fn dropping_the_last_handle_lets_queued_jobs_finish() {
    let executor = ThreadPoolExecutor::new(1);
    let (open, _) = gate(&executor);
    let queued = executor.submit(thread_name, ());
    drop(executor);
    assert!(!queued.done());
    open.send(()).unwrap();
    assert!(queued.result().ends_with("_0"));
}

#[test]
fn the_last_handle_may_be_dropped_by_a_job() {
    let executor = ThreadPoolExecutor::new(1);
    let own = executor.clone();
    let (open, gate) = mpsc::channel();
    let future = executor.submit_fn(move || {
        gate.recv().unwrap();
        drop(own);
    });
    drop(executor);
    open.send(()).unwrap();
    future.result();
}

#[test]
#[should_panic(expected = "max_workers must be greater than 0")]
fn a_pool_without_threads() {
    ThreadPoolExecutor::new(0);
}

#[test]
fn it_is_shown_with_its_size() {
    assert_eq!(
        format!("{:?}", ThreadPoolExecutor::new(3)),
        "<ThreadPoolExecutor max_workers=3>"
    );
}
