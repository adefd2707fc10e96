//! The event loop: a ready queue, a heap of timers, and a thread that sleeps in between.
//!
//! This file is what a student calls; [`run`] is the loop itself.

mod asked;
mod run;
mod timer_handle;

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
    fmt,
    panic::Location,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::Waker,
    time::Instant,
};

use super::{
    Future, Task,
    ready::{LoopWaker, ReadyQueue, new_id, work_name},
    slot::Slot,
};
use crate::{
    concurrent::futures::ThreadPoolExecutor,
    names,
    seconds::{Seconds, deadline},
    trace,
};

use asked::{Asked, Work};

pub use timer_handle::TimerHandle;

/// Returns the event loop of the current thread. It is made at the first call, and stays.
///
/// ```
/// use interleave::asyncio;
///
/// let task = asyncio::get_event_loop().create_task(async { "hello" });
/// asyncio::get_event_loop().run_until_complete(asyncio::sleep(0)); // The same loop.
/// assert_eq!(task.result(), "hello");
/// ```
pub fn get_event_loop() -> EventLoop {
    thread_local! {
        static LOOP: EventLoop = EventLoop::new();
    }
    LOOP.with(EventLoop::clone)
}

/// Runs callbacks and tasks on one thread, one at a time, each as soon as it is ready.
///
/// Nothing in it runs at the same time as anything else in it, so what callbacks and tasks share
/// needs no lock: an `Rc<RefCell<…>>` will do. The other side of this: a callback or task that
/// blocks, as [`std::thread::sleep`] does, stops all of them. Blocking work belongs to
/// [`run_in_executor`](EventLoop::run_in_executor).
///
/// They make progress only while the loop *runs*, in [`run_until_complete`] or [`run_forever`].
/// A tokio runtime is different: its worker threads run tasks all the time.
///
/// A clone is another handle of the same loop. A handle stays on its thread.
///
/// [`run_until_complete`]: EventLoop::run_until_complete
/// [`run_forever`]: EventLoop::run_forever
///
/// # Examples
///
/// What is due first runs first, whatever was asked for first:
///
/// ```
/// use interleave::asyncio;
/// use std::{cell::RefCell, rc::Rc};
///
/// let log = Rc::new(RefCell::new(Vec::new()));
/// let job = |name: &'static str| {
///     let log = Rc::clone(&log);
///     move || log.borrow_mut().push(name)
/// };
///
/// let event_loop = asyncio::get_event_loop();
/// event_loop.call_later(0.02, job("Job1"));
/// event_loop.call_later(0.01, job("Job2"));
/// let stop = event_loop.clone();
/// event_loop.call_later(0.03, move || stop.stop());
///
/// assert!(log.borrow().is_empty());
/// event_loop.run_forever();
/// assert_eq!(*log.borrow(), ["Job2", "Job1"]);
/// ```
///
/// Another thread cannot use it, which the compiler checks. It can complete a
/// [`concurrent::futures::Future`](crate::concurrent::futures::Future) that a task awaits.
///
/// ```compile_fail,E0277
/// let event_loop = interleave::asyncio::get_event_loop();
/// std::thread::spawn(move || event_loop.call_soon(|| ()));
/// ```
#[derive(Clone)]
pub struct EventLoop {
    inner: Rc<Inner>,
}

struct Inner {
    ready: Arc<ReadyQueue>,
    /// What the numbers in the queue stand for. What runs right now is not in here.
    work: RefCell<HashMap<u64, Asked>>,
    /// When to put which number into the queue, the earliest first. Numbers grow, so of two timers
    /// due together the older one is first.
    timers: RefCell<BinaryHeap<Reverse<(Instant, u64)>>>,
    /// Tells it from the loops of other threads.
    number: u64,
    /// How many rounds have run.
    ticks: Cell<u64>,
    /// How many calls of `run` are on the stack.
    depth: Cell<usize>,
    stopping: Cell<bool>,
    started: Instant,
}

