//! The real evaluator: the crate evcxr, with the tools around it replaced by ours.
//!
//! evcxr parses a cell, infers the types of its variables, generates source and reads errors. What
//! it takes for cargo is `interleave-compiler`, and what it takes for its own runtime is
//! `interleave-host`; see ARCHITECTURE.md.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, PoisonError},
};

use anyhow::{Context, Result};
use evcxr::{CommandContext, Error, EvalContext, EvalOutputs};
use interleave_compiler::{dependencies::Dependencies, installation::Installation, role::Role};
use interleave_protocol::{CellFacts, Display, DisplayRole};
use serde_json::Value;

use self::{
    analyst::Analyst,
    commands::Special,
    host_link::HostLink,
    interrupt::Interrupter,
    lets::Typed,
    notebook::Notebook,
    places::{Places, Source},
    progress::Progress,
    statics::KnownStatics,
};
use super::{
    Cell, Completions, Controls, Evaluator, Factory, Failure, Inspection, Outcome, Output,
    OutputSink,
};

mod analyst;
mod assist;
mod commands;
mod diagnostics;
mod ending;
mod failures;
mod host;
mod host_link;
mod interrupt;
mod late_statics;
mod lets;
mod limit;
mod lineage;
mod names;
mod notebook;
mod output_command;
mod outputs;
mod places;
mod processes;
mod progress;
mod reader;
mod report;
mod statics;
mod syntax;
mod text;
mod threads;
mod toolchain;
mod types;
mod workspace;

pub use analyst::serve as serve_analysis;
pub use workspace::Workspace;

/// A cell that runs and does nothing.
const NO_OPERATION: &str = "();";

/// What every cell sees, as evcxr's first cell.
const PRELUDE: &str = "use interleave::prelude::*; use interleave::print;";

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
    let interrupter = Interrupter::new(link.clone());
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
    compile_directory: PathBuf,
    statics: KnownStatics,
    versions: String,
    next_id: u64,
    /// Who knows std; `None` when the rust-analyzer of this process does.
    analyst: Option<Analyst>,
    notebook: Notebook,
    /// The cell as evcxr was given it.
    typed: Typed,
}

impl EvcxrEvaluator {
    fn new(
        installation: &Installation,
        workspace: &Workspace,
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
            compile_directory: workspace.compile_directory(),
            versions: toolchain::versions(&toolchain.version),
            next_id: 1,
            analyst: (Role::of_environment() == Role::Cells)
                .then(|| Analyst::new(workspace.analysis_command(installation))),
            notebook: Notebook::default(),
            typed: Typed::default(),
        })
    }

    /// Runs a cell, in a new process if it brings another build of the prelude.
    fn run(&mut self, code: &str) -> Result<EvalOutputs, Error> {
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
    fn replace_host(&mut self) -> Result<(), Error> {
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

    fn show(&self, data: BTreeMap<String, Value>) {
        let role = DisplayRole::Result;
        self.link.show(Output::Display(Display {
            role,
            data,
            ..Display::default()
        }));
    }

    fn failure_at(&self, describe: impl FnOnce(&Places) -> Failure) -> Failure {
        self.link.with_places(describe)
    }

    fn run_special(&mut self, special: Special<'_>) -> Outcome {
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

impl Evaluator for EvcxrEvaluator {
    fn execute(&mut self, cell: &Cell, output: &OutputSink) -> Outcome {
        let code = syntax::as_rust(&cell.code);
        let source = Source {
            id: self.next_id,
            number: cell.number,
            code: code.clone().into_owned(),
        };
        self.link.begin_cell(source, output.clone());
        if let Some(special) = commands::special(&cell.code) {
            return self.run_special(special);
        }
        if let Some(statement) = syntax::dropped_statement(&code) {
            return Outcome::Failed(self.failure_at(|places| failures::dropped(statement, places)));
        }
        self.statics.remember();
        self.interrupter.begin();
        self.progress.begin(self.next_id);
        let mut result = match commands::without_restart(&code) {
            Some(rest) => self.replace_host().and_then(|()| self.run(&rest)),
            None => self.run(&code),
        };
        self.progress.end();
        if let Ok(outputs) = &mut result {
            self.notebook.add(&code);
            if commands::shows_types(&code) {
                for text in outputs.content_by_mime_type.values_mut() {
                    *text = names::short(text);
                }
            }
        }
        let interrupted = self.interrupter.end();
        self.next_id += 1;
        let outcome = self.outcome(result, interrupted);
        if commands::clears_everything(&cell.code) {
            // Evaluated as the first cell was: an error would be one of the installation.
            if let Err(error) = self.context.execute(PRELUDE) {
                tracing::error!(%error, "the prelude cannot be loaded again");
            }
        }
        outcome
    }

    fn warm_up(&mut self) {
        self.prepare_assistance();
    }

    fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        self.completions(code, cursor)
    }

    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Inspection> {
        self.explanation(code, cursor)
    }
}

fn is_about_question_mark(result: &Result<EvalOutputs, Error>) -> bool {
    result
        .as_ref()
        .is_err_and(|error| error.to_string().contains("the `?` operator"))
}

fn text_plain(text: &str) -> (String, Value) {
    ("text/plain".to_owned(), Value::from(text))
}
