//! Gives a cell to evcxr, again in another form if that is what it needs.

use std::{collections::BTreeMap, fs, sync::PoisonError};

use evcxr::{Error, EvalOutputs};
use interleave_protocol::{CellFacts, CellNotes};

use super::{
    EvcxrEvaluator, PRELUDE, commands, diagnostics, failures,
    learnt::Tried,
    lets::Typed,
    syntax,
    variables::{Ran, Sending},
};

/// A cell that evcxr was given.
pub(super) struct Attempt {
    pub(super) result: Result<EvalOutputs, Error>,
    facts: CellFacts,
    sending: Sending,
    /// Whether the types of its variables could not be learnt while it was compiled, or need not be.
    was_tried: bool,
    /// What rustc says of the types of variables that are not kept.
    hidden: BTreeMap<String, String>,
}

impl EvcxrEvaluator {
    pub(super) fn run(&mut self, code: &str) -> Attempt {
        if commands::replaces_host(code) {
            self.variables.clear();
        }
        let rest = commands::without_restart(code);
        let replaced = match &rest {
            Some(_) => self.replace_host(),
            None => Ok(()),
        };
        let code = rest.as_deref().unwrap_or(code);
        let mut attempt = Attempt {
            result: Ok(EvalOutputs::new()),
            facts: CellFacts {
                id: self.next_id,
                memory_limit: self.link.lineage().memory_limit().bytes(),
                opt_level: self.opt_level.clone(),
                ..syntax::facts(code)
            },
            sending: self.variables.prepare(code),
            was_tried: false,
            hidden: BTreeMap::new(),
        };
        attempt.result = replaced.and_then(|()| self.run_as_needed(&mut attempt));
        // What evcxr does not run because of one variable runs without keeping that one.
        while let Err(Error::Message(message)) = &attempt.result
            && let Some(name) = unnameable(message)
            && attempt.sending.hide(name)
        {
            attempt.result = self.run_as_needed(&mut attempt);
        }
        attempt
    }

    fn run_as_needed(&mut self, attempt: &mut Attempt) -> Result<EvalOutputs, Error> {
        attempt.facts.unkept = attempt.sending.hidden_names();
        let mut found = None;
        if !std::mem::replace(&mut attempt.was_tried, true) {
            match self.try_to_learn(&attempt.sending.text(), &mut attempt.facts) {
                Some(Tried::Done(result)) => {
                    return self.again_as_needed(result, &mut attempt.facts);
                }
                Some(Tried::Refused(known)) => found = known,
                None => {}
            }
        }
        let hidden = self.with_types(&mut attempt.sending, found)?;
        attempt.hidden.extend(hidden);
        let facts = &mut attempt.facts;
        facts.learn = false;
        facts.unkept = attempt.sending.hidden_names();
        let result = self.compile_and_run(facts);
        let result = match self.with_other_types(&attempt.sending.text(), &result) {
            Some(typed) => {
                self.typed = typed?;
                self.compile_and_run(facts)
            }
            None => result,
        };
        self.again_as_needed(result, facts)
    }

    /// The cell once more, if its first form was the wrong one.
    fn again_as_needed(
        &mut self,
        result: Result<EvalOutputs, Error>,
        facts: &mut CellFacts,
    ) -> Result<EvalOutputs, Error> {
        // A macro may await, or return early, without showing it. Nothing has run then.
        let error = result.as_ref().err();
        match error.and_then(diagnostics::first_code).as_deref() {
            Some("E0728") if !facts.awaits => facts.awaits = true,
            Some("E0277") if !facts.question_mark && is_about_question_mark(&result) => {
                facts.question_mark = true;
            }
            _ => return result,
        }
        let retried = self.compile_and_run(facts);
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

    /// Runs a cell, in a new process if it brings another build of the prelude.
    pub(super) fn compile_and_run(&mut self, facts: &mut CellFacts) -> Result<EvalOutputs, Error> {
        let result = self.give_to_evcxr(facts);
        let code_of_error = result.as_ref().err().and_then(diagnostics::first_code);
        if code_of_error.as_deref() != Some(interleave_protocol::PRELUDE_CHANGED) {
            return result;
        }
        if self.context.variables_and_types().next().is_some() {
            self.link.warn(failures::PRELUDE_REPLACED);
        }
        self.variables.clear();
        self.link.lineage().kill_all();
        match self.give_to_evcxr(facts) {
            Err(Error::SubprocessTerminated(_)) => self.give_to_evcxr(facts),
            other => other,
        }
    }

    /// Evaluates what every cell sees once more, after `:clear` in a cell with this id. An error
    /// would be one of the installation.
    pub(super) fn load_prelude_again(&mut self, id: u64) {
        self.typed = Typed::new(PRELUDE, &[], &BTreeMap::new());
        let mut facts = CellFacts {
            id,
            ..CellFacts::default()
        };
        if let Err(error) = self.compile_and_run(&mut facts) {
            tracing::error!(%error, "the prelude cannot be loaded again");
        }
    }

    pub(super) fn give_to_evcxr(&mut self, facts: &mut CellFacts) -> Result<EvalOutputs, Error> {
        facts.host = self.host_of(&self.typed.code);
        facts.learnt = self.learnt.all();
        self.workspace
            .write(CellFacts::FILE, &interleave_protocol::to_line(facts))
            .map_err(|error| Error::Message(format!("{error:#}")))?;
        self.link.listen_again();
        self.context.execute(&self.typed.code)
    }

    /// Remembers what became of the variables of a cell that ran.
    pub(super) fn remember(&mut self, attempt: &Attempt, finished: bool) {
        let notes = fs::read(
            self.workspace
                .compile_directory()
                .join(attempt.facts.notes()),
        )
        .ok();
        // A cell of nothing but commands is not compiled.
        let notes: CellNotes = notes
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        let used = self.context.variables_and_types().map(|(_, ty)| ty);
        self.learnt.add(&notes.learnt, used);
        let ran = Ran {
            sending: &attempt.sending,
            notes: &notes,
            finished,
            hidden: &attempt.hidden,
        };
        let variables = &mut self.variables;
        self.link.with_places(|places| {
            variables.ran(&ran, places, places.current().unwrap_or_default());
        });
    }
}

/// The variable that evcxr does not know how to keep (`fix_variable_types` in `eval_context.rs`).
fn unnameable(message: &str) -> Option<&str> {
    let about = message.contains("is a closure, which cannot be persisted")
        || message.starts_with("Failed to determine type of variable")
        || message.starts_with("Couldn't automatically determine type of variable");
    about.then(|| message.split('`').nth(1)).flatten()
}

fn is_about_question_mark(result: &Result<EvalOutputs, Error>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.to_string().contains("the `?` operator"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_evcxr_cannot_keep_is_named() {
        assert_eq!(
            unnameable("The variable `f` is a closure, which cannot be persisted.\nYou can"),
            Some("f")
        );
        let unknown = "Couldn't automatically determine type of variable `x`.\nPlease";
        assert_eq!(unnameable(unknown), Some("x"));
        assert_eq!(unnameable("cannot write to the `workspace`"), None);
    }
}
