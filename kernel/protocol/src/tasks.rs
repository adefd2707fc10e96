//! The tasks of tokio.

use serde::{Deserialize, Serialize};

use crate::{Location, TaskKind, TaskName};

/// The tasks of tokio that have not ended, as the prelude's `interleave_prelude_tasks` tells them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskStates {
    /// The oldest ones first.
    pub tasks: Vec<TaskState>,
    /// How many more there are: the list is bounded.
    pub unlisted: usize,
}

impl TaskState {
    /// Tells it from others.
    pub fn name(&self) -> TaskName {
        let kind = if self.is_blocking {
            TaskKind::Blocking
        } else {
            TaskKind::Tokio
        };
        TaskName { kind, id: self.id }
    }
}

/// A task of tokio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// tokio's name for it, `tokio::task::Id`.
    pub id: u64,
    /// Whether it is a function on the pool for blocking work, as opposed to a future.
    pub is_blocking: bool,
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
