//! `Future`: the loop's view of work that is done elsewhere.

use std::{
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

use super::{EventLoop, slot::Slot};
use crate::concurrent::futures;

/// The result of a call on another thread, as an event loop sees it.
///
/// [`EventLoop::run_in_executor`] makes it. Unlike
/// [`concurrent::futures::Future`](crate::concurrent::futures::Future), which a thread finishes
/// whenever it likes, this one changes only while its loop runs. So within one piece of code
/// between two `.await`s it stays as it is, and needs no lock. It cannot block either: await it, or
/// give it to [`EventLoop::run_until_complete`].
///
/// Dropping it lets the call go on, unless somebody has begun to await it: who stops waiting in
/// the middle, as [`wait_for`](super::wait_for) does, cancels.
///
/// # Examples
///
/// The call has returned, but the loop has not run since:
///
/// ```
/// use interleave::{asyncio, concurrent::futures::ThreadPoolExecutor};
///
/// let executor = ThreadPoolExecutor::new(1);
/// let event_loop = asyncio::get_event_loop();
/// let future = event_loop.run_in_executor(&executor, |n: u64| n * n, 7);
/// executor.shutdown(true); // Waits for the call.
/// assert!(!future.done());
/// assert_eq!(event_loop.run_until_complete(future), 49);
/// ```
pub struct Future<T> {
    event_loop: EventLoop,
    slot: Rc<Slot<T>>,
    source: futures::Future<T>,
    awaited: bool,
}

impl<T> Future<T> {
    pub(super) fn new(
        event_loop: &EventLoop,
        slot: Rc<Slot<T>>,
        source: futures::Future<T>,
    ) -> Future<T> {
        Future {
            event_loop: event_loop.clone(),
            slot,
            source,
            awaited: false,
        }
    }

    /// Whether the loop has seen the end of it: a result, a panic or a cancellation.
    ///
    /// ```
    /// use interleave::{asyncio, concurrent::futures::ThreadPoolExecutor};
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let event_loop = asyncio::get_event_loop();
    /// let mut length = event_loop.run_in_executor(&executor, str::len, "hello");
    /// assert!(!length.done());
    /// assert_eq!(event_loop.run_until_complete(&mut length), 5);
    /// assert!(length.done());
    /// ```
    pub fn done(&self) -> bool {
        self.slot.done()
    }

    /// Whether it was cancelled.
    ///
    /// Unlike a [`Task`](super::Task), which its loop has to see first, it is cancelled at once:
    ///
    /// ```
    /// use interleave::{asyncio, concurrent::futures::ThreadPoolExecutor};
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let event_loop = asyncio::get_event_loop();
    /// let future = event_loop.run_in_executor(&executor, |n: u64| n * n, 7);
    /// assert!(!future.cancelled());
    /// future.cancel();
    /// assert!(future.cancelled());
    /// ```
    pub fn cancelled(&self) -> bool {
        self.slot.cancelled()
    }

    /// Stops waiting for the call, and prevents it if it has not begun. A call that is running
    /// goes on, for nobody. Returns false if the future was done already.
    ///
    /// ```
    /// use interleave::{asyncio, concurrent::futures::ThreadPoolExecutor};
    /// use std::sync::mpsc;
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let (open, gate) = mpsc::channel::<()>();
    /// executor.submit_fn(move || gate.recv()); // Keeps the only thread busy.
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let event_loop = asyncio::get_event_loop();
    /// let queued = event_loop.run_in_executor(&executor, move |n| sender.send(n), 7);
    /// assert!(queued.cancel());
    /// drop(open);
    /// assert!(receiver.recv().is_err()); // Nothing was sent: the call was never made.
    /// ```
    pub fn cancel(&self) -> bool {
        if self.done() {
            return false;
        }
        self.source.cancel();
        self.slot.finish(None);
        true
    }

    /// A clone of the result. Unlike the method of `concurrent::futures`, it does not wait.
    ///
    /// ```
    /// use interleave::{asyncio, concurrent::futures::ThreadPoolExecutor};
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let event_loop = asyncio::get_event_loop();
    /// let future = event_loop.run_in_executor(&executor, str::to_uppercase, "hello");
    /// executor.shutdown(true); // The thread is done …
    /// event_loop.run_until_complete(asyncio::sleep(0)); // … and now the loop knows.
    /// assert_eq!(future.result(), "HELLO");
    /// ```
    ///
    /// # Panics
    ///
    /// When there is no result: not yet, or because the call panicked or was cancelled, or because
    /// `.await` has moved it out.
    #[track_caller]
    pub fn result(&self) -> T
    where
        T: Clone,
    {
        self.slot.result()
    }
}

/// Waits while the loop runs. Panics where the call did, and with `CancelledError`.
impl<T> std::future::Future for Future<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.awaited = true;
        self.slot
            .poll(cx, &self.event_loop)
            .map(|outcome| match outcome {
                Some(Ok(result)) => result,
                Some(Err(exception)) => panic!("{exception}"),
                None => panic!("CancelledError"),
            })
    }
}

impl<T> Drop for Future<T> {
    fn drop(&mut self) {
        if self.awaited {
            self.cancel();
        }
    }
}

/// As Python shows it: `<Future pending cb=[EventLoop::wake()]>`, `<Future finished result="hello">`.
impl<T: fmt::Debug> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Future {}", self.slot.state_name())?;
        if !self.done() {
            write!(f, " cb=[EventLoop::wake()]")?;
        }
        self.slot.fmt_outcome(f)?;
        write!(f, ">")
    }
}
