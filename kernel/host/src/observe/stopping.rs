//! Stops the threads of one cell; see the module `stop`.

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use interleave_protocol::CodeAddress;

use super::{frames::Frame, reading, registry, registry::Slot};
use crate::stop::fate::{self, Fate};

/// Wakes the threads that work for a cell, and those that work for all, which may do so for that
/// cell; if they are late, leaves the former behind. Returns how many still go on.
pub(crate) fn stop_threads(cell: u64, are_late: bool) -> usize {
    let (living, _) = registry::living();
    let mut late = 0;
    for slot in living {
        if slot.works_for(cell) || slot.runs_a_cell() {
            if are_late && slot.fate.leave() {
                continue;
            }
            late += 1;
            fate::wake(slot.id.load(Relaxed));
        } else if slot.is_shared.load(Relaxed) {
            fate::wake(slot.id.load(Relaxed));
        }
    }
    late
}

/// Whether threads that work for a cell still go on.
pub(crate) fn has_threads(cell: u64) -> bool {
    let (mut living, _) = registry::living();
    living.any(|slot| slot.works_for(cell))
}

/// Marks single threads, by their numbers.
pub(crate) fn mark_threads(numbers: &[u64]) {
    let (living, _) = registry::living();
    for slot in living.filter(|slot| numbers.contains(&slot.number.load(Relaxed))) {
        slot.is_to_stop.store(true, Relaxed);
    }
}

/// Wakes those. Returns how many still go on.
pub(crate) fn wake_marked_threads() -> usize {
    let (living, _) = registry::living();
    let marked = living.filter(|slot| slot.is_to_stop.load(Relaxed));
    marked.map(|slot| fate::wake(slot.id.load(Relaxed))).count()
}

/// Wakes the threads that work for a cell at the moment.
pub(crate) fn wake_threads_of(cell: u64) {
    let (living, _) = registry::living();
    for slot in living.filter(|slot| slot.works_for(cell)) {
        fate::wake(slot.id.load(Relaxed));
    }
}

/// Whether some are left.
pub(crate) fn is_any_thread_marked() -> bool {
    let (mut living, _) = registry::living();
    living.any(|slot| slot.is_to_stop.load(Relaxed))
}

/// Whether the calling thread is marked by itself.
pub(crate) fn is_marked_itself() -> bool {
    registry::current().is_some_and(|slot| slot.is_to_stop.load(Relaxed))
}

impl Slot {
    fn works_for(&self, cell: u64) -> bool {
        self.works_for.load(Relaxed) == cell && !self.fate.is_left()
    }

    /// Whether it is the thread of the cells, and runs one: whomever it works for at the moment.
    fn runs_a_cell(&self) -> bool {
        self.runs_cells.load(Acquire) && !self.works_for(0) && !self.fate.is_left()
    }
}

/// From now on the calling thread works for a cell, or, if it is 0, for none.
pub(crate) fn work_for(cell: u64) {
    if let Some(slot) = registry::current() {
        slot.works_for.store(cell, Relaxed);
    }
}

/// Whether the calling thread is the one that runs the cells.
pub(crate) fn runs_cells_here() -> bool {
    registry::current().is_some_and(|slot| slot.runs_cells.load(Acquire))
}

/// The thread that runs a cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CellThread(&'static Slot);

impl CellThread {
    pub(crate) fn find() -> Option<Self> {
        let (mut living, _) = registry::living();
        let slot = living.find(|slot| slot.runs_a_cell())?;
        slot.found_at.clear();
        slot.awaits_at.clear();
        Some(Self(slot))
    }

    /// Whether it was left behind.
    pub(crate) fn is_left(self) -> bool {
        self.0.fate.is_left()
    }

    /// Where in cells it waits, innermost first; empty when it does not.
    pub(crate) fn waits_at(self) -> Vec<CodeAddress> {
        let noted = self.0.waiting.read();
        noted.map_or_else(Vec::new, |noted| reading::in_cells(&noted.at))
    }

    /// Where in cells the future is that it awaits.
    pub(crate) fn awaits_at(self) -> Vec<CodeAddress> {
        reading::in_cells(&self.0.awaits_at.addresses())
    }

    /// Where in cells a signal has found it, innermost first.
    pub(crate) fn found_at(self) -> Vec<CodeAddress> {
        reading::in_cells(&self.0.found_at.addresses())
    }
}

/// Notes where the calling thread awaits something, if it is the one that runs the cells.
pub(crate) fn awaits_at(addresses: &[usize]) {
    if let Some(slot) = registry::current()
        && runs_cells_here()
    {
        slot.awaits_at.set(addresses);
    }
}

/// Notes where the calling thread was found, if it is the one that runs the cells, and was not found
/// before.
pub(crate) fn found_at(find: impl FnOnce() -> Vec<usize>) {
    if let Some(slot) = registry::current()
        && runs_cells_here()
        && slot.found_at.is_empty()
    {
        slot.found_at.set(&find());
    }
}

/// A signal has found the calling thread in the code of a cell. Returns its fate.
pub(crate) fn found_in_cell(instruction: usize, frame: usize) -> Option<&'static Fate> {
    let slot = registry::current()?;
    if runs_cells_here() && slot.found_at.is_empty() {
        // As a return address, which is behind the instruction that it belongs to.
        slot.found_at.take_from(instruction + 1, Frame::at(frame));
    }
    Some(&slot.fate)
}
