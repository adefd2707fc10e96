//! `Coroutine`: an async function's future, with a name.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use crate::names;

/// What calling an `async fn` returns, in a box that has a name and can be shown.
///
/// The future that the compiler makes has a type that nobody can write down. As a `Coroutine` it
/// can be kept in a variable from cell to cell. Either way it is *cold*: nothing runs until it is
/// awaited, given to [`run_until_complete`](super::EventLoop::run_until_complete), or made a
/// [`Task`](super::Task). One that is dropped before that is reported on standard error, as Python
/// does.
///
/// # Examples
///
/// ```
/// use interleave::asyncio::{self, Coroutine};
///
/// async fn hello() -> i32 {
///     1
/// }
///
/// let coro = Coroutine::from(hello());
/// assert!(format!("{coro:?}").starts_with("<coroutine object hello at 0x"));
/// assert_eq!(asyncio::run(coro), 1);
/// ```
///
/// It can be awaited once, which the compiler checks:
///
/// ```compile_fail,E0382
/// use interleave::asyncio::{self, Coroutine};
///
/// let coro = Coroutine::from(async { 1 });
/// asyncio::run(coro);
/// asyncio::run(coro);
/// ```
pub struct Coroutine<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    name: String,
    started: bool,
}

impl<T> Coroutine<T> {
    /// Takes a future. Its name is that of the function it was written in.
    ///
    /// This is no implementation of the trait [`From`]: a `Coroutine` is itself a future, and std
    /// already has a `From` for a type and itself.
    ///
    /// Every `async fn` has a type of its own. As coroutines, two of them fit into one list:
    ///
    /// ```
    /// use interleave::asyncio::{self, Coroutine};
    ///
    /// async fn fetch() -> u64 {
    ///     16
    /// }
    ///
    /// async fn compute() -> u64 {
    ///     5 * 5
    /// }
    ///
    /// let coros = [Coroutine::from(fetch()), Coroutine::from(compute())];
    /// assert_eq!(asyncio::run(asyncio::gather(coros)), [16, 25]);
    /// ```
    pub fn from<F: Future<Output = T> + 'static>(future: F) -> Coroutine<T> {
        Coroutine {
            future: Box::pin(future),
            name: names::function::<F>(),
            started: false,
        }
    }

    /// The name of the async function.
    ///
    /// ```
    /// use interleave::asyncio::{self, Coroutine};
    ///
    /// async fn hello() {}
    ///
    /// let coro = Coroutine::from(hello());
    /// assert_eq!(coro.name(), "hello");
    /// asyncio::run(coro); // Dropped instead, it would be reported under this name.
    /// ```
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl<T> Future for Coroutine<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        self.started = true;
        self.future.as_mut().poll(cx)
    }
}

impl<T> Drop for Coroutine<T> {
    fn drop(&mut self) {
        if !self.started {
            eprintln!(
                "RuntimeWarning: coroutine '{}' was never awaited",
                self.name
            );
        }
    }
}

/// As Python shows it: `<coroutine object hello at 0x7f…>`.
impl<T> fmt::Debug for Coroutine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &raw const *self.future;
        write!(
            f,
            "<coroutine object {} at {:p}>",
            self.name,
            address.cast::<()>()
        )
    }
}
