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
        let stuck = report.stuck.as_deref();
        let obstacle = self.link.lineage().cell_ends();
        let (last, others) = match report.panics.split_last() {
            Some((last, others)) if report.panicked => (Some(last), others),
            _ => (report.handed_on.as_ref(), report.panics.as_slice()),
        };
        for panic in others.iter().filter(|panic| !panic.told) {
            self.link.print_panic(panic);
        }
        if let Some(end) = report.succession {
            self.statics.restore();
            return Outcome::Failed(if interrupted {
                failures::interrupted(Stopped::Host(Fate::Kept), stuck)
            } else {
                self.end_of_host(&report, &end.to_string(), &Fate::Kept)
            });
        }
        let fate = Fate::Lost(obstacle);
        match result {
            Err(Error::SubprocessTerminated(_)) if interrupted => {
                Outcome::Failed(failures::interrupted(Stopped::Host(fate), stuck))
            }
            Err(_) if interrupted => {
                Outcome::Failed(failures::interrupted(Stopped::Compiler, None))
            }
            Err(Error::SubprocessTerminated(status)) => {
                let end = self.link.lineage().end_of_successor();
                let status = end.map_or(status, |end| end.to_string());
                Outcome::Failed(self.end_of_host(&report, &status, &fate))
            }
            Err(error) => {
                self.learn_types_of_ended(&error);
                Outcome::Failed(self.link.with_places(|places| {
                    let context = diagnostics::Context {
                        places,
                        index: places.current().unwrap_or_default(),
                        typed: &self.typed,
                        variables: &self.variables,
                    };
                    context.failure(&error)
                }))
            }
            Ok(_) if let Some(how) = &report.interrupted => {
                Outcome::Failed(self.failure_at(|places| failures::stopped(how, &report, places)))
            }
            Ok(_) if interrupted => Outcome::Failed(failures::interrupted(Stopped::Cell, None)),
            Ok(_) if report.panicked => {
                Outcome::Failed(self.failure_at(|places| {
                    failures::panicked(last, report.remark.as_deref(), places)
                }))
            }
            Ok(outputs) => {
                self.show_command_output(outputs);
                match report.question_mark {
                    Some(error) => Outcome::Failed(
                        self.failure_at(|places| failures::returned_early(&error, places)),
                    ),
                    None => Outcome::Finished,
                }
            }
        }
    }

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
