//! The tasks of tokio and of event loops: the prelude knows them.

use std::{
    ffi::c_void,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use interleave_protocol::{Resting, TaskStates};

use crate::{cells, observe};

type Take = unsafe extern "C" fn(*mut c_void, *const u8, usize);
type Wake = unsafe extern "C" fn(u64);

/// The prelude's functions; its module `tasks` says what they do.
#[derive(Debug)]
pub(crate) struct Prelude {
    pub(crate) tell: unsafe extern "C" fn(Take, *mut c_void),
    pub(crate) count: unsafe extern "C" fn(u64) -> Count,
    pub(crate) stop_of: unsafe extern "C" fn(u64) -> usize,
    pub(crate) stop: unsafe extern "C" fn(*const u64, usize, bool),
    pub(crate) stopping: unsafe extern "C" fn(Wake) -> usize,
    pub(crate) is_to_stop: unsafe extern "C" fn() -> bool,
    pub(crate) tidy_loop: unsafe extern "C" fn(),
    pub(crate) forget_loop: unsafe extern "C" fn(),
}

/// How many tasks a cell has that live, and how many of these do something or are about to; and how
/// many tasks and callbacks are in loops that do not run.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) living: usize,
    pub(crate) moving: usize,
    resting_tasks: usize,
    resting_callbacks: usize,
}

impl Count {
    pub(crate) fn resting(self) -> Resting {
        Resting {
            tasks: self.resting_tasks,
            callbacks: self.resting_callbacks,
        }
    }
}

static PRELUDE: OnceLock<Prelude> = OnceLock::new();

/// Whether single tasks are to stop.
static ARE_MARKED: AtomicBool = AtomicBool::new(false);

/// Takes the prelude's functions, which must have the signatures above.
pub(crate) fn ask(prelude: Prelude) {
    // Set once, before any cell runs.
    let _ = PRELUDE.set(prelude);
}

/// The tasks that have not ended.
pub(crate) fn states() -> TaskStates {
    let mut states = TaskStates::default();
    if let Some(prelude) = PRELUDE.get() {
        // SAFETY: `take` expects what it is given here.
        unsafe { (prelude.tell)(take, (&raw mut states).cast()) };
    }
    states
}

/// # Safety
///
/// `states` must point to [`TaskStates`], and `json` to `length` readable bytes.
unsafe extern "C" fn take(states: *mut c_void, json: *const u8, length: usize) {
    // SAFETY: the caller vouches for both.
    let (states, json) = unsafe {
        let json = std::slice::from_raw_parts(json, length);
        (&mut *states.cast::<TaskStates>(), json)
    };
    *states = interleave_protocol::from_line(json).unwrap_or_default();
}

/// The tasks of a cell that have not ended.
pub(crate) fn count(cell: u64) -> Count {
    let prelude = PRELUDE.get();
    // SAFETY: it takes any number.
    prelude.map_or_else(Count::default, |prelude| unsafe { (prelude.count)(cell) })
}

/// Stops the tasks of a cell: those that wait at once, the others when they next would wait. Returns
/// how many there still are.
pub(crate) fn stop_of(cell: u64) -> usize {
    // SAFETY: it takes any number.
    PRELUDE
        .get()
        .map_or(0, |prelude| unsafe { (prelude.stop_of)(cell) })
}

/// Stops single tasks likewise, of tokio and of event loops. Those that run stop at their next
/// checkpoint.
pub(crate) fn stop(of_tokio: &[u64], in_loops: &[u64]) {
    let Some(prelude) = PRELUDE.get() else {
        return;
    };
    for (ids, are_in_loops) in [(of_tokio, false), (in_loops, true)] {
        if !ids.is_empty() {
            // SAFETY: the numbers live until it returns.
            unsafe { (prelude.stop)(ids.as_ptr(), ids.len(), are_in_loops) };
            ARE_MARKED.store(true, Relaxed);
        }
    }
    if !in_loops.is_empty() {
        cells::tidy_up();
    }
}

/// On the thread of the cells, between two of them: drops what is to stop in its event loop, which
/// does not run.
pub(crate) fn tidy_loop() {
    if let Some(prelude) = PRELUDE.get() {
        // SAFETY: it takes nothing.
        unsafe { (prelude.tidy_loop)() };
    }
}

/// The thread of the cells was left behind, and never runs its event loop again.
pub(crate) fn forget_loop() {
    if let Some(prelude) = PRELUDE.get() {
        // SAFETY: it takes nothing.
        unsafe { (prelude.forget_loop)() };
    }
}

/// Wakes the threads that run tasks which are to stop. Returns how many such tasks there are.
pub(crate) fn wake_marked() -> usize {
    // SAFETY: it takes the number of a cell.
    unsafe extern "C" fn wake(cell: u64) {
        observe::wake_threads_of(cell);
    }
    if !are_marked() {
        return 0;
    }
    // SAFETY: `wake` may be called with any number.
    let left = PRELUDE
        .get()
        .map_or(0, |prelude| unsafe { (prelude.stopping)(wake) });
    if left == 0 {
        ARE_MARKED.store(false, Relaxed);
    }
    left
}

/// Whether some were to stop when somebody last looked.
pub(crate) fn are_marked() -> bool {
    ARE_MARKED.load(Relaxed)
}

/// Whether the calling thread runs a task that is to stop. It reads numbers of the thread's own.
pub(crate) fn is_marked_here() -> bool {
    // SAFETY: it takes nothing.
    are_marked()
        && PRELUDE
            .get()
            .is_some_and(|prelude| unsafe { (prelude.is_to_stop)() })
}
