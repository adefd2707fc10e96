//! Tasks, coroutines, and the futures of an event loop.

mod support;

use std::{cell::RefCell, rc::Rc, sync::mpsc};

use interleave::{
    asyncio::{self, Coroutine, Task, TimeoutError, get_event_loop},
    block_on,
    concurrent::futures::ThreadPoolExecutor,
};
use support::{Log, one_round, panic_message, write};

async fn hello() -> &'static str {
    "hello"
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
