//! Which cell a thread belongs to: the one whose thread, or whose thread's thread, started it.

use std::{cell::Cell, sync::OnceLock};

use crate::observe;

/// Belongs to no cell: threads of pools, which work for whoever comes.
pub(crate) const NO_CELL: u64 = 0;

/// Names of threads that work for every cell. libstd gives a name from inside the new thread.
const POOLS: [&[u8]; 2] = [b"tokio-", b"interleave-"];

thread_local! {
    // Without a destructor, so it can be used from the first to the last moment of a thread.
    static CELL: Cell<u64> = const { Cell::new(NO_CELL) };
}

/// From now on this thread, and the threads that it starts, belong to the cell.
pub(crate) fn enter_cell(cell: u64) {
    CELL.set(cell);
    observe::work_for(cell);
}

/// From now on this thread belongs to no cell.
pub(crate) fn leave_cell() {
    enter_cell(NO_CELL);
}

/// This thread has given itself a name: one of a pool belongs to no cell, whichever cell made the
/// pool grow.
pub(crate) fn take_name(name: &[u8]) {
    if POOLS.iter().any(|pool| name.starts_with(pool)) {
        enter_cell(NO_CELL);
    }
}

/// The cell that this thread belongs to.
pub(crate) fn cell() -> u64 {
    if is_shared() { NO_CELL } else { CELL.get() }
}

/// Whether this thread works for whoever comes, as the prelude knows.
pub(crate) fn is_shared() -> bool {
    // SAFETY: the prelude's function has this signature, and reads a variable of the thread.
    IS_SHARED
        .get()
        .is_some_and(|question| unsafe { question() })
}

/// Takes the prelude's answer to whether a thread works for whoever comes.
pub(crate) fn ask_of_shared(question: unsafe extern "C" fn() -> bool) {
    // Set once, before any cell runs.
    let _ = IS_SHARED.set(question);
}

/// See [`ask_of_shared`].
static IS_SHARED: OnceLock<unsafe extern "C" fn() -> bool> = OnceLock::new();

/// For the prelude: the cell that this thread works for.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_cell() -> u64 {
    cell()
}

/// For rayon: from now on this thread works for whoever comes.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_join_pool() {
    observe::join_pool();
}

/// For the prelude: from now on this thread works for a cell, as told by [`interleave_host_cell`].
#[unsafe(no_mangle)]
extern "C" fn interleave_host_enter_cell(cell: u64) {
    enter_cell(cell);
}
