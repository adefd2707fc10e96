//! The tasks of tokio, and what event loops of the prelude have been asked to do.

use serde::{Deserialize, Serialize};

use crate::{Location, TaskKind, TaskName};

/// The tasks that have not ended, as the prelude's `interleave_prelude_tasks` tells them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskStates {
    /// The oldest ones first.
    pub tasks: Vec<TaskState>,
    /// How many more there are: the list is bounded.
    pub unlisted: usize,
}

/// A task of tokio, or a task or callback of an event loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// What it is.
    pub kind: TaskKind,
    /// Tells it from others of its kind; of a task of tokio it is `tokio::task::Id`.
    pub id: u64,
    /// What an event loop knows of it; `None` for a task of tokio.
    pub in_loop: Option<Box<InLoop>>,
    /// The cell whose code spawned it, by the host's count.
    pub cell: u64,
    /// Where it was spawned.
    pub spawned_at: Location,
    /// Whether a thread runs it now; otherwise it waits to be woken, or for a thread.
    pub is_running: bool,
    /// Microseconds since it began or ended to run.
    pub since: u64,
    /// Microseconds that it has run in all.
    pub busy: u64,
}

impl TaskState {
    /// Tells it from all others.
    pub fn name(&self) -> TaskName {
        let Self { kind, id, .. } = *self;
        TaskName { kind, id }
    }

    /// Whether it is in an event loop that does not run, so that nothing brings it on.
    pub fn rests(&self) -> bool {
        self.in_loop.as_ref().is_some_and(|it| !it.is_driven)
    }
}

/// A task or a callback of an event loop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InLoop {
    /// By which a student knows it: `Task-1`, `callback-7`.
    pub name: String,
    /// The function that a task runs.
    pub function: Option<String>,
    /// Whether the loop runs.
    pub is_driven: bool,
    /// Microseconds until a callback may be called.
    pub due: Option<u64>,
}

/// What a cell leaves in event loops that do not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Resting {
    /// So many tasks.
    pub tasks: usize,
    /// So many callbacks.
    pub callbacks: usize,
}
