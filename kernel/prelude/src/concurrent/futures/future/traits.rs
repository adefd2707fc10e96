//! What std's traits make of the box: cloning, awaiting and printing it.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use super::Future;

impl<T> Clone for Future<T> {
    fn clone(&self) -> Future<T> {
        Future {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Default for Future<T> {
    fn default() -> Future<T> {
        Future::new()
    }
}

/// Waiting without a thread: `future.await` gives what [`Future::result`] gives, panics included.
impl<T: Clone> std::future::Future for Future<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if self.watch(cx.waker()) {
            Poll::Ready(self.result())
        } else {
            Poll::Pending
        }
    }
}

/// As Python shows it: `<Future at 0x7f… state=finished returned i32>`.
impl<T> fmt::Display for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Arc::as_ptr(&self.shared);
        let state = &self.shared.inner.lock().state;
        write!(f, "<Future at {address:p} state={state}>")
    }
}

/// The same as [`Display`](fmt::Display): what a cell shows when it ends in a future.
impl<T> fmt::Debug for Future<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
