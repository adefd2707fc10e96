//! `Task`: a future that an event loop runs.

use std::{
    any::Any,
    cell::Cell,
    fmt,
    panic::resume_unwind,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use super::{
    Coroutine, EventLoop,
    ready::{Kept, LoopWaker},
    slot::{Outcome, Slot},
};
use crate::{
    concurrent::futures::Exception,
    names, panics,
    private::{awaits, interrupt::Interrupted},
};

/// The handle of a future that runs on an [`EventLoop`], beside the code that made it.
///
/// [`EventLoop::create_task`] makes it. Awaiting it gives the output of the future, and panics if
/// the future did.
///
/// Dropping the handle lets the task run on, unless somebody has begun to await it: who stops
/// waiting in the middle, as [`wait_for`](super::wait_for) does, cancels.
///
/// # Examples
///
/// Two tasks take turns, on one thread:
///
/// ```
/// use interleave::asyncio;
/// use std::{cell::RefCell, rc::Rc};
///
/// let log = Rc::new(RefCell::new(String::new()));
/// let count = |name: char, log: Rc<RefCell<String>>| async move {
///     for n in 1..=2 {
///         log.borrow_mut().push_str(&format!("{name}{n} "));
///         asyncio::sleep(0).await; // Lets the others run.
///     }
/// };
///
/// let a = asyncio::create_task(count('a', log.clone()));
/// let b = asyncio::create_task(count('b', log.clone()));
/// asyncio::run(asyncio::gather([a, b]));
/// assert_eq!(*log.borrow(), "a1 b1 a2 b2 ");
/// ```
pub struct Task<T> {
    event_loop: EventLoop,
    slot: Rc<Slot<T>>,
    cancel: Rc<Cell<bool>>,
    waker: Waker,
    name: String,
    coro: String,
    awaited: bool,
}

impl<T: 'static> Task<T> {
    /// The handle, and what the loop keeps.
    pub(super) fn new<F>(
        event_loop: &EventLoop,
        future: F,
        bell: Arc<LoopWaker>,
    ) -> (Self, Box<dyn Step>)
    where
        F: Future<Output = T> + 'static,
    {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let name = format!("Task-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let coro = match (&future as &dyn Any).downcast_ref::<Coroutine<T>>() {
            Some(coroutine) => coroutine.name().to_owned(),
            None => names::function::<F>(),
        };
        let waker = Waker::from(Arc::clone(&bell));
        let slot = Rc::new(Slot::new());
        let cancel = Rc::new(Cell::new(false));
        let running = Running {
            future: Some(Box::pin(future)),
            slot: Rc::clone(&slot),
            cancel: Rc::clone(&cancel),
            bell,
            kept: Weak::new(),
        };
        let event_loop = event_loop.clone();
        (
            Task {
                event_loop,
                slot,
                cancel,
                waker,
                name,
                coro,
                awaited: false,
            },
            Box::new(running),
        )
    }
}

impl<T> Task<T> {
    /// What it is called, and the function that it runs.
    pub(super) fn names(&self) -> (&str, &str) {
        (&self.name, &self.coro)
    }

    /// The task's name: `Task-1`, `Task-2`, …
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let fetch = asyncio::create_task(async { 16 });
    /// let compute = asyncio::create_task(async { 25 });
    /// assert!(fetch.name().starts_with("Task-"));
    /// assert_ne!(fetch.name(), compute.name());
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the future has returned, has panicked, or was cancelled.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let task = asyncio::create_task(async { panic!("no such host") });
    /// assert!(!task.done()); // The loop has not run yet.
    /// asyncio::run(asyncio::sleep(0));
    /// assert!(task.done());
    /// ```
    pub fn done(&self) -> bool {
        self.slot.done()
    }

    /// Whether it was cancelled. After [`cancel`](Task::cancel), the loop must run once first.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let task = asyncio::create_task(asyncio::sleep(60));
    /// task.cancel();
    /// assert!(!task.cancelled()); // Not yet.
    /// asyncio::run(asyncio::sleep(0));
    /// assert!(task.cancelled());
    /// ```
    pub fn cancelled(&self) -> bool {
        self.slot.cancelled()
    }

