//! Carries out the commands that are ours.

use std::collections::BTreeMap;

use interleave_lanes::Picture;
use serde_json::Value;

use super::{
    EvcxrEvaluator,
    commands::{self, Special},
    failures,
    host_link::representations,
    lanes::command as lanes,
    output_command, text_plain,
    threads::{self, join::join, stop::stop},
    why,
};
use crate::evaluator::{Evaluator, Failure, Outcome, Output};

impl EvcxrEvaluator {
    pub(super) fn run_special(&mut self, special: Special<'_>) -> Outcome {
        let result = match special {
            Special::Quit => return Outcome::Quit,
            Special::Explain(name) => self.explain(name),
            Special::Time(request) => {
                let answer = self.timer.answer(request);
                self.show(BTreeMap::from([text_plain(&answer)]));
                Ok(())
            }
            Special::Version => {
                self.show(BTreeMap::from([text_plain(&self.versions)]));
                Ok(())
            }
            Special::Why => self.why(),
            Special::Memory(limit) => return self.memory(limit),
            Special::Help => {
                self.help();
                Ok(())
            }
            Special::Lanes(words) => self.lanes(words),
            Special::Output(choice) => self.choose_output(choice),
            Special::Threads => self.list_threads(),
            Special::LimitThreads(limit) => self.limit_threads(limit),
            Special::Join(names) => self.join(names),
            Special::Stop(names) => self.stop(names),
        };
        match result {
            Ok(()) => Outcome::Finished,
            Err(failure) => Outcome::Failed(failure),
        }
    }

    fn explain(&mut self, name: &str) -> Result<(), Failure> {
        let Some(explanation) = self.inspect(name, name.len()) else {
            let message = format!("nothing is known about `{name}`");
            return Err(failures::plain("error", &message));
        };
        self.link.show(Output::Page(explanation));
        Ok(())
    }

    fn help(&mut self) {
        let theirs = self.context.execute(":help").unwrap_or_default();
        let part = |mime| theirs.get(mime).unwrap_or_default();
        let html = commands::help_html(part("text/html"));
        self.show(BTreeMap::from([
            text_plain(&commands::help_text(part("text/plain"))),
            ("text/html".to_owned(), Value::from(html)),
        ]));
    }

    fn choose_output(&self, choice: &str) -> Result<(), Failure> {
        let words = output_command::choose(choice, &self.link);
        let words = words.map_err(|message| failures::plain("error", &message))?;
        self.show(BTreeMap::from([text_plain(&words)]));
        Ok(())
    }

    fn lanes(&self, words: &str) -> Result<(), Failure> {
        let error = |message: String| failures::plain("error", &message);
        match lanes::Request::parse(words).map_err(error)? {
            lanes::Request::Choose(mode) => {
                self.link.choose_lanes(mode);
                self.show(BTreeMap::from([text_plain(lanes::describe(mode))]));
            }
            lanes::Request::Show(number) => {
                let picture = self.lanes_of(number)?;
                self.show(representations(&picture, picture.to_open_html()));
            }
            lanes::Request::Save(file) => {
                let picture = self.lanes_of(None)?;
                let said = file.write(&picture).map_err(error)?;
                self.show(BTreeMap::from([text_plain(&said)]));
            }
        }
        Ok(())
    }

    fn lanes_of(&self, number: Option<usize>) -> Result<Picture, Failure> {
        let picture = self.link.draw_lanes(number);
        picture.ok_or_else(|| {
            failures::plain("error", &lanes::unknown(number, self.link.lanes_mode()))
        })
    }

    fn why(&self) -> Result<(), Failure> {
        let now = self.link.diagnoses().ok_or_else(failures::no_answer)?;
        let last = self.link.last_diagnosis();
        self.show(why::answer(&now, last.as_ref()));
        Ok(())
    }

    fn list_threads(&self) -> Result<(), Failure> {
        self.show(threads::list(&self.link).ok_or_else(failures::no_answer)?);
        Ok(())
    }

    fn limit_threads(&self, limit: &str) -> Result<(), Failure> {
        let Ok(limit) = limit.parse() else {
            let message = format!("`{limit}` is no number: write `:threads limit 2000`");
            return Err(failures::plain("error", &message));
        };
        // Without a host now, the next one is told.
        let _ = self.link.limit_threads(limit);
        let threads = if limit == 1 { "thread" } else { "threads" };
        let text = format!("{limit} {threads} may live at once.");
        self.show(BTreeMap::from([text_plain(&text)]));
        Ok(())
    }

    fn stop(&self, names: &str) -> Result<(), Failure> {
        self.interrupter.begin();
        let stopped = stop(&self.link, names, |time| {
            self.interrupter.wait_for_interrupt(time)
        });
        self.interrupter.end();
        self.show(stopped?);
        Ok(())
    }

    fn join(&self, names: &str) -> Result<(), Failure> {
        self.interrupter.begin();
        let joined = join(&self.link, names, |time| {
            self.interrupter.wait_for_interrupt(time)
        });
        self.interrupter.end();
        joined
    }
}
