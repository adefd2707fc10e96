//! What the session wants from the evaluator, and what comes back. Plain data.

use std::{collections::BTreeMap, sync::Arc};

use interleave_protocol::Display;

use crate::{
    evaluator::{Cell, Completions, Failure, Inspection, Outcome},
    wire::Parent,
};

/// Work for the evaluator.
#[derive(Debug)]
pub enum Job {
    /// Run a cell.
    Execute {
        /// The cell.
        cell: Cell,
        /// The request that its outputs belong to.
        parent: Arc<Parent>,
        /// Whether its outputs are dropped.
        silent: bool,
        /// Expressions to evaluate after it, by name.
        expressions: BTreeMap<String, String>,
    },
    /// Say what may stand at a place.
    Complete {
        /// The text of the cell.
        code: String,
        /// A byte offset.
        cursor: usize,
    },
    /// Say what stands at a place.
    Inspect {
        /// The text of the cell.
        code: String,
        /// A byte offset.
        cursor: usize,
    },
}

/// What became of a [`Job`].
#[derive(Debug)]
pub enum Done {
    /// The cell ended.
    Executed(Executed),
    /// What may stand there.
    Completed(Completions),
    /// What stands there.
    Inspected(Option<Inspection>),
    /// The evaluator panicked; another one is being built.
    Panicked {
        /// What the panic said.
        message: String,
    },
}

/// How a cell ended.
#[derive(Debug)]
pub struct Executed {
    /// The end itself.
    pub outcome: Outcome,
    /// The text of its value, for the history.
    pub result: Option<String>,
    /// Documentation that it asked for.
    pub page: Option<Inspection>,
    /// The expressions' values, by name. Empty unless the cell ran to its end.
    pub expressions: BTreeMap<String, Result<Option<Display>, Failure>>,
}
