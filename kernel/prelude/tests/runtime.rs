//! `block_on` may be called anywhere.

use std::{
    cell::Cell,
    future::{poll_fn, ready},
    pin::Pin,
    task::Poll,
    thread,
};

use interleave::{asyncio, block_on};
use tokio::{
    runtime::{Builder, Runtime},
    sync::oneshot,
    task::LocalSet,
};

/// Needs a timer, a task on another thread, and a wake from there.
async fn work() -> i32 {
    asyncio::sleep(0.01).await;
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    tokio::spawn(async { 42 }).await.unwrap()
}

#[test]
fn on_a_plain_thread_and_inside_itself() {
    assert_eq!(block_on(work()), 42);
    assert_eq!(block_on(async { block_on(async { block_on(work()) }) }), 42);
}

#[test]
fn inside_a_multi_thread_runtime_of_the_user() {
    let runtime = Runtime::new().unwrap();
    assert_eq!(runtime.block_on(async { block_on(work()) }), 42);
}

#[test]
fn inside_a_current_thread_runtime_of_the_user() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(async { block_on(work()) }), 42);
}

#[test]
fn inside_a_local_set() {
    let runtime = Runtime::new().unwrap();
    let local = LocalSet::new();
    let task = async {
        tokio::task::spawn_local(async { block_on(work()) })
            .await
            .unwrap()
    };
    assert_eq!(local.block_on(&runtime, task), 42);
}

#[test]
fn on_every_worker_thread_at_once() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..4)
            .map(|_| tokio::spawn(async { block_on(work()) }))
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), 42);
        }
    });
}

#[test]
fn on_a_worker_of_the_shared_runtime() {
    let nested = async { tokio::spawn(async { block_on(work()) }).await.unwrap() };
    assert_eq!(block_on(nested), 42);
}

#[test]
fn on_a_blocking_thread_of_tokio() {
    let nested = async {
        tokio::task::spawn_blocking(|| block_on(work()))
            .await
            .unwrap()
    };
    assert_eq!(block_on(nested), 42);
}

#[test]
fn a_runtime_of_the_user_works_inside() {
    let nested = || Runtime::new().unwrap().block_on(work());
    assert_eq!(block_on(async { nested() }), 42);
    assert_eq!(block_on(async { block_on(async { nested() }) }), 42);
    let on_worker = async { tokio::spawn(async move { block_on(async { nested() }) }).await };
    assert_eq!(block_on(on_worker).unwrap(), 42);
}

#[test]
fn a_runtime_of_the_user_works_inside_another_one() {
    let outer = Runtime::new().unwrap();
    let inner = async { block_on(async { Runtime::new().unwrap().block_on(work()) }) };
    assert_eq!(outer.block_on(inner), 42);
}

/// The inner call uses up the thread's `unpark` token that was meant for the outer one.
#[test]
fn an_inner_call_does_not_swallow_the_wake_of_the_outer() {
    let (sender, receiver) = oneshot::channel();
    let (mut sender, mut receiver) = (Some(sender), Box::pin(receiver));
    let outer = poll_fn(move |cx| {
        let polled = Pin::new(&mut receiver).poll(cx);
        if let Some(sender) = sender.take() {
            thread::spawn(move || sender.send(42).unwrap())
                .join()
                .unwrap();
            block_on(asyncio::sleep(0.01));
        }
        polled.map(Result::unwrap)
    });
    assert_eq!(block_on(outer), 42);
}

#[test]
fn the_output_and_the_future_may_borrow() {
    let count = Cell::new(0);
    let output = block_on(async {
        count.set(count.get() + 1);
        &count
    });
    assert_eq!(output.get(), 1);
}

#[test]
fn a_future_that_wakes_itself_is_polled_again() {
    let mut polls = 0;
    block_on(poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls == 3 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }));
    assert_eq!(polls, 3);
}

#[test]
#[should_panic(expected = "from the future")]
fn a_panic_comes_out() {
    block_on(async { ready(()).await }); // The next call finds everything in order, too.
    block_on(async { panic!("from the future") })
}
