//! The process of the cells has ended, or is to: evcxr starts another.

use evcxr::Error;
use interleave_protocol::CellFacts;

use super::{EvcxrEvaluator, commands, failures, lets::Typed};
use crate::evaluator::Failure;

/// A cell that runs and does nothing.
const NO_OPERATION: &str = "();";

impl EvcxrEvaluator {
    /// Replaces the process of the cells if it has ended since the last cell, and says so.
    pub(super) fn host_has_ended(&mut self, code: &str) -> Option<Failure> {
        if commands::replaces_host(code) {
            return None;
        }
        let status = self.link.lineage().has_ended()?;
        let failure = failures::ended_before(status, &self.link.last_words());
        if let Err(error) = self.replace_host() {
            tracing::error!(%error, "the process of the cells was not replaced");
        }
        Some(failure)
    }

    /// Ends the process of the cells and starts another, as `:restart`.
    ///
    /// evcxr's own `:restart` forgets the variables of one copy of its state and then goes on with
    /// another copy (`execute_with_callbacks` in `command_context.rs`), so that later cells ask the
    /// new process for variables that it has never had. When it finds the process dead it does
    /// better.
    pub(super) fn replace_host(&mut self) -> Result<(), Error> {
        self.link.lineage().kill_all();
        self.typed = Typed::default();
        self.typed.code = NO_OPERATION.to_owned();
        match self.give_to_evcxr(&mut CellFacts::default()) {
            Err(Error::SubprocessTerminated(_)) => Ok(()),
            other => other.map(drop),
        }
    }
}
