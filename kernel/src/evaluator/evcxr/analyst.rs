//! A process that knows std and all crates, and completes and explains.
//!
//! What rust-analyzer knows takes seconds to learn and hundreds of megabytes to keep. So the process
//! is started when it is first asked something, and ends when it has not been asked for a while. It
//! keeps nothing of the notebook: each question carries what the cells have defined.
//!
//! JupyterLab waits a second for completions. So while the process learns, a name is completed from what
//! is known without it.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::Context as _;
use interleave_protocol::{from_line, to_line};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

use self::leash::Leash;
use super::{EvcxrEvaluator, assist, known_names};
use crate::evaluator::{Completions, Inspection};

pub(super) mod leash;
mod serve;

pub use serve::serve;

/// Environment variable: `early` starts the process that completes and explains with the kernel.
const ANALYSIS_SWITCH_ENV: &str = "INTERLEAVE_ANALYSIS";

/// What the process can be asked; all of it Rust that a cell could be.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Question {
    /// What may stand at `cursor`, a byte offset into `code`?
    Complete { code: String, cursor: usize },
    /// What stands there?
    Inspect { code: String, cursor: usize },
    /// Which variables are there at the end, and what are they?
    Types { code: String },
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Completions(Completions),
    Inspection(Option<Inspection>),
    Types(Result<BTreeMap<String, String>, String>),
}

/// The kernel's end of the process.
#[derive(Debug)]
pub(super) struct Analyst {
    /// How to start it.
    command: Command,
    leash: Leash,
    running: Option<Running>,
}

impl EvcxrEvaluator {
    /// Gets ready for the first question, where that is to happen early.
    pub(super) fn prepare_assistance(&mut self) {
        match &mut self.analyst {
            None => assist::warm_up(&mut self.context),
            Some(analyst)
                if std::env::var_os(ANALYSIS_SWITCH_ENV).is_some_and(|when| when == "early") =>
            {
                analyst.start();
            }
            Some(_) => {}
        }
    }

    /// See [`crate::evaluator::Evaluator::complete`].
    pub(super) fn completions(&mut self, code: &str, cursor: usize) -> Completions {
        let Some(analyst) = &mut self.analyst else {
            return assist::complete(&mut self.context, code, cursor);
        };
        if code.trim().is_empty() {
            return Completions::nothing(cursor);
        }
        let inside = self
            .notebook
            .with(self.learnt.variables(&self.context), code);
        if !analyst.is_ready() {
            let variables = self.learnt.variables(&self.context).map(|(name, _)| name);
            let own = known_names::complete(code, cursor, variables, self.notebook.names());
            if !own.matches.is_empty() {
                analyst.ask_ahead(inside.code.clone(), inside.inside(cursor));
                return own;
            }
        }
        let found = analyst.complete(inside.code.clone(), inside.inside(cursor));
        Completions {
            start: inside.outside(found.start),
            end: inside.outside(found.end),
            ..found
        }
    }

    /// See [`crate::evaluator::Evaluator::inspect`].
    pub(super) fn explanation(&mut self, code: &str, cursor: usize) -> Option<Inspection> {
        let Some(analyst) = &mut self.analyst else {
            return assist::inspect(&mut self.context, code, cursor);
        };
        let inside = self
            .notebook
            .with(self.learnt.variables(&self.context), code);
        analyst.inspect(inside.code.clone(), inside.inside(cursor))
    }
}

#[derive(Debug)]
struct Running {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Whether an answer is on its way for which nobody waits.
    is_ahead: bool,
}

