//! `Future`: a box for a value that does not exist yet.

mod inside;
mod traits;

use std::sync::Arc;

use parking_lot::Mutex;

use self::inside::{Inner, Shared, State};
use super::{Exception, FutureError};
use crate::{
    seconds::{Seconds, deadline},
    trace,
    waits::Condvar,
};

/// A value that somebody will supply later: a box with a state, a value and a list of callbacks.
///
/// A clone is another handle of the same box: one is kept by the thread that will call
/// [`set_result`](Future::set_result), the others wait for it with [`result`](Future::result) or
/// ask to be called with [`add_done_callback`](Future::add_done_callback).
///
/// It is not the *trait* [`std::future::Future`], which stands for a computation that has to be
/// polled to make progress. This one only holds what others compute. But it implements the trait,
/// so it can be awaited in async code.
///
/// # Examples
///
/// ```
/// use interleave::concurrent::futures::Future;
///
/// let future = Future::new();
/// assert!(future.to_string().ends_with("state=pending>"));
///
/// future.set_result(1);
/// assert!(future.to_string().ends_with("state=finished returned i32>"));
/// assert_eq!(future.result(), 1);
/// ```
///
/// Supplied by another thread:
///
/// ```
/// use interleave::{concurrent::futures::Future, threading::Timer};
///
/// fn network_request_async(n: u64) -> Future<u64> {
///     let future = Future::new();
///     let to_fill = future.clone();
///     Timer::new(0.02, move || to_fill.set_result(n * n)).start();
///     future
/// }
///
/// let future = network_request_async(4);
/// assert!(!future.done());
/// assert_eq!(future.result(), 16); // Blocks the thread.
///
/// interleave::block_on(async {
///     assert_eq!(network_request_async(5).await, 25); // Blocks nobody.
/// });
/// ```
pub struct Future<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Future<T> {
    /// Makes a future that is pending until one of its handles says otherwise.
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    ///
    /// let future = Future::new();
    /// let same_box = future.clone();
    /// assert!(!future.done());
    /// same_box.set_result("hello");
    /// assert_eq!(future.result(), "hello");
    /// ```
    pub fn new() -> Future<T> {
        let inner = Inner {
            state: State::Pending,
            wakers: Vec::new(),
            callbacks: Vec::new(),
        };
        let future = Future {
            shared: Arc::new(Shared {
                id: trace::new_id(),
                inner: Mutex::new(inner),
                done: Condvar::new(),
            }),
        };
        future.tell(&State::Pending);
        future
    }

    /// Supplies the value, wakes everybody who waits for it, and calls the callbacks.
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    /// use std::thread;
    ///
    /// let future = Future::new();
    /// let to_read = future.clone();
    /// let reader = thread::spawn(move || to_read.result() + 1); // Sleeps until there is a value.
    /// future.set_result(41);
    /// assert_eq!(reader.join().unwrap(), 42);
    /// ```
    ///
    /// # Panics
    ///
    /// When the future is finished or cancelled: a value cannot be replaced.
    #[track_caller]
    pub fn set_result(&self, result: T) {
        self.complete(State::Finished(Ok(result)));
    }

    /// Supplies an error instead of a value.
    ///
    /// ```
    /// use interleave::concurrent::futures::{Exception, Future};
    ///
    /// let future = Future::<i32>::new();
    /// match "x".parse() {
    ///     Ok(n) => future.set_result(n),
    ///     Err(error) => future.set_exception(Exception::new(error)),
    /// }
    /// assert!(future.to_string().ends_with("state=finished raised ParseIntError>"));
    /// ```
    ///
    /// # Panics
    ///
    /// When the future is finished or cancelled.
    #[track_caller]
    pub fn set_exception(&self, exception: impl Into<Exception>) {
        self.complete(State::Finished(Err(exception.into())));
    }

