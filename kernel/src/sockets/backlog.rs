//! A bound on the text that waits to be published.
//!
//! A cell can print faster than a browser can show. Without a bound, that text would pile up in the
//! kernel's memory; with it, the thread that brings the text waits, the pipe behind it fills, and
//! the cell itself slows down.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes that may wait before producers have to.
const LIMIT: usize = 16 * 1024 * 1024;

/// Counts bytes between producers, on threads of their own, and one consumer.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    state: Mutex<State>,
    drained: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: usize,
    closed: bool,
}

impl Backlog {
    /// Counts `bytes` as waiting. Blocks while too many wait already.
    pub(super) fn add(&self, bytes: usize) {
        let mut state = self
            .drained
            .wait_while(self.lock(), |state| state.bytes >= LIMIT && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        state.bytes += bytes;
    }

    /// Counts `bytes` as gone.
    fn remove(&self, bytes: usize) {
        self.lock().bytes -= bytes;
        self.drained.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two of its statements, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The consumer's end. Dropping it lets every producer go on, so that none outlives the kernel
/// waiting for it.
#[derive(Debug)]
pub(super) struct Drain(pub(super) Arc<Backlog>);

impl Drain {
    /// Counts `bytes` as gone.
    pub(super) fn remove(&self, bytes: usize) {
        self.0.remove(bytes);
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.drained.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn a_full_backlog_makes_producers_wait_until_it_drains() {
        let backlog = Arc::new(Backlog::default());
        let drain = Drain(Arc::clone(&backlog));
        backlog.add(LIMIT);
        let (sender, added) = mpsc::channel();
        let producer = thread::spawn(move || {
            backlog.add(1);
            sender.send(()).unwrap();
        });
        assert!(added.try_recv().is_err(), "the producer did not wait");
        drain.remove(LIMIT);
        added.recv().unwrap();
        producer.join().unwrap();
    }

    #[test]
    fn nobody_waits_for_a_consumer_that_is_gone() {
        let backlog = Arc::new(Backlog::default());
        let drain = Drain(Arc::clone(&backlog));
        backlog.add(LIMIT);
        drop(drain);
        backlog.add(1);
    }
}