impl EventLoop {
    fn new() -> EventLoop {
        let inner = Inner {
            ready: Arc::default(),
            work: RefCell::default(),
            timers: RefCell::default(),
            number: new_id(),
            ticks: Cell::new(0),
            depth: Cell::new(0),
            stopping: Cell::new(false),
            started: Instant::now(),
        };
        EventLoop {
            inner: Rc::new(inner),
        }
    }

    /// Runs the loop until the future is done, and returns its output.
    ///
    /// Inside a task it may be called again: the loop goes on for the other tasks, while the one
    /// that calls does not. (Python refuses this. In a coroutine, prefer `.await`.)
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let output = event_loop.run_until_complete(async {
    ///     let task = asyncio::create_task(async { "from a task" });
    ///     task.await
    /// });
    /// assert_eq!(output, "from a task");
    /// ```
    ///
    /// # Panics
    ///
    /// When the future panics, and when [`stop`](EventLoop::stop) is called before it is done.
    #[track_caller]
    pub fn run_until_complete<F: IntoFuture>(&self, f: F) -> F::Output {
        let mut output = None;
        let future = f.into_future();
        self.run_root(
            pin!(async { output = Some(future.await) }),
            names::function::<F::IntoFuture>,
        );
        output.unwrap_or_else(|| panic!("Event loop stopped before Future completed."))
    }

    /// Runs the loop until somebody calls [`stop`](EventLoop::stop).
    ///
    /// Unlike [`run_until_complete`](EventLoop::run_until_complete) it has no output.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let to_stop = event_loop.clone();
    /// event_loop.call_later(0.01, move || to_stop.stop());
    /// event_loop.run_forever();
    /// assert!(event_loop.time() >= 0.01);
    /// ```
    pub fn run_forever(&self) {
        self.run(None, || false);
    }

    /// Lets the loop return, after what is ready now has run. The rest stays, for the next run.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let task = event_loop.create_task(asyncio::sleep(0.01));
    /// event_loop.stop();
    /// event_loop.run_forever(); // One round.
    /// assert!(!task.done());
    /// event_loop.run_until_complete(task); // Goes on where it was.
    /// ```
    pub fn stop(&self) {
        self.inner.stopping.set(true);
    }

    /// Whether the loop is running, which only code inside it can see.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// assert!(!event_loop.is_running());
    /// assert!(asyncio::run(async { asyncio::get_event_loop().is_running() }));
    /// ```
    pub fn is_running(&self) -> bool {
        self.inner.depth.get() > 0
    }

    /// The loop's clock, in seconds. It starts with the loop, and never goes back.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let start = event_loop.time();
    /// event_loop.run_until_complete(asyncio::sleep(0.02));
    /// assert!(event_loop.time() - start >= 0.02);
    /// ```
    pub fn time(&self) -> f64 {
        self.inner.started.elapsed().as_secs_f64()
    }

    /// Calls `f` in the next round of the loop, after everything that is ready before.
    ///
    /// A panic in `f` is reported on standard error; the loop goes on.
    ///
    /// ```
    /// use interleave::asyncio;
    /// use std::{cell::RefCell, rc::Rc};
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let log = Rc::new(RefCell::new(Vec::new()));
    /// for n in 1..=3 {
    ///     let log = Rc::clone(&log);
    ///     event_loop.call_soon(move || log.borrow_mut().push(n));
    /// }
    /// assert!(log.borrow().is_empty()); // Nothing was called yet.
    /// event_loop.run_until_complete(asyncio::sleep(0));
    /// assert_eq!(*log.borrow(), [1, 2, 3]);
    /// ```
    #[track_caller]
    pub fn call_soon(&self, f: impl FnOnce() + 'static) {
        let id = self.add_callback(Box::new(f), None);
        self.inner.ready.push(id);
    }

    /// Calls `f` in the loop, `seconds` from now or, if the loop does not run then, later.
    ///
    /// Unlike [`threading::Timer`](crate::threading::Timer) it needs no thread, and `f` need not
    /// be `Send`.
    ///
    /// ```
    /// use interleave::{asyncio, concurrent::futures::Future};
    /// use std::thread;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let caller = Future::new();
    /// let to_fill = caller.clone();
    /// event_loop.call_later(0.01, move || to_fill.set_result(thread::current().id()));
    /// assert_eq!(event_loop.run_until_complete(caller), thread::current().id()); // This thread.
    /// ```
    #[track_caller]
    pub fn call_later(&self, seconds: impl Seconds, f: impl FnOnce() + 'static) -> TimerHandle {
        let due = deadline(seconds);
        let id = self.add_callback(Box::new(f), due);
        if let Some(due) = due {
            self.inner.timers.borrow_mut().push(Reverse((due, id)));
        }
        TimerHandle::new(self, id, due)
    }

    /// Gives a future to the loop, to run beside the others. It begins in the next round.
    ///
    /// Unlike [`Coroutine`](super::Coroutine), which runs when it is awaited, a task runs as soon
    /// as the loop does. Unlike `tokio::spawn` the future may hold things that are not `Send`.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// async fn hello() -> i32 {
    ///     1
    /// }
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let task = event_loop.create_task(hello());
    /// assert!(!task.done());
    /// assert_eq!(event_loop.run_until_complete(task), 1);
    /// ```
    #[track_caller]
    pub fn create_task<F>(&self, future: F) -> Task<F::Output>
    where
        F: IntoFuture<IntoFuture: 'static, Output: 'static>,
    {
        let bell = self.new_waker();
        let (task, step) = Task::new(self, future.into_future(), Arc::clone(&bell));
        self.add_task(&bell, step, task.names(), Location::caller());
        task
    }

    /// Calls `f(arg)` on a thread of the executor, now, and returns a future that the *loop*
    /// finishes: until the loop runs it stays pending, even when the call has long returned.
    ///
    /// Unlike [`ThreadPoolExecutor::submit`], whose future is finished by the thread itself.
    ///
    /// ```
    /// use interleave::{asyncio, concurrent::futures::ThreadPoolExecutor};
    /// use std::{thread, time::Duration};
    ///
    /// fn wait_and_return(msg: &str) -> &str {
    ///     thread::sleep(Duration::from_millis(20));
    ///     msg
    /// }
    ///
    /// let executor = ThreadPoolExecutor::new(3);
    /// let event_loop = asyncio::get_event_loop();
    /// let future = event_loop.run_in_executor(&executor, wait_and_return, "hello");
    /// assert_eq!(format!("{future:?}"), "<Future pending cb=[EventLoop::wake()]>");
    /// assert_eq!(event_loop.run_until_complete(future), "hello");
    /// ```
    ///
    /// # Panics
    ///
    /// After [`ThreadPoolExecutor::shutdown`].
    #[track_caller]
    pub fn run_in_executor<A, T>(
        &self,
        executor: &ThreadPoolExecutor,
        f: impl FnOnce(A) -> T + Send + 'static,
        arg: A,
    ) -> Future<T>
    where
        A: Send + 'static,
        T: Send + 'static,
    {
        let source = executor.submit(f, arg);
        let slot = Rc::new(Slot::new());
        let (from, to) = (source.clone(), Rc::clone(&slot));
        let bell = self.new_waker();
        let transfer = Work::Callback(Box::new(move || to.finish(from.take_outcome())));
        trace::spawned(work_name(bell.id), || "run_in_executor".into());
        self.put(bell.id, Asked::new(transfer, None));
        // The thread cannot touch the slot, which is the loop's. It can only wake the transfer.
        let waker = Waker::from(bell);
        if source.watch(&waker) {
            waker.wake();
        }
        Future::new(self, slot, source)
    }

    fn new_waker(&self) -> Arc<LoopWaker> {
        LoopWaker::new(new_id(), &self.inner.ready)
    }

    fn put(&self, id: u64, asked: Asked) {
        self.inner.work.borrow_mut().insert(id, asked);
    }
}

/// Shows whether it runs: `<EventLoop running=false closed=false>`. This loop is never closed.
impl fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<EventLoop running={} closed=false>", self.is_running())
    }
}