    /// Waits for the value, as long as it takes. The thread does nothing else meanwhile.
    ///
    /// Every handle can ask, and more than once, so each gets a clone.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let sum = executor.submit(|n: u64| (1..=n).sum::<u64>(), 100);
    /// assert_eq!(sum.result(), 5050); // Waits.
    /// assert_eq!(sum.result(), 5050); // Need not wait any more.
    /// ```
    ///
    /// # Panics
    ///
    /// With the error's text if the future failed, with `CancelledError` if it was cancelled.
    #[track_caller]
    pub fn result(&self) -> T
    where
        T: Clone,
    {
        match self.outcome(None) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits for the value, but no longer than `seconds`. Does not panic.
    ///
    /// ```
    /// use interleave::concurrent::futures::{Future, FutureError};
    ///
    /// let never = Future::<i32>::new();
    /// assert!(matches!(never.result_timeout(0.01), Err(FutureError::Timeout)));
    /// ```
    ///
    /// # Errors
    ///
    /// When the time is over, and when the future failed or was cancelled.
    pub fn result_timeout(&self, seconds: impl Seconds) -> Result<T, FutureError>
    where
        T: Clone,
    {
        self.outcome(deadline(seconds))
    }

    /// Waits until the future is done; returns its error, or `None` if it has a value.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    ///
    /// fn divide((a, b): (i32, i32)) -> i32 {
    ///     a / b
    /// }
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// assert!(executor.submit(divide, (6, 3)).exception().is_none());
    /// let exception = executor.submit(divide, (6, 0)).exception().unwrap();
    /// assert_eq!(exception.to_string(), "attempt to divide by zero");
    /// ```
    ///
    /// # Panics
    ///
    /// With `CancelledError` if it was cancelled.
    #[track_caller]
    pub fn exception(&self) -> Option<Exception> {
        let mut inner = self.shared.inner.lock();
        loop {
            match &inner.state {
                State::Finished(outcome) => return outcome.as_ref().err().cloned(),
                State::Cancelled => panic!("CancelledError"),
                State::Pending | State::Running => self.shared.done.wait(&mut inner),
            }
        }
    }

    /// Whether there is nothing to wait for: finished, failed or cancelled.
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    ///
    /// let future = Future::<i32>::new();
    /// assert!(!future.done());
    /// future.set_exception("no such host");
    /// assert!(future.done()); // Done does not mean that it went well.
    /// ```
    pub fn done(&self) -> bool {
        self.shared.inner.lock().state.is_done()
    }

    /// Whether somebody works on it now. Such a future can no longer be cancelled.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    /// use std::sync::mpsc;
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let (sender, receiver) = mpsc::channel();
    /// let job = executor.submit_fn(move || receiver.recv().unwrap());
    /// assert!(job.running()); // It waits for the message.
    /// sender.send("enough").unwrap();
    /// assert_eq!(job.result(), "enough");
    /// assert!(!job.running());
    /// ```
    pub fn running(&self) -> bool {
        matches!(self.shared.inner.lock().state, State::Running)
    }

    /// Whether [`cancel`](Future::cancel) succeeded.
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    ///
    /// let (given_up, failed) = (Future::<i32>::new(), Future::<i32>::new());
    /// given_up.cancel();
    /// failed.set_exception("no such host");
    /// assert!(given_up.cancelled());
    /// assert!(!failed.cancelled());
    /// ```
    pub fn cancelled(&self) -> bool {
        matches!(self.shared.inner.lock().state, State::Cancelled)
    }

    /// Gives the future up, if nobody has begun to work on it. Returns whether it is cancelled.
    ///
    /// Who waits for it stops waiting, and the callbacks are called.
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    ///
    /// let waiting = Future::<i32>::new();
    /// assert!(waiting.cancel());
    ///
    /// let running = Future::<i32>::new();
    /// running.set_running_or_notify_cancel();
    /// assert!(!running.cancel()); // Too late.
    /// ```
    pub fn cancel(&self) -> bool {
        let mut inner = self.shared.inner.lock();
        match inner.state {
            State::Cancelled => return true,
            State::Running | State::Finished(_) => return false,
            State::Pending => {}
        }
        inner.state = State::Cancelled;
        self.tell(&inner.state);
        let (wakers, callbacks) = inner.take_waiting();
        drop(inner);
        self.notify(wakers, callbacks);
        true
    }

    /// What an executor calls before it begins: the future is running from now on, and no longer
    /// cancellable. Returns `false` if it was cancelled before; then there is nothing to do.
    ///
    /// An executor in four lines:
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    /// use std::thread;
    ///
    /// fn submit(future: Future<u64>, f: fn() -> u64) -> thread::JoinHandle<()> {
    ///     thread::spawn(move || {
    ///         if future.set_running_or_notify_cancel() {
    ///             future.set_result(f());
    ///         }
    ///     })
    /// }
    ///
    /// let future = Future::new();
    /// future.cancel();
    /// submit(future.clone(), || unreachable!()).join().unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// When the future is running or finished.
    #[track_caller]
    pub fn set_running_or_notify_cancel(&self) -> bool {
        let mut inner = self.shared.inner.lock();
        match inner.state {
            State::Cancelled => return false,
            State::Pending => {
                inner.state = State::Running;
                self.tell(&inner.state);
            }
            State::Running | State::Finished(_) => {
                drop(inner);
                panic!("Future in unexpected state: {self}");
            }
        }
        true
    }

    /// Calls `f` with the future when it is done, whether finished, failed or cancelled.
    ///
    /// The thread that completes the future calls all callbacks, in the order they were added. If
    /// it is done already, the current thread calls `f` now. A callback that panics is reported on
    /// standard error, and the next one is called all the same.
    ///
    /// ```
    /// use interleave::concurrent::futures::Future;
    /// use std::sync::mpsc;
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// let future = Future::new();
    /// future.add_done_callback(move |done: &Future<i32>| sender.send(done.result()).unwrap());
    /// future.set_result(16);
    /// assert_eq!(receiver.recv(), Ok(16));
    /// ```
    pub fn add_done_callback(&self, f: impl FnOnce(&Future<T>) + Send + 'static) {
        let mut inner = self.shared.inner.lock();
        if !inner.state.is_done() {
            inner.callbacks.push(Box::new(f));
            return;
        }
        drop(inner);
        self.call(Box::new(f));
    }
}
