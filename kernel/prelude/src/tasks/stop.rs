//! For the host: what still goes on, and how to stop it.

use std::{
    collections::BTreeSet,
    slice,
    sync::{Arc, atomic::Ordering},
};

use super::{
    Task,
    handle::Handle,
    in_loop::{self, InLoop},
    read_current, register,
};
use crate::{asyncio, trace};

impl Task {
    fn stop(&self) {
        if let Some(handle) = self.handle.get() {
            handle.abort();
        }
        if let Some(in_loop) = &self.in_loop {
            self.is_to_stop.store(true, Ordering::Relaxed);
            in_loop.wake(self.id);
        }
    }

    /// Whether it is in a loop that does not run.
    fn rests(&self) -> bool {
        self.in_loop.as_ref().is_some_and(|it| !it.is_driven())
    }

    /// Whether it does something, or is about to.
    fn is_moving(&self) -> bool {
        self.handle.get().is_some_and(Handle::is_active)
    }
}

/// The tasks that live and are meant. The register is free again, so that they can end.
fn tasks(is_meant: impl Fn(&Task) -> bool) -> Vec<Arc<Task>> {
    let tasks = register();
    let meant = tasks.all().filter(|task| is_meant(task));
    meant.cloned().collect()
}

/// How many tasks a cell has that live, and how many of these do something or are about to; and how
/// many tasks and callbacks are in loops that do not run.
#[repr(C)]
struct Count {
    living: usize,
    moving: usize,
    resting_tasks: usize,
    resting_callbacks: usize,
}

/// Counts the tasks of a cell.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_count_tasks(cell: u64) -> Count {
    let tasks = tasks(|task| task.owner.number() == cell);
    let (resting, living): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| task.rests());
    let is_callback = |task: &&Arc<Task>| task.in_loop.as_ref().is_some_and(InLoop::is_callback);
    let resting_callbacks = resting.iter().filter(is_callback).count();
    Count {
        living: living.len(),
        moving: living.iter().filter(|task| task.is_moving()).count(),
        resting_tasks: resting.len() - resting_callbacks,
        resting_callbacks,
    }
}

/// Stops the tasks of a cell. Returns how many there are still.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_stop_tasks_of(cell: u64) -> usize {
    let tasks = tasks(|task| task.owner.number() == cell);
    trace::unseen(|| tasks.iter().for_each(|task| task.stop()));
    tasks.len()
}

/// Stops single tasks of tokio, or of event loops, by their numbers.
///
/// # Safety
///
/// `ids` must point to `count` numbers.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_prelude_stop_tasks(ids: *const u64, count: usize, in_loops: bool) {
    // SAFETY: the caller vouches for both.
    let ids = unsafe { slice::from_raw_parts(ids, count) };
    let ids: BTreeSet<u64> = ids.iter().copied().collect();
    let tasks = tasks(|task| task.in_loop.is_some() == in_loops && ids.contains(&task.id));
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

/// Drops what is to stop in the event loop of this thread, which runs the cells, but none now.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_tidy_event_loop() {
    asyncio::get_event_loop().drop_stopped();
}

/// The thread that ran the cells never runs again.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_forget_event_loop() {
    in_loop::forget_loop_of_cells();
}

/// Whether the task that this thread runs is to stop.
#[unsafe(no_mangle)]
extern "C" fn interleave_prelude_is_task_to_stop() -> bool {
    let is_to_stop = read_current(|task| task.is_to_stop.load(Ordering::Relaxed));
    is_to_stop.unwrap_or(false)
}
