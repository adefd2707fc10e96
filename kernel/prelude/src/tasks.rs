//! The tasks of tokio that live: which cell each belongs to, and what it does.
//!
//! tokio as the notebook compiles it calls [`hooks`] when a task is spawned, each time it is polled,
//! and when it ends. In an ordinary program nobody calls them.

use std::{
    cell::Cell,
    collections::BTreeMap,
    ptr,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use interleave_protocol::{Location, TaskKind, TaskName, TaskState, TaskStates};

use crate::host::Owner;

pub(crate) mod hooks;

/// So many tasks are listed; of the others only the number is known.
const MOST_LISTED: usize = 10_000;

/// A task, from its spawning to its end.
#[derive(Debug)]
struct Task {
    id: u64,
    is_blocking: bool,
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
}

/// Time is counted from its first use.
static CLOCK: LazyLock<Instant> = LazyLock::new(Instant::now);

fn now() -> u64 {
    u64::try_from(CLOCK.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[derive(Debug)]
struct Register {
    tasks: BTreeMap<u64, Arc<Task>>,
    unlisted: usize,
}

static REGISTER: Mutex<Register> = Mutex::new(Register {
    tasks: BTreeMap::new(),
    unlisted: 0,
});

thread_local! {
    /// The task that this thread runs; it lives for as long as it does so.
    static CURRENT: Cell<*const Task> = const { Cell::new(ptr::null()) };
}

impl Register {
    fn lock() -> MutexGuard<'static, Self> {
        // No panic can leave it half changed.
        REGISTER.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&mut self, task: &Arc<Task>) {
        if self.tasks.len() < MOST_LISTED {
            self.tasks.insert(task.id, Arc::clone(task));
        } else {
            self.unlisted += 1;
        }
    }

    fn remove(&mut self, task: &Task) {
        if self.tasks.remove(&task.id).is_none() {
            self.unlisted -= 1;
        }
    }
}

impl Task {
    /// What the lanes of a cell know it by.
    fn name(&self) -> TaskName {
        let kind = if self.is_blocking {
            TaskKind::Blocking
        } else {
            TaskKind::Tokio
        };
        TaskName { kind, id: self.id }
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
            is_blocking: self.is_blocking,
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
    // A thread that is about to end has no task.
    let task = CURRENT.try_with(Cell::get).ok()?;
    // SAFETY: null, or put there by `enter` and taken away by `leave` before the task ends.
    unsafe { task.as_ref() }.map(Task::state)
}

/// The tasks that have not ended, as far as they are known.
pub(crate) fn states() -> TaskStates {
    // Described outside of the lock, for which spawning waits.
    let (tasks, unlisted): (Vec<Arc<Task>>, usize) = {
        let register = Register::lock();
        (
            register.tasks.values().cloned().collect(),
            register.unlisted,
        )
    };
    TaskStates {
        tasks: tasks.iter().map(|task| task.state()).collect(),
        unlisted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: u64) -> Arc<Task> {
        Arc::new(Task {
            id,
            is_blocking: false,
            is_internal: false,
            owner: Owner::numbered(3),
            file: "cells/3/lib.rs",
            line: 2,
            column: 5,
            is_running: AtomicBool::new(false),
            since: AtomicU64::new(0),
            busy: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
        })
    }

    #[test]
    fn the_register_is_bounded_and_counts_the_rest() {
        let mut register = Register {
            tasks: BTreeMap::new(),
            unlisted: 0,
        };
        let tasks: Vec<_> = (0..).take(MOST_LISTED + 2).map(task).collect();
        tasks.iter().for_each(|task| register.add(task));
        assert_eq!((register.tasks.len(), register.unlisted), (MOST_LISTED, 2));
        register.remove(&tasks[MOST_LISTED]);
        register.remove(&tasks[0]);
        assert_eq!(
            (register.tasks.len(), register.unlisted),
            (MOST_LISTED - 1, 1)
        );
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
