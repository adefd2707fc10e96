//! Stops a cell from outside.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{thread, time::Duration};

use super::{host_link::HostLink, processes};
use crate::evaluator::Interrupt;

/// evcxr starts a compiler more than once for some cells, so one that was just stopped may be
/// followed by another. This long passes between two looks.
const RETRY: Duration = Duration::from_millis(20);

/// So many looks a cell gets to end by itself, once its question has been withdrawn.
const GRACE: u32 = 25;

/// So many looks a copy of the host gets to take its place.
const SUCCESSION: u32 = 150;

/// Stops compilers, or replaces the process that runs the cells.
#[derive(Debug, Clone)]
pub(super) struct Interrupter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    link: HostLink,
    cell: Mutex<CellState>,
    changed: Condvar,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CellState {
    None,
    Running,
    Interrupted,
}

impl Interrupter {
    pub(super) fn new(link: HostLink) -> Self {
        Self(Arc::new(Inner {
            link,
            cell: Mutex::new(CellState::None),
            changed: Condvar::new(),
        }))
    }

    /// A cell begins.
    pub(super) fn begin(&self) {
        *self.lock() = CellState::Running;
    }

    /// The cell is over. Returns whether it was interrupted.
    pub(super) fn end(&self) -> bool {
        let before = std::mem::replace(&mut *self.lock(), CellState::None);
        self.0.changed.notify_all();
        before == CellState::Interrupted
    }

    fn lock(&self) -> MutexGuard<'_, CellState> {
        self.0.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the process of the cell. Returns how many looks its copy gets to take its place.
    fn stop_host(&self) -> u32 {
        let lineage = self.0.link.lineage();
        if lineage.has_snapshot() {
            lineage.kill();
            return SUCCESSION;
        }
        lineage.kill_all();
        0
    }

    /// Stops what runs until the cell is over. The lock is held while something is killed, so that
    /// it cannot be the next cell's.
    fn stop_cell(&self) {
        let mut patience = 0;
        let mut grace = if self.0.link.is_asking() { GRACE } else { 0 };
        let mut cell = self.lock();
        while *cell == CellState::Interrupted {
            processes::kill_compilers();
            if self.0.link.is_executing() && grace == 0 && patience == 0 {
                patience = self.stop_host();
            }
            patience = patience.saturating_sub(1);
            grace = grace.saturating_sub(1);
            let waited = self.0.changed.wait_timeout(cell, RETRY);
            (cell, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Interrupt for Interrupter {
    fn interrupt(&self) {
        let mut cell = self.lock();
        if *cell != CellState::Running {
            return;
        }
        *cell = CellState::Interrupted;
        drop(cell);
        let stopper = self.clone();
        let thread = thread::Builder::new()
            .name("interleave-interrupt".into())
            .spawn(move || stopper.stop_cell());
        if let Err(error) = thread {
            tracing::error!(%error, "cannot interrupt the cell");
        }
    }

    fn shut_down(&self) {
        processes::kill_compilers();
        self.0.link.lineage().close();
    }
}
