//! How a cell ended.

use evcxr::{Error, EvalOutputs};
use serde_json::Value;

use super::{
    EvcxrEvaluator, diagnostics,
    failures::{self, Fate, Stopped},
    last_words::Report,
};
use crate::evaluator::{Failure, Outcome};

impl EvcxrEvaluator {
    /// What became of a cell, from what evcxr and the host say.
    pub(super) fn outcome(
        &mut self,
        result: Result<EvalOutputs, Error>,
        interrupted: bool,
        report: Report,
    ) -> Outcome {
        let obstacle = self.link.lineage().cell_ends();
        self.print_panics_of_others(&report);
        let stopped = |fate| failures::interrupted(Stopped::Host(fate), report.stuck.as_deref());
        let failure = match (report.succession, result) {
            (Some(end), _) => {
                self.statics.restore();
                Some(match interrupted {
                    true => stopped(Fate::Kept),
                    false => self.end_of_host(&report, &end.to_string(), &Fate::Kept),
                })
            }
            (None, Err(Error::SubprocessTerminated(_))) if interrupted => {
                Some(stopped(Fate::Lost(obstacle)))
            }
            (None, Err(Error::SubprocessTerminated(status))) => {
                let end = self.link.lineage().end_of_successor();
                let status = end.map_or(status, |end| end.to_string());
                Some(self.end_of_host(&report, &status, &Fate::Lost(obstacle)))
            }
            (None, Err(_)) if interrupted => Some(failures::interrupted(Stopped::Compiler, None)),
            (None, Err(error)) => Some(self.refusal(&error)),
            (None, Ok(outputs)) => self.end_of_run(&report, interrupted).or_else(|| {
                self.show_command_output(outputs);
                let error = report.question_mark.as_ref()?;
                Some(self.failure_at(|places| failures::returned_early(error, places)))
            }),
        };
        failure.map_or(Outcome::Finished, Outcome::Failed)
    }

    /// Prints the panics that are not the outcome of the cell.
    fn print_panics_of_others(&self, report: &Report) {
        let others = match report.panics.split_last() {
            Some((_, others)) if report.panicked => others,
            _ => report.panics.as_slice(),
        };
        for panic in others.iter().filter(|panic| !panic.told) {
            self.link.print_panic(panic);
        }
    }

    /// evcxr or rustc did not accept the cell.
    fn refusal(&mut self, error: &Error) -> Failure {
        self.learn_types_of_ended(error);
        self.link.cell_was_refused();
        self.link.with_places(|places| {
            let context = diagnostics::Context {
                places,
                index: places.current().unwrap_or_default(),
                typed: &self.typed,
                variables: &self.variables,
            };
            context.failure(error)
        })
    }

    /// What has ended a cell before its time, if anything.
    fn end_of_run(&self, report: &Report, interrupted: bool) -> Option<Failure> {
        if let Some(how) = &report.interrupted {
            return Some(self.failure_at(|places| failures::stopped(how, report, places)));
        }
        if interrupted {
            return Some(failures::interrupted(Stopped::Cell, None));
        }
        let last = report.panics.last().or(report.handed_on.as_ref());
        let remark = report.remark.as_deref();
        report
            .panicked
            .then(|| self.failure_at(|places| failures::panicked(last, remark, places)))
    }

    /// The process of the cells has ended in the middle of this one.
    fn end_of_host(&self, report: &Report, status: &str, fate: &Fate) -> Failure {
        if let Some(reason) = &report.cannot_load {
            return failures::cannot_load(reason, fate);
        }
        let limit = self.link.lineage().memory_limit();
        failures::crashed(status, &report.last_words, limit, fate)
    }

    /// What evcxr's commands answer. The values of cells come from the prelude instead.
    fn show_command_output(&self, outputs: EvalOutputs) {
        if outputs.is_empty() {
            return;
        }
        let data = outputs.content_by_mime_type.into_iter();
        let data = data.map(|(mime, text)| (mime, Value::from(text))).collect();
        self.show(data);
    }
}