    /// Asks the loop to drop the future where it stands: at an `.await`, nowhere else. Returns
    /// false if the task is done already.
    ///
    /// Unlike Python's, the future cannot catch this and go on. It can clean up, in `drop`.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let task = asyncio::create_task(asyncio::sleep(60));
    /// assert!(task.cancel());
    /// asyncio::run(asyncio::sleep(0));
    /// assert!(task.cancelled());
    /// ```
    pub fn cancel(&self) -> bool {
        if self.done() {
            return false;
        }
        self.cancel.set(true);
        self.waker.wake_by_ref();
        true
    }

    /// A clone of the output. It does not wait; for that there is `.await`.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let task = asyncio::create_task(async { vec![1, 4, 9] });
    /// asyncio::run(asyncio::sleep(0));
    /// assert_eq!(task.result(), [1, 4, 9]);
    /// assert_eq!(task.result().len(), 3); // As often as you like.
    /// ```
    ///
    /// # Panics
    ///
    /// When there is no output: not yet, or because the task panicked or was cancelled, or because
    /// `.await` has moved it out.
    #[track_caller]
    pub fn result(&self) -> T
    where
        T: Clone,
    {
        self.slot.result()
    }
}

/// Waits while the loop runs. Panics where the task did, and with `CancelledError`.
impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.awaited = true;
        self.slot
            .poll(cx, &self.event_loop)
            .map(|outcome| match outcome {
                Some(Ok(output)) => output,
                // It was reported when it happened, on this same thread. Here it only goes on.
                Some(Err(exception)) => resume_unwind(Box::new(exception.to_string())),
                None => panic!("CancelledError"),
            })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if self.awaited {
            self.cancel();
        }
    }
}

/// As Python shows it: `<Task pending name="Task-1" coro=<hello()>>`.
impl<T: fmt::Debug> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.slot.state_name();
        write!(
            f,
            "<Task {state} name={:?} coro=<{}()>",
            self.name, self.coro
        )?;
        self.slot.fmt_outcome(f)?;
        write!(f, ">")
    }
}

/// What the loop does with a task, whatever the type of its future.
pub(super) trait Step {
    /// Runs the future to its next `.await` that has to wait. Returns whether it is done.
    fn step(&mut self) -> bool;

    /// Drops the future where it stands.
    fn cancel(&mut self);
}

struct Running<F: Future> {
    future: Option<Pin<Box<F>>>,
    slot: Rc<Slot<F::Output>>,
    cancel: Rc<Cell<bool>>,
    bell: Arc<LoopWaker>,
    /// What was given to the future, as long as somebody has it.
    kept: Weak<Kept>,
}

impl<F: Future> Running<F> {
    fn poll(&mut self) -> Poll<Outcome<F::Output>> {
        let kept = self.kept.upgrade();
        let kept = kept.unwrap_or_else(|| Arc::new(Kept(Arc::clone(&self.bell))));
        self.kept = Arc::downgrade(&kept);
        // Now, when it is certain that nobody else drops what is kept: it would seem to be lost.
        self.bell.left_queue();
        let Some(future) = self.future.as_mut().filter(|_| !self.cancel.get()) else {
            self.bell.end();
            return Poll::Ready(None);
        };
        let waker = Waker::from(kept);
        let poll = |cx: &mut Context<'_>| panics::hand_on(|| future.as_mut().poll(cx));
        let polled = match awaits::poll_task(&waker, poll) {
            Ok(Poll::Ready(output)) => Poll::Ready(Some(Ok(output))),
            // It was stopped.
            Err(panic) if Interrupted::is_in(&*panic) => Poll::Ready(None),
            Err(panic) => Poll::Ready(Some(Err(Exception::from_panic(panic)))),
            // It may have cancelled itself.
            Ok(Poll::Pending) if self.cancel.get() => Poll::Ready(None),
            Ok(Poll::Pending) => Poll::Pending,
        };
        if polled.is_ready() {
            self.bell.end();
        }
        polled
    }
}

impl<F: Future> Drop for Running<F> {
    fn drop(&mut self) {
        self.bell.end();
    }
}

impl<F: Future> Step for Running<F> {
    fn step(&mut self) -> bool {
        let Poll::Ready(outcome) = self.poll() else {
            return false;
        };
        // What the future owns is gone before anyone hears that it is done.
        self.future = None;
        self.slot.finish(outcome);
        true
    }

    fn cancel(&mut self) {
        self.future = None;
        self.slot.finish(None);
    }
}
