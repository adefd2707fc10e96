//! An event loop, tasks and coroutines, as in Python's module `asyncio`.
//!
//! An `async fn` describes work; calling it runs nothing. An [`EventLoop`] runs such work, one
//! piece at a time, on one thread: whenever one task waits, another goes on.
//!
//! ```
//! use interleave::asyncio;
//!
//! async fn hello() -> &'static str {
//!     asyncio::sleep(0.01).await;
//!     "hello, async"
//! }
//!
//! let coro = asyncio::Coroutine::from(hello()); // Nothing has run yet.
//! let event_loop = asyncio::get_event_loop();
//! assert_eq!(event_loop.run_until_complete(coro), "hello, async");
//! ```
//!
//! The loop is small, and its source is meant to be read. What is written for tokio works in it
//! too: tokio's timers and sockets, and `tokio::spawn` for work on other threads.

mod coroutine;
mod event_loop;
mod future;
mod ready;
mod sleep;
mod slot;
mod task;

use std::{error::Error, fmt, pin::pin};

use futures::future::{Either, join_all, select};

pub use coroutine::Coroutine;
pub use event_loop::{EventLoop, TimerHandle, get_event_loop};
pub use future::Future;
pub use sleep::{Sleep, sleep};
pub use task::Task;

pub(crate) use ready::ReadyQueue;

use crate::seconds::Seconds;

/// Runs a future on this thread's event loop, until it is done.
///
/// Short for `get_event_loop().run_until_complete(future)`. Unlike
/// [`block_on`](crate::block_on) it lets the tasks of the loop run at the same time. Unlike
/// Python's `asyncio.run` it does not make a loop of its own, so tasks survive from cell to cell.
///
/// ```
/// use interleave::asyncio;
///
/// assert_eq!(asyncio::run(async { 6 * 7 }), 42);
/// ```
///
/// # Panics
///
/// When the future panics, and when the loop is stopped before the future is done.
#[track_caller]
pub fn run<F: IntoFuture>(future: F) -> F::Output {
    get_event_loop().run_until_complete(future)
}

/// Gives a future to this thread's event loop, to run beside the current one.
///
/// Short for `get_event_loop().create_task(future)`, see [`EventLoop::create_task`].
///
/// Nobody has to await it:
///
/// ```
/// use interleave::asyncio;
/// use std::{cell::Cell, rc::Rc};
///
/// let greeted = Rc::new(Cell::new(false));
/// let to_set = Rc::clone(&greeted);
/// asyncio::create_task(async move { to_set.set(true) });
///
/// asyncio::run(asyncio::sleep(0)); // Lets what is ready run once.
/// assert!(greeted.get());
/// ```
#[track_caller]
pub fn create_task<F>(future: F) -> Task<F::Output>
where
    F: IntoFuture<IntoFuture: 'static, Output: 'static>,
{
    get_event_loop().create_task(future)
}

/// Waits for several futures at the same time. The outputs are in the order of the futures,
/// whichever is ready first.
///
/// Awaiting one after the other takes the *sum* of their times, this takes the longest. It is for
/// any number of futures of one type; `tokio::join!` is for a few of different types.
///
/// ```
/// use interleave::asyncio;
/// use tokio::sync::Barrier;
///
/// async fn fetch_square(n: u64, all_are_here: &Barrier) -> u64 {
///     all_are_here.wait().await; // One after the other, they would wait for ever.
///     n * n
/// }
///
/// let barrier = Barrier::new(3);
/// let requests = [2, 3, 4].map(|n| fetch_square(n, &barrier));
/// assert_eq!(asyncio::run(asyncio::gather(requests)), [4, 9, 16]);
/// ```
pub async fn gather<I>(futures: I) -> Vec<<I::Item as IntoFuture>::Output>
where
    I: IntoIterator<Item: IntoFuture>,
{
    join_all(futures.into_iter().map(IntoFuture::into_future)).await
}

/// Waits for a future, but no longer than `seconds`. When the time is over the future is dropped,
/// and with it all that it had begun; a [`Task`] is cancelled.
///
/// ```
/// use interleave::asyncio::{self, TimeoutError};
///
/// let late = asyncio::wait_for(asyncio::sleep(60), 0.01);
/// assert_eq!(asyncio::run(late), Err(TimeoutError));
/// ```
///
/// # Errors
///
/// When the time is over first. If both come together, the future wins.
pub async fn wait_for<F: IntoFuture>(
    future: F,
    seconds: impl Seconds,
) -> Result<F::Output, TimeoutError> {
    let future = pin!(future.into_future());
    match select(future, sleep(seconds)).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(TimeoutError),
    }
}

/// The time that [`wait_for`] allowed is over.
///
/// It is an error like any other, for `?` and for `match`:
///
/// ```
/// use interleave::asyncio::{self, TimeoutError};
///
/// async fn page() -> Result<&'static str, TimeoutError> {
///     asyncio::wait_for(asyncio::sleep(60), 0.01).await?; // Leaves the function.
///     Ok("<html>")
/// }
///
/// let error = asyncio::run(page()).unwrap_err();
/// assert_eq!(error.to_string(), "the future was not done in time");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeoutError;

impl Error for TimeoutError {}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the future was not done in time")
    }
}
