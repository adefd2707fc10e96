//! Has evcxr compile and run a cell, more than once if need be.

use std::{fs, sync::PoisonError};

use evcxr::{Error, EvalOutputs};
use interleave_protocol::CellFacts;

use super::{EvcxrEvaluator, commands, diagnostics, failures, syntax};

/// A cell that runs and does nothing.
const NO_OPERATION: &str = "();";

impl EvcxrEvaluator {
    /// Runs a cell, in a new process if it brings another build of the prelude.
    pub(super) fn run(&mut self, code: &str) -> Result<EvalOutputs, Error> {
        let result = self.run_with_facts(code);
        let code_of_error = result.as_ref().err().and_then(diagnostics::first_code);
        if code_of_error.as_deref() != Some(interleave_protocol::PRELUDE_CHANGED) {
            return result;
        }
        if self.context.variables_and_types().next().is_some() {
            self.link.warn(failures::PRELUDE_REPLACED);
        }
        self.link.lineage().kill_all();
        match self.run_with_facts(code) {
            Err(Error::SubprocessTerminated(_)) => self.run_with_facts(code),
            other => other,
        }
    }

    /// Ends the process of the cells and starts another, as `:restart`.
    ///
    /// evcxr's own `:restart` forgets the variables of one copy of its state and then goes on with
    /// another copy (`execute_with_callbacks` in `command_context.rs`), so that later cells ask the
    /// new process for variables that it has never had. When it finds the process dead it does
    /// better.
    pub(super) fn replace_host(&mut self) -> Result<(), Error> {
        self.link.lineage().kill_all();
        match self.context.execute(NO_OPERATION) {
            Err(Error::SubprocessTerminated(_)) => Ok(()),
            other => other.map(drop),
        }
    }

    fn run_with_facts(&mut self, code: &str) -> Result<EvalOutputs, Error> {
        let mut facts = CellFacts {
            id: self.next_id,
            host: self.host_of(code),
            opt_level: self.opt_level.clone(),
            ..syntax::facts(code)
        };
        self.typed = self.with_types(code)?;
        let result = self.compile_and_run(&facts);
        let result = match self.with_other_types(code, &result) {
            Some(typed) => {
                self.typed = typed?;
                self.compile_and_run(&facts)
            }
            None => result,
        };
        // A macro may await, or return early, without showing it. Nothing has run then.
        match result
            .as_ref()
            .err()
            .and_then(diagnostics::first_code)
            .as_deref()
        {
            Some("E0728") if !facts.awaits => facts.awaits = true,
            Some("E0277") if !facts.question_mark && is_about_question_mark(&result) => {
                facts.question_mark = true;
            }
            _ => return result,
        }
        let retried = self.compile_and_run(&facts);
        if retried.is_ok() { retried } else { result }
    }

    /// Names the process that will run the cell; see [`CellFacts::host`].
    fn host_of(&self, code: &str) -> u64 {
        if commands::replaces_host(code) {
            return 0;
        }
        let host = self.context.process_handle();
        let host = host.lock().unwrap_or_else(PoisonError::into_inner);
        host.id().into()
    }

    fn compile_and_run(&mut self, facts: &CellFacts) -> Result<EvalOutputs, Error> {
        fs::write(
            self.compile_directory.join(CellFacts::FILE),
            interleave_protocol::to_line(facts),
        )
        .map_err(|error| Error::Message(format!("cannot write to the workspace: {error}")))?;
        self.context.execute(&self.typed.code)
    }
}

fn is_about_question_mark(result: &Result<EvalOutputs, Error>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.to_string().contains("the `?` operator"))
}
