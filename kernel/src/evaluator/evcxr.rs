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
    analysis::PRELUDE,
    analyst::Analyst,
    commands::Special,
    host_link::HostLink,
    interrupt::Interrupter,
    lets::Typed,
    notebook::Notebook,
    places::{Places, Source},
    statics::KnownStatics,
};
use super::{
    Cell, Completions, Controls, Evaluator, Factory, Failure, Inspection, Outcome, Output,
    OutputSink,
};

mod analysis;
mod analyst;
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
mod reader;
mod report;
mod statics;
mod syntax;
mod text;
mod threads;
mod types;
mod workspace;

pub use analyst::serve as serve_analysis;
pub use workspace::Workspace;

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
    let interrupter = Interrupter::new(link.clone());
    let controls = Controls {
        interrupt: Arc::new(interrupter.clone()),
        is_complete: syntax::completeness,
    };
    let factory = move || {
        let evaluator = EvcxrEvaluator::new(&installation, workspace, &link, &interrupter)?;
        Ok(Box::new(evaluator) as Box<dyn Evaluator>)
    };
    Ok((controls, Box::new(factory)))
}

/// Environment variable: `early` starts the process that completes and explains with the kernel.
const ANALYSIS_SWITCH_ENV: &str = "INTERLEAVE_ANALYSIS";

struct EvcxrEvaluator {
    context: CommandContext,
    link: HostLink,
    interrupter: Interrupter,
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
    ) -> Result<Self> {
        check_toolchain(installation)?;
        let dependencies = Dependencies::of_template(&installation.template())?;
        let host = workspace.host_command(installation, dependencies.prelude()?);
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
            compile_directory: workspace.compile_directory(),
            versions: versions(&toolchain.version),
            next_id: 1,
            analyst: (Role::of_environment() == Role::Cells)
                .then(|| Analyst::new(workspace.analysis_command(installation))),
            notebook: Notebook::default(),
            typed: Typed::default(),
        })
    }

    fn run(&mut self, code: &str) -> Result<EvalOutputs, Error> {
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
        let mut result = self.run(&code);
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
        match &mut self.analyst {
            None => analysis::warm_up(&mut self.context),
            Some(analyst)
                if std::env::var_os(ANALYSIS_SWITCH_ENV).is_some_and(|when| when == "early") =>
            {
                analyst.start();
            }
            Some(_) => {}
        }
    }

    fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        let Some(analyst) = &mut self.analyst else {
            return analysis::complete(&mut self.context, code, cursor);
        };
        if code.trim().is_empty() {
            return Completions {
                start: cursor,
                end: cursor,
                ..Completions::default()
            };
        }
        let inside = self.notebook.with(self.context.variables_and_types(), code);
        let found = analyst.complete(inside.code.clone(), inside.inside(cursor));
        Completions {
            start: inside.outside(found.start),
            end: inside.outside(found.end),
            ..found
        }
    }

    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Inspection> {
        let Some(analyst) = &mut self.analyst else {
            return analysis::inspect(&mut self.context, code, cursor);
        };
        let inside = self.notebook.with(self.context.variables_and_types(), code);
        analyst.inspect(inside.code.clone(), inside.inside(cursor))
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

fn versions(rustc: &str) -> String {
    let rustc = rustc.lines().next().unwrap_or(rustc);
    format!(
        "interleave {}\nevcxr 0.22.0\n{rustc}",
        env!("CARGO_PKG_VERSION")
    )
}

/// A crate that another compiler made cannot be linked; say so before rustc does.
fn check_toolchain(installation: &Installation) -> Result<()> {
    let expected = Installation::toolchain(&installation.home)?;
    let output = std::process::Command::new(&installation.rustc)
        .arg("-vV")
        .output()
        .with_context(|| {
            format!(
                "cannot run {}: the Rust toolchain that Interleave was installed with is gone; \
                 run install.sh again",
                installation.rustc.display()
            )
        })?;
    let found = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(
        found == expected.version,
        "the Rust toolchain has changed since Interleave was installed: run install.sh again"
    );
    Ok(())
}
