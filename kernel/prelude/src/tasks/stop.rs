//! For the host: what still goes on, and how to stop it.

use std::{
    slice,
    sync::{Arc, atomic::Ordering},
};

use super::{Task, handle::Handle, read_current, register};
use crate::trace;

impl Task {
    fn stop(&self) {
        if let Some(handle) = self.handle.get() {
            handle.abort();
        }
    }

    /// Whether it does something, or is about to.
    fn is_moving(&self) -> bool {
        self.handle.get().is_some_and(Handle::is_active)
    }
}

/// The tasks that live and are meant. The register is free again, so that they can end.
fn tasks(is_meant: impl Fn(&Task) -> bool) -> Vec<Arc<Task>> {
    let tasks = register();
    let meant = tasks.values().filter(|task| is_meant(task));
    meant.cloned().collect()
}

/// How many tasks a cell has that live, and how many of these do something or are about to.
#[repr(C)]
struct Count {
    living: usize,
    moving: usize,
}

/// Counts the tasks of a cell.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_count_tasks(cell: u64) -> Count {
    let tasks = tasks(|task| task.owner.number() == cell);
    let moving = tasks.iter().filter(|task| task.is_moving());
    Count {
        living: tasks.len(),
        moving: moving.count(),
    }
}

/// Stops the tasks of a cell. Returns how many there are still.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_stop_tasks_of(cell: u64) -> usize {
    let tasks = tasks(|task| task.owner.number() == cell);
    trace::unseen(|| tasks.iter().for_each(|task| task.stop()));
    tasks.len()
}

/// Stops single tasks, by tokio's numbers.
///
/// # Safety
///
/// `ids` must point to `count` numbers.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_prelude_stop_tasks(ids: *const u64, count: usize) {
    // SAFETY: the caller vouches for both.
    let ids = unsafe { slice::from_raw_parts(ids, count) };
    let tasks = tasks(|task| ids.contains(&task.id));
    for task in &tasks {
        task.is_to_stop.store(true, Ordering::Relaxed);
    }
    trace::unseen(|| tasks.iter().for_each(|task| task.stop()));
}

/// Calls a function with the cell of each task that is to stop and runs. Returns how many are to
/// stop and live.
///
/// # Safety
///
/// `wake` must be sound to call with the number of a cell.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_prelude_stopping_tasks(wake: unsafe extern "C" fn(u64)) -> usize {
    let tasks = tasks(|task| task.is_to_stop.load(Ordering::Relaxed));
    for task in &tasks {
        if task.is_running.load(Ordering::Relaxed) {
            // SAFETY: the caller vouches for it.
            unsafe { wake(task.owner.number()) };
        }
    }
    tasks.len()
}

/// Whether the task that this thread runs is to stop.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_is_task_to_stop() -> bool {
    let is_to_stop = read_current(|task| task.is_to_stop.load(Ordering::Relaxed));
    is_to_stop.unwrap_or(false)
}
