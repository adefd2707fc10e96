//! The real evaluator: the crate evcxr, with the tools around it replaced by ours.
//!
//! evcxr parses a cell, infers the types of its variables, generates source and reads errors. What
//! it takes for cargo is `interleave-compiler`, and what it takes for its own runtime is
//! `interleave-host`; see ARCHITECTURE.md.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Instant};

use anyhow::{Context, Result};
use evcxr::{CommandContext, Error, EvalContext, EvalOutputs};
use interleave_compiler::{dependencies::Dependencies, installation::Installation, role::Role};
use interleave_protocol::{Display, DisplayRole};
use serde_json::Value;

use self::{
    analyst::{Analyst, leash::Leash},
    host_link::HostLink,
    interrupt::Interrupter,
    learnt::LearntTypes,
    lets::Typed,
    notebook::Notebook,
    options::Options,
    places::{Places, Source},
    progress::Progress,
    statics::KnownStatics,
    timing::{Timer, Times},
    variables::Variables,
};
use super::{
    Cell, Completions, Controls, Evaluator, Factory, Failure, Inspection, Outcome, Output,
    OutputSink,
};

mod analyst;
mod assist;
mod awaited;
mod commands;
mod diagnostics;
mod ended;
mod ending;
mod failures;
mod habits;
mod host;
mod host_link;
mod interrupt;
mod known_names;
mod lanes;
mod last_words;
mod late_statics;
mod learnt;
mod lets;
mod limit;
mod lineage;
mod memory;
mod names;
mod notebook;
mod options;
mod output_command;
mod outputs;
mod panics;
mod places;
mod processes;
mod progress;
mod reader;
mod replacement;
mod report;
mod running;
mod running_code;
mod segments;
mod special;
mod statics;
mod syntax;
mod text;
mod threads;
mod timing;
mod toolchain;
mod types;
mod unnamed;
mod variables;
mod warnings;
mod why;
mod workspace;

pub use analyst::serve as serve_analysis;
pub use workspace::Workspace;

/// What every cell sees, as evcxr's first cell.
const PRELUDE: &str = "use interleave::prelude::*; use interleave::{dbg, print};";

/// What is needed to make evaluators: everything that is known before the first one is ready.
///
/// # Errors
///
/// When the installation is damaged, or the workspace cannot be used.
pub fn start(
    installation: Installation,
    workspace: &'static Workspace,
) -> Result<(Controls, Factory)> {
    let link = HostLink::listen(&workspace.socket())?;
    let progress = Progress::listen(&workspace.progress_socket(), link.clone())?;
    let interrupter = Interrupter::new(link.clone(), Leash::default());
    let controls = Controls {
        interrupt: Arc::new(interrupter.clone()),
        is_complete: syntax::completeness,
    };
    let factory = move || {
        let progress = progress.clone();
        let evaluator =
            EvcxrEvaluator::new(&installation, workspace, &link, &interrupter, progress)?;
        Ok(Box::new(evaluator) as Box<dyn Evaluator>)
    };
    Ok((controls, Box::new(factory)))
}

struct EvcxrEvaluator {
    context: CommandContext,
    link: HostLink,
    interrupter: Interrupter,
    progress: Progress,
    workspace: &'static Workspace,
    statics: KnownStatics,
    versions: String,
    next_id: u64,
    /// Of the cell that runs, if it chose one.
    opt_level: Option<String>,
    timer: Timer,
    /// Who knows std; `None` when the rust-analyzer of this process does.
    analyst: Option<Analyst>,
    notebook: Notebook,
    /// The cell as evcxr was given it.
    typed: Typed,
    learnt: LearntTypes,
    variables: Variables,
}

impl EvcxrEvaluator {
    fn new(
        installation: &Installation,
        workspace: &'static Workspace,
        link: &HostLink,
        interrupter: &Interrupter,
        progress: Progress,
    ) -> Result<Self> {
        toolchain::check(installation)?;
        let dependencies = Dependencies::of_template(&installation.template())?;
        let prelude = workspace.link_prelude(dependencies.prelude()?)?;
        let host = workspace.host_command(installation, &prelude);
        // The channels are for output that evcxr finds among its control lines: there is none.
        let (context, _) = EvalContext::with_subprocess_command(host)
            .map_err(|error| anyhow::anyhow!("{error}"))
            .context("evcxr does not start")?;
        let mut context = CommandContext::with_eval_context(context);
        link.lineage().watch(context.process_handle());
        context
            .execute(PRELUDE)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let toolchain = Installation::toolchain(&installation.home)?;
        Ok(Self {
            context,
            link: link.clone(),
            interrupter: interrupter.clone(),
            statics: KnownStatics::in_directory(&workspace.compile_directory()),
            progress,
            workspace,
            versions: toolchain::versions(&toolchain.version),
            next_id: 1,
            opt_level: None,
            timer: Timer::default(),
            analyst: (Role::of_environment() == Role::Cells)
                .then(|| workspace.analysis_command(installation))
                .map(|command| Analyst::new(command, interrupter.leash().clone())),
            notebook: Notebook::default(),
            typed: Typed::default(),
            learnt: LearntTypes::default(),
            variables: Variables::default(),
        })
    }

