//! How a cell fails.

use serde::{Deserialize, Serialize};

use crate::{CodeAddress, Location, TaskState};

/// A panic, as the panic hook saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// What the code said.
    pub message: String,
    /// Where in the generated source, if known.
    pub location: Option<Location>,
    /// Name of the thread, if it has one.
    pub thread: Option<String>,
    /// Whether it is the thread that runs the cells.
    pub on_cell_thread: bool,
    /// Whether a panic hook that a cell has installed was told: then that hook prints, or does not.
    #[serde(default)]
    pub told: bool,
    /// Whether somebody waits for it: who asked for a job of an executor, or of rayon, gets the
    /// panic with its result.
    #[serde(default)]
    pub is_awaited: bool,
    /// The task that ran, when it was one of tokio's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskState>,
}

/// An `Err` that left the cell through `?`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionMark {
    /// The error's type, as [`std::any::type_name`] gives it.
    pub type_name: String,
    /// The error's `Display` text.
    pub message: String,
    /// Where in the generated source.
    pub location: Option<Location>,
}

/// How a cell ended that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Interrupted {
    /// It did not end: its thread waits for ever, and another one runs the next cells.
    pub left_behind: bool,
    /// Where it was when it was asked to stop, innermost first: what of that is code of cells.
    pub at: Vec<CodeAddress>,
}
