//! How many threads may live at once.
//!
//! A cell that starts threads without end would otherwise take the memory of the machine, or the
//! right of this user to start anything.

use std::sync::atomic::{
    AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use interleave_protocol::{DEFAULT_THREAD_LIMIT, HostEvent};

use super::{frames::Frame, reading, registry};
use crate::link;

static LIMIT: AtomicUsize = AtomicUsize::new(DEFAULT_THREAD_LIMIT);
static LIVING: AtomicUsize = AtomicUsize::new(0);

/// In a copy of the process only the calling thread lives, which a thread of Interleave has started.
pub(super) fn forget_others() {
    LIVING.store(1, Relaxed);
}

/// So many cells that have met the limit are remembered.
const REMEMBERED: usize = 64;
static REFUSED: [AtomicU64; REMEMBERED] = [const { AtomicU64::new(0) }; REMEMBERED];

/// From now on so many threads may live at once.
pub(crate) fn limit_threads(limit: usize) {
    LIMIT.store(limit, Relaxed);
}

/// The right of one thread to live, given back when dropped.
#[derive(Debug)]
pub(super) struct Permit(());

impl Permit {
    /// Asks for a thread that a cell wants to start. Those of Interleave itself are always permitted.
    ///
    /// A cell that has met the limit gets no thread any more, even when others have ended: the threads
    /// that it has may be starting threads, too, and would go on for ever.
    pub(super) fn ask(cell: u64, caller: Frame) -> Option<Self> {
        if registry::current().is_some_and(registry::Slot::is_own) {
            LIVING.fetch_add(1, Relaxed);
            return Some(Self(()));
        }
        if has_met_limit(cell) {
            return None;
        }
        let limit = LIMIT.load(Relaxed);
        let one_more = |living| (living < limit).then_some(living + 1);
        if LIVING.fetch_update(Relaxed, Relaxed, one_more).is_ok() {
            return Some(Self(()));
        }
        let at = reading::calling(caller);
        link::send(&HostEvent::ThreadRefused { limit, at });
        // Only now: a thread that sees it panics at once, and the kernel must know why by then. Until
        // then others may say the same.
        remember(cell);
        None
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        LIVING.fetch_sub(1, Relaxed);
    }
}

fn has_met_limit(cell: u64) -> bool {
    cell != 0 && place(cell).load(Acquire) == cell
}

fn remember(cell: u64) {
    place(cell).store(cell, Release);
}

/// Cells are counted: only one that ran 64 cells later takes the place.
fn place(cell: u64) -> &'static AtomicU64 {
    &REFUSED[(cell % REMEMBERED as u64) as usize]
}
