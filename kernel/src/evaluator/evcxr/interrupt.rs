//! Stops a cell from outside.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{
    thread,
    time::{Duration, Instant},
};

use super::{analyst::leash::Leash, host_link::HostLink, processes};
use crate::evaluator::Interrupt;

/// evcxr starts a compiler more than once for some cells, so one that was just stopped may be
/// followed by another. This long passes between two looks.
const RETRY: Duration = Duration::from_millis(20);

/// So long the host has to stop a cell softly, if a copy of it can take its place then.
const WITH_COPY: Duration = Duration::from_millis(600);
/// So long it has otherwise, to stop the cell or to leave it behind; see `stop.rs` of the host, which
/// gives up before.
const WITHOUT_COPY: Duration = Duration::from_millis(2500);

/// So long a copy of the host may take to take its place.
const SUCCESSION: Duration = Duration::from_secs(3);

/// Stops compilers and cells.
#[derive(Debug, Clone)]
pub(super) struct Interrupter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: HostLink,
    leash: Leash,
    cell: Mutex<CellState>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellState {
    None,
    /// It was sent to the evaluator's thread, which has not begun with it.
    Expected,
    /// It was interrupted before that.
    InterruptedEarly,
    Running,
    Interrupted,
}

impl Interrupter {
    pub(super) fn new(link: HostLink, leash: Leash) -> Self {
        Self(Arc::new(Inner {
            link,
            leash,
            cell: Mutex::new(CellState::None),
            changed: Condvar::new(),
        }))
    }

    /// On which the process is that completes and explains.
    pub(super) fn leash(&self) -> &Leash {
        &self.0.leash
    }

    /// A cell begins.
    pub(super) fn begin(&self) {
        let mut cell = self.lock();
        let before = std::mem::replace(&mut *cell, CellState::Running);
        drop(cell);
        if before == CellState::InterruptedEarly {
            self.interrupt();
        }
    }

    /// The cell is over. Returns whether it was interrupted.
    pub(super) fn end(&self) -> bool {
        let before = std::mem::replace(&mut *self.lock(), CellState::None);
        self.0.changed.notify_all();
        before == CellState::Interrupted
    }

    /// Waits so long for the student to interrupt the cell. Returns whether that has happened.
    pub(super) fn wait_for_interrupt(&self, time: Duration) -> bool {
        let runs = |cell: &mut CellState| *cell == CellState::Running;
        let waited = self.0.changed.wait_timeout_while(self.lock(), time, runs);
        let (cell, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *cell == CellState::Interrupted
    }

    fn lock(&self) -> MutexGuard<'_, CellState> {
        self.0.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn patience(&self) -> Duration {
        if self.0.link.lineage().has_snapshot() {
            WITH_COPY
        } else {
            WITHOUT_COPY
        }
    }

    /// Ends the process of the cell. Returns how long nothing more needs to be done.
    fn stop_host(&self) -> Duration {
        let lineage = self.0.link.lineage();
        if lineage.has_snapshot() {
            lineage.kill();
            return SUCCESSION;
        }
        lineage.kill_all();
        Duration::ZERO
    }

    /// Stops what runs until the cell is over. The lock is held while something is killed, so that
    /// it cannot be the next cell's.
    ///
    /// A ladder: a compiler is killed, since nothing is lost with it. Compiled code is stopped by
    /// the host, softly. Where it does not obey, a copy of the host from before the cell takes its
    /// place; if there is none, the host leaves the cell behind. Only when it cannot do that either
    /// it is replaced, and everything in it is lost.
    fn stop_cell(&self) {
        let mut asked = None;
        let mut next_step = Instant::now();
        let mut cell = self.lock();
        while *cell == CellState::Interrupted {
            match self.0.link.running() {
                None => processes::kill_compilers(),
                Some(running) if asked != Some(running) => {
                    self.0.link.interrupt(running);
                    asked = Some(running);
                    next_step = Instant::now() + self.patience();
                }
                Some(_) if Instant::now() >= next_step => {
                    next_step = Instant::now() + self.stop_host();
                }
                Some(_) => {}
            }
            let waited = self.0.changed.wait_timeout(cell, RETRY);
            (cell, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Interrupt for Interrupter {
    fn expect(&self) {
        *self.lock() = CellState::Expected;
    }

    fn interrupt(&self) {
        let mut cell = self.lock();
        match *cell {
            CellState::Running => *cell = CellState::Interrupted,
            CellState::Expected => {
                *cell = CellState::InterruptedEarly;
                return;
            }
            _ => return,
        }
        drop(cell);
        self.0.changed.notify_all();
        let stopper = self.clone();
        let thread = thread::Builder::new()
            .name("interleave-interrupt".into())
            .spawn(move || stopper.stop_cell());
        if let Err(error) = thread {
            tracing::error!(%error, "cannot interrupt the cell");
        }
    }

    fn shut_down(&self) {
        self.0.leash.end();
        self.0.link.lineage().close();
        let ending = self.clone();
        let thread = thread::Builder::new()
            .name("interleave-shutdown".into())
            .spawn(move || {
                // Until this process has ended: evcxr may start one more after each.
                loop {
                    processes::kill_compilers();
                    drop(ending.0.changed.wait_timeout(ending.lock(), RETRY));
                }
            });
        if thread.is_err() {
            processes::kill_compilers();
        }
    }
}
