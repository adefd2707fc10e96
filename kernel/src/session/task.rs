//! Work that waits for the evaluator, or that it does.

use std::sync::Arc;

use jupyter_protocol::{CompleteRequest, ExecuteRequest, InspectRequest};

use super::{Job, ReplyTo, cursor};
use crate::evaluator::Cell;

/// Work for the evaluator, and who wants it.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) to: ReplyTo,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    Execute(CellTask),
    Complete(CompleteRequest),
    Inspect(InspectRequest),
}

/// A cell on its way.
#[derive(Debug)]
pub(super) struct CellTask {
    pub(super) request: ExecuteRequest,
    /// The number of the cell; set when it starts.
    pub(super) count: usize,
}

impl Task {
    pub(super) fn is_cell(&self) -> bool {
        matches!(self.work, Work::Execute(_))
    }

    /// The same, in the words of the evaluator.
    pub(super) fn job(&self) -> Job {
        match &self.work {
            Work::Execute(cell) => cell.job(&self.to),
            Work::Complete(request) => Job::Complete {
                cursor: cursor::to_byte(&request.code, request.cursor_pos),
                code: request.code.clone(),
            },
            Work::Inspect(request) => Job::Inspect {
                cursor: cursor::to_byte(&request.code, request.cursor_pos),
                code: request.code.clone(),
            },
        }
    }
}

impl CellTask {
    pub(super) fn new(request: ExecuteRequest) -> Self {
        Self { request, count: 0 }
    }

    /// Whether it gets a number of its own and a place in the history.
    pub(super) fn counts(&self) -> bool {
        self.request.store_history && !self.request.silent
    }

    fn job(&self, to: &ReplyTo) -> Job {
        let expressions = self.request.user_expressions.iter().flatten();
        Job::Execute {
            cell: Cell {
                number: self.count,
                code: self.request.code.clone(),
                allow_stdin: self.request.allow_stdin,
            },
            parent: Arc::clone(&to.parent),
            silent: self.request.silent,
            expressions: expressions
                .map(|(name, code)| (name.clone(), code.clone()))
                .collect(),
        }
    }
}
