//! The inside of the box: its states, how it changes between them, and who is told.

use std::{fmt, task::Waker, time::Instant};

use interleave_protocol::ObjectKind;
use parking_lot::Mutex;

use super::Future;
use crate::{
    concurrent::futures::{Exception, FutureError},
    names, panics,
    private::interrupt::Interrupted,
    trace::{self, Shown},
    waits::Condvar,
};

pub(super) type Callback<T> = Box<dyn FnOnce(&Future<T>) + Send>;

pub(super) struct Shared<T> {
    /// Tells it from others in the lanes of a cell.
    pub(super) id: u64,
    pub(super) inner: Mutex<Inner<T>>,
    pub(super) done: Condvar,
}

pub(super) struct Inner<T> {
    pub(super) state: State<T>,
    /// Async code that waits; woken before the callbacks, which may take long.
    pub(super) wakers: Vec<Waker>,
    pub(super) callbacks: Vec<Callback<T>>,
}

pub(super) enum State<T> {
    Pending,
    Running,
    Cancelled,
    Finished(Result<T, Exception>),
}

impl<T> Future<T> {
    pub(in crate::concurrent) fn id(&self) -> u64 {
        self.shared.id
    }

    /// Tells the state that it is in now, and the value, if that is a simple one.
    pub(super) fn tell(&self, state: &State<T>) {
        if !trace::is_on() {
            return;
        }
        let value = match state {
            State::Finished(Ok(value)) => Shown(Some(value)),
            _ => Shown(None),
        };
        let text = format!("{state} {value}");
        trace::state(ObjectKind::Future, self.shared.id, text.trim_end());
    }

    /// Registers async code to be woken when the future is done. Returns whether it is done
    /// already; then nothing is registered.
    pub(crate) fn watch(&self, waker: &Waker) -> bool {
        let mut inner = self.shared.inner.lock();
        let done = inner.state.is_done();
        if !done && !inner.wakers.iter().any(|known| known.will_wake(waker)) {
            inner.wakers.push(waker.clone());
        }
        done
    }

    /// Takes back what [`watch`](Future::watch) registered.
    pub(in crate::concurrent) fn unwatch(&self, waker: &Waker) {
        self.shared
            .inner
            .lock()
            .wakers
            .retain(|known| !known.will_wake(waker));
    }

    /// Whether it failed, without waiting.
    pub(in crate::concurrent) fn failed(&self) -> bool {
        matches!(self.shared.inner.lock().state, State::Finished(Err(_)))
    }

    /// Begins the work, for an executor that may have announced it already.
    pub(in crate::concurrent) fn begin(&self) -> bool {
        self.running() || self.set_running_or_notify_cancel()
    }

    /// Completes the future with what `outcome` says.
    pub(in crate::concurrent) fn set_outcome(&self, outcome: Result<T, Exception>) {
        self.complete(State::Finished(outcome));
    }

    /// Waits, and moves the outcome out, for the one who holds the only public handle. `None` if
    /// the future was cancelled.
    pub(crate) fn take_outcome(&self) -> Option<Result<T, Exception>> {
        let mut inner = self.shared.inner.lock();
        while !inner.state.is_done() {
            self.shared.done.wait(&mut inner);
        }
        match std::mem::replace(&mut inner.state, State::Cancelled) {
            State::Finished(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Waits until the future is done or the time has come. No deadline means for ever.
    pub(super) fn outcome(&self, deadline: Option<Instant>) -> Result<T, FutureError>
    where
        T: Clone,
    {
        let mut inner = self.shared.inner.lock();
        loop {
            match &inner.state {
                State::Finished(Ok(result)) => return Ok(result.clone()),
                State::Finished(Err(exception)) => {
                    return Err(FutureError::Exception(exception.clone()));
                }
                State::Cancelled => return Err(FutureError::Cancelled),
                State::Pending | State::Running => {}
            }
            match deadline {
                None => self.shared.done.wait(&mut inner),
                Some(deadline) if Instant::now() >= deadline => return Err(FutureError::Timeout),
                Some(deadline) => {
                    self.shared.done.wait_until(&mut inner, deadline);
                }
            }
        }
    }

    #[track_caller]
    pub(super) fn complete(&self, outcome: State<T>) {
        let mut inner = self.shared.inner.lock();
        if inner.state.is_done() {
            let state = inner.state.name();
            drop(inner);
            panic!("InvalidStateError: {state}: {self}");
        }
        inner.state = outcome;
        self.tell(&inner.state);
        let (wakers, callbacks) = inner.take_waiting();
        drop(inner);
        self.notify(wakers, callbacks);
    }

    /// Tells everybody, with the lock released: they will ask for the result at once.
    pub(super) fn notify(&self, wakers: Vec<Waker>, callbacks: Vec<Callback<T>>) {
        self.shared.done.notify_all();
        wakers.into_iter().for_each(Waker::wake);
        callbacks
            .into_iter()
            .for_each(|callback| self.call(callback));
    }

    pub(super) fn call(&self, callback: Callback<T>) {
        trace::state(ObjectKind::Future, self.shared.id, "calls a callback");
        if let Err(panic) = panics::hand_on(|| callback(self))
            && !Interrupted::is_in(&*panic)
        {
            let exception = Exception::from_panic(panic);
            eprintln!("exception calling callback for {self}: {exception}");
        }
        if trace::is_on() {
            self.tell(&self.shared.inner.lock().state);
        }
    }
}

impl<T> Inner<T> {
    pub(super) fn take_waiting(&mut self) -> (Vec<Waker>, Vec<Callback<T>>) {
        (
            std::mem::take(&mut self.wakers),
            std::mem::take(&mut self.callbacks),
        )
    }
}

impl<T> State<T> {
    pub(super) fn is_done(&self) -> bool {
        matches!(self, State::Finished(_) | State::Cancelled)
    }

    /// The name of Python's constant, which its error messages show.
    fn name(&self) -> &'static str {
        match self {
            State::Pending => "PENDING",
            State::Running => "RUNNING",
            State::Cancelled => "CANCELLED",
            State::Finished(_) => "FINISHED",
        }
    }
}

/// The words that Python has for it: `finished returned i32`.
impl<T> fmt::Display for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::Pending => f.write_str("pending"),
            State::Running => f.write_str("running"),
            State::Cancelled => f.write_str("cancelled"),
            State::Finished(Ok(_)) => write!(f, "finished returned {}", names::short_type::<T>()),
            State::Finished(Err(exception)) => {
                write!(f, "finished raised {}", exception.type_name())
            }
        }
    }
}
