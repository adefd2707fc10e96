//! The tasks that live: which cell each belongs to, what it does, and how it is stopped. They are
//! those of tokio, and what [event loops](in_loop) have been asked to do.
//!
//! tokio as the notebook compiles it calls [`hooks`] when a task is spawned, each time it is polled,
//! and when it ends. In an ordinary program nobody calls them.
//!
//! A task is stopped as by `JoinHandle::abort`: it is dropped where it waits. One that runs just now
//! unwinds at its next checkpoint, as a thread does, and is then dropped; a function on the pool for
//! blocking work, too.

use std::{
    cell::Cell,
    collections::BTreeMap,
    ptr,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use interleave_protocol::{Location, TaskKind, TaskName, TaskState, TaskStates};

use crate::host::Owner;

use self::{handle::Handle, in_loop::InLoop};

mod handle;
pub(crate) mod hooks;
pub(crate) mod in_loop;
mod stop;

/// So many tasks are listed; of the others only the number is told.
const MOST_LISTED: usize = 10_000;

/// A task, from its spawning to its end.
#[derive(Debug)]
struct Task {
    id: u64,
    kind: TaskKind,
    /// For those of an event loop.
    in_loop: Option<InLoop>,
    is_internal: bool,
    owner: Owner,
    file: &'static str,
    line: u32,
    column: u32,
    is_running: AtomicBool,
    /// When it began or ended to run, in microseconds on [`CLOCK`].
    since: AtomicU64,
    /// Microseconds that it has run, up to `since`.
    busy: AtomicU64,
    /// Whether it has come to its end, and only its remains are to be dropped.
    is_over: AtomicBool,
    /// By which it can be aborted.
    handle: OnceLock<Handle>,
    /// Whether it alone is to stop, while its cell's other tasks go on.
    is_to_stop: AtomicBool,
    /// Whether what it owns is dropped.
    is_dropped: AtomicBool,
}

/// Time is counted from its first use.
static CLOCK: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> u64 {
    u64::try_from(CLOCK.elapsed().as_micros()).unwrap_or(u64::MAX)
}

/// By their numbers, so that the oldest is the first.
#[derive(Debug)]
struct Register {
    of_tokio: BTreeMap<u64, Arc<Task>>,
    of_loops: BTreeMap<u64, Arc<Task>>,
}

impl Register {
    fn all(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.of_tokio.values().chain(self.of_loops.values())
    }
}

static REGISTER: Mutex<Register> = Mutex::new(Register {
    of_tokio: BTreeMap::new(),
    of_loops: BTreeMap::new(),
});

thread_local! {
    /// The task that this thread runs; it lives for as long as it does so.
    static CURRENT: Cell<*const Task> = const { Cell::new(ptr::null()) };
}

fn register() -> MutexGuard<'static, Register> {
    // No panic can leave it half changed.
    REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Task {
    /// What the lanes of a cell know it by.
    fn name(&self) -> TaskName {
        let Self { kind, id, .. } = *self;
        TaskName { kind, id }
    }

    fn begin_to_run(&self) {
        self.is_running.store(true, Ordering::Relaxed);
        self.since.store(now(), Ordering::Relaxed);
    }

    fn end_to_run(&self) {
        let now = now();
        let began = self.since.swap(now, Ordering::Relaxed);
        self.busy
            .fetch_add(now.saturating_sub(began), Ordering::Relaxed);
        self.is_running.store(false, Ordering::Relaxed);
    }

    /// What it does now. Read while it goes on, so the numbers may be of moments side by side.
    fn state(&self) -> TaskState {
        let is_running = self.is_running.load(Ordering::Relaxed);
        let since = now().saturating_sub(self.since.load(Ordering::Relaxed));
        let busy = self.busy.load(Ordering::Relaxed);
        TaskState {
            id: self.id,
            kind: self.kind,
            in_loop: self.in_loop.as_ref().map(|it| Box::new(it.state())),
            cell: self.owner.number(),
            spawned_at: Location {
                file: self.file.to_owned(),
                line: self.line,
                column: self.column,
            },
            is_running,
            since,
            busy: if is_running { busy + since } else { busy },
        }
    }
}

/// The task that this thread runs.
pub(crate) fn current() -> Option<TaskState> {
    read_current(Task::state)
}

/// Whether this thread drops a task, whose destructors must come to their end.
pub(crate) fn is_dropping() -> bool {
    let is_dropped = read_current(|task| task.is_dropped.load(Ordering::Relaxed));
    is_dropped.unwrap_or(false)
}

fn read_current<R>(read: impl FnOnce(&Task) -> R) -> Option<R> {
    // A thread that is about to end has no task.
    let task = CURRENT.try_with(Cell::get).ok()?;
    // SAFETY: null, or put there by `enter` and taken away by `leave` before the task ends.
    unsafe { task.as_ref() }.map(read)
}

/// The tasks that have not ended, as far as they are known.
pub(crate) fn states() -> TaskStates {
    // Described outside of the lock, for which spawning waits.
    let (tasks, count): (Vec<Arc<Task>>, usize) = {
        let tasks = register();
        let listed = tasks.all().take(MOST_LISTED).cloned();
        (listed.collect(), tasks.all().count())
    };
    TaskStates {
        tasks: tasks.iter().map(|task| task.state()).collect(),
        unlisted: count - tasks.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: u64) -> Arc<Task> {
        Arc::new(Task {
            id,
            kind: TaskKind::Tokio,
            in_loop: None,
            is_internal: false,
            owner: Owner::numbered(3),
            file: "cells/3/lib.rs",
            line: 2,
            column: 5,
            is_running: AtomicBool::new(false),
            since: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            handle: OnceLock::new(),
            is_to_stop: AtomicBool::new(false),
            is_dropped: AtomicBool::new(false),
        })
    }

    #[test]
    fn the_list_is_bounded_and_counts_the_rest() {
        let tasks: Vec<_> = (0..).take(MOST_LISTED + 2).map(task).collect();
        let tasks = tasks.into_iter().map(|task| (task.id, task));
        register().of_tokio.extend(tasks);
        let states = states();
        assert_eq!((states.tasks.len(), states.unlisted), (MOST_LISTED, 2));
        register().of_tokio.clear();
    }

    #[test]
    fn a_task_is_busy_while_it_runs() {
        let task = task(1);
        task.begin_to_run();
        assert!(task.state().is_running);
        task.end_to_run();
        let state = task.state();
        assert!(!state.is_running);
        assert_eq!(state.busy, task.busy.load(Ordering::Relaxed));
        assert_eq!((state.cell, state.spawned_at.line), (3, 2));
    }
}