    fn show(&self, data: BTreeMap<String, Value>) {
        let role = DisplayRole::Result;
        self.link.show(Output::Display(Display {
            role,
            data,
            ..Display::default()
        }));
    }

    /// Shows a text that is not the cell's own.
    fn show_beside(&self, text: &str) {
        self.link.show(Output::Display(Display {
            data: BTreeMap::from([text_plain(text)]),
            ..Display::default()
        }));
    }

    fn memory(&self, limit: Option<&str>) -> Outcome {
        let lineage = self.link.lineage();
        match limit.map(str::parse) {
            Some(Ok(limit)) => lineage.limit_memory(limit),
            Some(Err(reason)) => return Outcome::Failed(failures::plain("error", &reason)),
            None => {}
        }
        let text = format!("limit: {}", lineage.memory_limit());
        self.show(BTreeMap::from([text_plain(&text)]));
        Outcome::Finished
    }

    /// Why evcxr should not be given a cell.
    fn refused(&self, code: &str) -> Option<Failure> {
        if let Some(found) = syntax::nesting::too_deep(code) {
            return Some(failures::plain("error", &found.message()));
        }
        let (at, message) = syntax::dropped_statement(code)?;
        Some(self.failure_at(|places| failures::dropped(at, message, places)))
    }

    /// Runs a cell that nothing speaks against, and remembers what it defines.
    fn run_timed(&mut self, code: &str) -> (Times, Outcome) {
        let start = Instant::now();
        self.interrupter.begin();
        self.progress.begin(self.next_id);
        let mut attempt = self.run(code);
        self.progress.end();
        if let Ok(outputs) = &mut attempt.result {
            self.notebook.add(code);
            if commands::shows_types(code) {
                for text in outputs.content_by_mime_type.values_mut() {
                    *text = names::short(&self.learnt.in_text(text));
                }
            }
        }
        let interrupted = self.interrupter.end();
        self.next_id += 1;
        let result = std::mem::replace(&mut attempt.result, Ok(EvalOutputs::new()));
        let replaced = matches!(result, Err(Error::SubprocessTerminated(_)));
        let ran = result.is_ok();
        let report = self.link.drain(interrupted);
        let times = Times {
            whole: start.elapsed(),
            run: report.times,
        };
        let outcome = self.outcome(result, interrupted, report);
        if replaced {
            self.variables.clear();
        } else if ran {
            let finished = matches!(outcome, Outcome::Finished);
            self.remember(&attempt, finished);
        }
        (times, outcome)
    }

    /// Whether a variable or an item of the notebook has this name.
    fn is_defined(&self, name: &str) -> bool {
        let mut variables = self.context.variables_and_types();
        variables.any(|(variable, _)| variable == name)
            || self.notebook.names().any(|item| item == name)
    }

    fn failure_at(&self, describe: impl FnOnce(&Places) -> Failure) -> Failure {
        self.link.with_places(describe)
    }
}

impl Evaluator for EvcxrEvaluator {
    fn execute(&mut self, cell: &Cell, output: &OutputSink) -> Outcome {
        let options = Options::read(&cell.code);
        let code = match commands::runs_program(&options.code, |name| self.is_defined(name)) {
            true => Cow::Borrowed(options.code.as_str()),
            false => syntax::as_rust(&options.code),
        };
        let source = Source {
            id: self.next_id,
            number: cell.number,
            code: code.clone().into_owned(),
        };
        self.link
            .begin_cell(source, output.clone(), &self.workspace.compile_directory());
        if let Some(special) = commands::special(&cell.code) {
            self.interrupter.end();
            return self.run_special(special);
        }
        if let Some(failure) = self.refused(&code) {
            self.interrupter.end();
            return Outcome::Failed(failure);
        }
        if let Some(failure) = self.host_has_ended(&code) {
            return Outcome::Failed(failure);
        }
        self.statics.remember();
        if let Some(message) = options.opt_level.as_deref().and_then(options::wrong_level) {
            return Outcome::Failed(failures::plain("error", &message));
        }
        self.opt_level = options.opt_level;
        self.link.want_lanes(options.lanes);
        let (times, outcome) = self.run_timed(&code);
        if let Some(times) = self.timer.note(times, options.time) {
            self.show_beside(&times);
        }
        if commands::clears_everything(&cell.code) {
            self.load_prelude_again(self.next_id - 1);
        }
        outcome
    }

    fn warm_up(&mut self) {
        self.prepare_assistance();
    }

    fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        match syntax::nesting::too_deep(code) {
            Some(_) => Completions::nothing(cursor),
            None => self.completions(code, cursor),
        }
    }

    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Inspection> {
        match syntax::nesting::too_deep(code) {
            Some(_) => None,
            None => self.explanation(code, cursor),
        }
    }
}

fn text_plain(text: &str) -> (String, Value) {
    ("text/plain".to_owned(), Value::from(text))
}
