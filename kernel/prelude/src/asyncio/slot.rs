//! Where the loop leaves a result for the handle that the user holds.

use std::{
    cell::RefCell,
    fmt,
    task::{Context, Poll, Waker},
};

use super::EventLoop;
use crate::concurrent::futures::Exception;

/// A result, or `None` if the work was cancelled.
pub(super) type Outcome<T> = Option<Result<T, Exception>>;

/// One result for one handle, on one thread: so a cell, and no lock.
pub(super) struct Slot<T> {
    state: RefCell<State<T>>,
    waker: RefCell<Option<Waker>>,
}

enum State<T> {
    Pending,
    Done(Outcome<T>),
    Taken,
}

impl<T> Slot<T> {
    pub(super) fn new() -> Slot<T> {
        Slot {
            state: RefCell::new(State::Pending),
            waker: RefCell::default(),
        }
    }

    /// Supplies the outcome, unless there is one already, and wakes the one who awaits it.
    pub(super) fn finish(&self, outcome: Outcome<T>) {
        if !self.done() {
            *self.state.borrow_mut() = State::Done(outcome);
            let waker = self.waker.take();
            waker.into_iter().for_each(Waker::wake);
        }
    }

    pub(super) fn done(&self) -> bool {
        !matches!(*self.state.borrow(), State::Pending)
    }

    pub(super) fn cancelled(&self) -> bool {
        matches!(*self.state.borrow(), State::Done(None))
    }

    /// Moves the outcome out, for `.await`.
    pub(super) fn poll(&self, cx: &mut Context<'_>, event_loop: &EventLoop) -> Poll<Outcome<T>> {
        if !self.done() {
            // Nobody would ever wake us: waiting on this thread, we keep the loop from running.
            assert!(
                event_loop.is_running(),
                "this waits for an event loop that does not run; \
                 use event_loop.run_until_complete(...) instead of block_on"
            );
            self.waker.replace(Some(cx.waker().clone()));
            return Poll::Pending;
        }
        match self.state.replace(State::Taken) {
            State::Done(outcome) => Poll::Ready(outcome),
            State::Pending | State::Taken => panic!("cannot reuse already awaited future"),
        }
    }

    /// A clone of the result, for `result()`.
    #[track_caller]
    pub(super) fn result(&self) -> T
    where
        T: Clone,
    {
        match &*self.state.borrow() {
            State::Done(Some(Ok(result))) => result.clone(),
            State::Done(Some(Err(exception))) => panic!("{exception}"),
            State::Done(None) => panic!("CancelledError"),
            State::Pending => panic!("InvalidStateError: Result is not set."),
            State::Taken => panic!("InvalidStateError: Result was taken by await."),
        }
    }
}

impl<T: fmt::Debug> Slot<T> {
    /// The first word of Python's representation.
    pub(super) fn state_name(&self) -> &'static str {
        match &*self.state.borrow() {
            State::Pending => "pending",
            State::Done(None) => "cancelled",
            State::Done(Some(_)) | State::Taken => "finished",
        }
    }

    /// What comes at its end: ` result="hello"`.
    pub(super) fn fmt_outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.state.borrow() {
            State::Done(Some(Ok(result))) => write!(f, " result={result:?}"),
            State::Done(Some(Err(exception))) => write!(f, " exception={exception:?}"),
            State::Pending | State::Done(None) | State::Taken => Ok(()),
        }
    }
}