impl Analyst {
    /// One that is started when it is needed.
    pub(super) fn new(mut command: Command, leash: Leash) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self {
            command,
            leash,
            running: None,
        }
    }

    /// Starts the process before it is needed.
    pub(super) fn start(&mut self) {
        match Running::start(&mut self.command, &self.leash) {
            Ok(running) => self.running = Some(running),
            Err(error) => tracing::error!("no analysis: {error:#}"),
        }
    }

    /// Whether the process can answer without reading the libraries first.
    pub(super) fn is_ready(&mut self) -> bool {
        self.running.as_mut().is_some_and(Running::is_ready)
    }

    /// Asks what may be asked again soon, and does not wait. The process is started if need be.
    pub(super) fn ask_ahead(&mut self, code: String, cursor: usize) {
        if self.running.as_mut().is_none_or(Running::has_ended) {
            self.stop();
            self.start();
        }
        if let Some(running) = &mut self.running
            && let Err(error) = running.ask_ahead(&Question::Complete { code, cursor })
        {
            tracing::error!("the analysis does not listen: {error}");
        }
    }

    pub(super) fn complete(&mut self, code: String, cursor: usize) -> Completions {
        match self.ask(&Question::Complete { code, cursor }) {
            Ok(Answer::Completions(completions)) => completions,
            other => {
                self.log_failure(other);
                Completions::nothing(cursor)
            }
        }
    }

    pub(super) fn inspect(&mut self, code: String, cursor: usize) -> Option<Inspection> {
        match self.ask(&Question::Inspect { code, cursor }) {
            Ok(Answer::Inspection(inspection)) => inspection,
            other => {
                self.log_failure(other);
                None
            }
        }
    }

    /// The types of variables, or why there is none.
    pub(super) fn types(&mut self, code: String) -> Result<BTreeMap<String, String>, String> {
        match self.ask(&Question::Types { code }) {
            Ok(Answer::Types(types)) => types,
            other => {
                self.log_failure(other);
                Err("rust-analyzer does not answer: give the variables explicit types".to_owned())
            }
        }
    }

    /// Asks; a process that has ended, as it does when it is not needed, is started again.
    fn ask(&mut self, question: &Question) -> anyhow::Result<Answer> {
        if let Some(running) = &mut self.running
            && let Ok(answer) = running.ask(question)
        {
            return Ok(answer);
        }
        self.stop();
        let mut running = Running::start(&mut self.command, &self.leash)?;
        let answer = running.ask(question)?;
        self.running = Some(running);
        Ok(answer)
    }

    fn log_failure(&self, answer: anyhow::Result<Answer>) {
        match answer {
            Ok(answer) => tracing::error!(?answer, "an answer to another question"),
            Err(_) if self.leash.has_ended() => {}
            Err(error) => tracing::error!("no answer from the analysis: {error:#}"),
        }
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            // An error means that it has ended by itself.
            let _ = running.process.kill();
            let _ = running.process.wait();
        }
    }
}

impl Drop for Analyst {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn start(command: &mut Command, leash: &Leash) -> anyhow::Result<Self> {
        let mut process = command.spawn().context("cannot start this program again")?;
        leash.put_on(&process)?;
        let questions = process.stdin.take().context("no pipe to the process")?;
        let answers = process.stdout.take().context("no pipe from the process")?;
        Ok(Self {
            process,
            questions,
            answers: BufReader::new(answers),
            is_ahead: false,
        })
    }

    fn has_ended(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    fn is_ready(&mut self) -> bool {
        if self.has_ended() {
            return false;
        }
        let mut answers = [PollFd::new(self.answers.get_ref(), PollFlags::IN)];
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        !self.is_ahead || matches!(poll(&mut answers, Some(&now)), Ok(1))
    }

    fn ask_ahead(&mut self, question: &Question) -> io::Result<()> {
        if !self.is_ahead {
            self.questions.write_all(&to_line(question))?;
            self.is_ahead = true;
        }
        Ok(())
    }

    fn ask(&mut self, question: &Question) -> io::Result<Answer> {
        if std::mem::take(&mut self.is_ahead) {
            self.answers.read_until(b'\n', &mut Vec::new())?;
        }
        self.questions.write_all(&to_line(question))?;
        let mut line = Vec::new();
        self.answers.read_until(b'\n', &mut line)?;
        Ok(from_line(&line)?)
    }
}
