//! Carries out the commands that are ours.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    EvcxrEvaluator,
    commands::{self, Special},
    failures, output_command, text_plain, threads,
};
use crate::evaluator::{Evaluator, Outcome, Output};

impl EvcxrEvaluator {
    pub(super) fn run_special(&mut self, special: Special<'_>) -> Outcome {
        match special {
            Special::Explain(name) => match self.inspect(name, name.len()) {
                Some(explanation) => self.link.show(Output::Page(explanation)),
                None => {
                    let message = format!("nothing is known about `{name}`");
                    return Outcome::Failed(failures::plain("error", &message));
                }
            },
            Special::Quit => return Outcome::Quit,
            Special::Output(choice) => match output_command::choose(choice, &self.link) {
                Ok(words) => self.show(BTreeMap::from([text_plain(&words)])),
                Err(message) => return Outcome::Failed(failures::plain("error", &message)),
            },
            Special::Threads => match threads::list(&self.link) {
                Some(data) => self.show(data),
                None => return Outcome::Failed(failures::no_answer()),
            },
            Special::Time(request) => {
                let answer = self.timer.answer(request);
                self.show(BTreeMap::from([text_plain(&answer)]));
            }
            Special::Memory(limit) => return self.memory(limit),
            Special::Version => self.show(BTreeMap::from([text_plain(&self.versions)])),
            Special::Help => {
                let theirs = self.context.execute(":help").unwrap_or_default();
                let part = |mime| theirs.get(mime).unwrap_or_default();
                let html = commands::help_html(part("text/html"));
                self.show(BTreeMap::from([
                    text_plain(&commands::help_text(part("text/plain"))),
                    ("text/html".to_owned(), Value::from(html)),
                ]));
            }
        }
        Outcome::Finished
    }
}
