//! Compiles one cell by calling rustc directly.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use interleave_protocol::{CellFacts, types::Found};
use serde_json::Value;

use crate::{
    attempt,
    call::{Answered, Caller},
    crash,
    dependencies::Dependencies,
    files, forkserver,
    installation::Installation,
    keeping,
    learning::{self, Learning},
    limits,
    notes::Notes,
    order::{self, Ordered},
    prelude,
    request::Emit,
    rewrite, runtime, shown,
    statics::{self, Known, definitions},
};

mod options;

/// evcxr 0.22 (`module.rs`) reads the path of the shared object from the file that this names.
pub const OBJECT_PATH_ENV: &str = "EVCXR_EXECUTION_SO_PATH";

/// What rustc makes, in the directory of the cell.
const OBJECT: &str = "out/libctx.so";

/// Put behind the code of an error that evcxr would act on, so that it does not.
pub const HIDDEN_CODE_MARK: char = '!';

/// What a call of rustc is for.
pub(crate) enum Purpose<'a> {
    /// What evcxr has asked for.
    Object,
    /// That, and the types of variables. The object is of no use when a line was said that is enough.
    Types(&'a dyn Fn(&[u8]) -> bool),
    /// Only what rustc says.
    Words,
}

/// Compiles the cell whose source evcxr wrote to `src/lib.rs` in `directory`. Diagnostics go to
/// standard output, one JSON object a line, as evcxr reads them.
///
/// # Errors
///
/// When rustc cannot be run or the disk fails; an error in the cell is an exit code.
pub fn compile(
    installation: &Installation,
    dependencies: &Dependencies,
    directory: &Path,
    emit: Emit,
) -> Result<ExitCode> {
    if emit == Emit::SharedObject && prelude::has_changed(dependencies.prelude()?)? {
        println!("{}", prelude::error());
        return Ok(ExitCode::FAILURE);
    }
    let facts = read_facts(directory)?;
    limits::memory(facts.memory_limit);
    fs::create_dir_all(directory.join("out"))?;
    let caller = Caller {
        installation,
        dependencies,
        directory,
    };
    let rustc = |source: &str, purpose: Purpose<'_>| -> Result<Run> {
        let mut rustc = caller.rustc(source);
        let makes_object = emit == Emit::SharedObject && !matches!(purpose, Purpose::Words);
        let mut arguments = options::code_generation(directory, dependencies, &facts, emit)?;
        if makes_object {
            rustc.args(forkserver::linker_arguments(installation));
        } else {
            options::without_object(&mut arguments);
        }
        rustc.args(arguments);
        let made = makes_object.then_some(OBJECT);
        let keeps =
            |answered: &Answered| answered.success || keeping::is_about_borrows(&answered.said);
        let answered = match purpose {
            Purpose::Types(enough) => {
                Learning::ask(&mut rustc);
                limits::within(learning::MOST_SECONDS, || {
                    caller.call(rustc, source, made, enough, keeps)
                })
            }
            Purpose::Object | Purpose::Words => caller.call(rustc, source, made, &|_| false, keeps),
        };
        Ok(Run::of(answered?))
    };
    match emit {
        Emit::Check => check(directory, rustc),
        Emit::SharedObject => build(dependencies, directory, rustc),
    }
}

/// Only looks for errors. evcxr does so before it says that it does not know a variable's type.
fn check(directory: &Path, rustc: impl Fn(&str, Purpose<'_>) -> Result<Run>) -> Result<ExitCode> {
    let facts = read_facts(directory)?;
    let generated = learning::with_types(&read_generated(directory)?, &facts);
    let path = source_path(directory, &facts)?;
    fs::write(path, rewrite::without_marks(&generated))?;
    let run = rustc(&facts.source(), Purpose::Object)?;
    let exit_code = run.exit_code();
    print(&keeping::about_the_cell(run.diagnostics))?;
    Ok(exit_code)
}

fn build(
    dependencies: &Dependencies,
    directory: &Path,
    rustc: impl Fn(&str, Purpose<'_>) -> Result<Run>,
) -> Result<ExitCode> {
    let facts = read_facts(directory)?;
    let Rewritten {
        path,
        source,
        ordered,
        statics,
    } = rewrite_cell(dependencies, directory, &facts)?;
    let as_generated = |source: &str| match &ordered {
        Some(ordered) => ordered.restored(source),
        None => source.to_owned(),
    };
    let forgotten = keeping::forget(&as_generated(&source), &facts.unkept);
    if !forgotten.is_empty() {
        print(&forgotten)?;
        return Ok(ExitCode::FAILURE);
    }
    let mut notes = Notes::read(directory, &facts);
    let learning = Learning::of(&source, &facts, notes.learnt());
    // evcxr compiles a cell with errors once more.
    if learning.is_some() && notes.are_refused() {
        return refuse(&mut notes);
    }
    let level = options::level(directory, &facts)?;
    loop {
        let source = keeping::with_early_drops(&source, notes.early_drops());
        let mut run =
            attempt::with_checkpoints(&path, &facts.source(), &source, &facts, &level, || {
                let rustc = |purpose: Purpose<'_>| rustc(&facts.source(), purpose);
                match &learning {
                    Some(learning) => learning.compile(&path, rustc),
                    None => rustc(Purpose::Object),
                }
            })?;
        if let Some(learning) = learning.as_ref().filter(|learning| learning.is_refused()) {
            if let Some(found) = learning.found() {
                files::replace(&directory.join(Found::FILE), serde_json::to_vec(&found)?)?;
            }
            return refuse(&mut notes);
        }
        notes.learn(learning.as_ref().map(Learning::answer));
        let generated = as_generated(&source);
        if let Some(ordered) = &ordered {
            let diagnostics = run.diagnostics.into_iter();
            let back = |line| ordered.back(&source, &generated, &facts.source(), line);
            run.diagnostics = diagnostics.map(back).collect();
        }
        if run.success {
            notes.finish(&run.diagnostics)?;
            break;
        }
        let judgement = keeping::judge(&run.diagnostics, &generated);
        if notes.take(&judgement)? {
            continue;
        }
        let errors = judgement.forwarded.into_iter();
        let errors = errors.map(|line| shown::without_notes(line, &generated));
        print(&Vec::from_iter(errors))?;
        return Ok(run.exit_code());
    }
    files::replace(&directory.join(Known::FILE), serde_json::to_vec(&statics)?)?;
    if let Some(file) = std::env::var_os(OBJECT_PATH_ENV) {
        let object = directory.join(OBJECT);
        fs::write(file, object.as_os_str().as_encoded_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn refuse(notes: &mut Notes) -> Result<ExitCode> {
    notes.refuse()?;
    println!("{}", learning::refusal());
    Ok(ExitCode::FAILURE)
}

fn read_facts(directory: &Path) -> Result<CellFacts> {
    Ok(match fs::read(directory.join(CellFacts::FILE)) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => CellFacts::default(),
    })
}

/// Where rustc finds the cell.
fn source_path(directory: &Path, facts: &CellFacts) -> Result<PathBuf> {
    let path = directory.join(facts.source());
    fs::create_dir_all(path.parent().unwrap_or(directory))?;
    Ok(path)
}

fn read_generated(directory: &Path) -> Result<String> {
    fs::read_to_string(directory.join("src/lib.rs"))
        .context("cannot read the source that evcxr wrote")
}

struct Rewritten {
    path: PathBuf,
    source: String,
    /// In which order its lines are, if not in that of evcxr.
    ordered: Option<Ordered>,
    /// What is known of statics once the cell is loaded.
    statics: Known,
}

fn rewrite_cell(
    dependencies: &Dependencies,
    directory: &Path,
    facts: &CellFacts,
) -> Result<Rewritten> {
    let generated = read_generated(directory)?;
    let mut statics = match fs::read(directory.join(Known::FILE)) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => Known::default(),
    };
    let made = learning::numbers(&generated, facts);
    let generated = rewrite::without_marks(&learning::with_types(&generated, facts));
    let ordered = order::ordered(&generated);
    let generated = ordered
        .as_ref()
        .map_or(&generated, |ordered| &ordered.source);
    let rewritten = rewrite::rewrite(generated, facts);
    let rewritten = runtime::enter_if_named(rewritten, &dependencies.users_of_tokio);
    let rewritten = definitions::watch(&rewritten, &made);
    Ok(Rewritten {
        path: source_path(directory, facts)?,
        source: statics::share(&rewritten, facts, &mut statics),
        ordered,
        statics,
    })
}

/// What rustc answered.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) success: bool,
    /// One JSON object each.
    pub(crate) diagnostics: Vec<String>,
    /// Whether it was ended, so that to try again is useless.
    pub(crate) crashed: bool,
}

impl Run {
    fn of(answered: Answered) -> Self {
        let said = String::from_utf8_lossy(&answered.said);
        let crash = answered
            .status
            .and_then(|status| crash::diagnostic(status, &said));
        let crash = crash.map(|crash| crash.to_string());
        Self {
            success: answered.success,
            crashed: crash.is_some(),
            diagnostics: said.lines().map(str::to_owned).chain(crash).collect(),
        }
    }

    fn exit_code(&self) -> ExitCode {
        if self.success {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// Gives diagnostics to evcxr.
fn print(diagnostics: &[String]) -> Result<()> {
    let mut output = std::io::stdout().lock();
    for line in diagnostics {
        writeln!(output, "{}", hide_from_evcxr(line.clone()))?;
    }
    Ok(())
}

/// Marks the codes of errors that evcxr would try to mend by itself (`attempt_to_fix_error` in
/// `eval_context.rs`), so that it does not.
///
/// On E0728 it would make this and every later cell asynchronous, and add a tokio of its own from
/// the network; on E0277 it would compile the cell once more, wrapped for `?`. Here
/// [`rewrite`] has done both already, for the cells that need it and for no others, so these
/// errors are the student's. The kernel takes the mark off again.
fn hide_from_evcxr(line: String) -> String {
    let Ok(mut diagnostic) = serde_json::from_str::<Value>(&line) else {
        return line;
    };
    let code = &mut diagnostic["code"]["code"];
    match code.as_str() {
        Some(text @ ("E0728" | "E0277")) => *code = format!("{text}{HIDDEN_CODE_MARK}").into(),
        _ => return line,
    }
    diagnostic.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_errors_that_evcxr_would_mend_are_marked() {
        let error = |code: &str| format!(r#"{{"code":{{"code":"{code}"}},"message":"m"}}"#);
        assert!(hide_from_evcxr(error("E0728")).contains("E0728!"));
        assert!(hide_from_evcxr(error("E0277")).contains("E0277!"));
        assert_eq!(hide_from_evcxr(error("E0382")), error("E0382"));
        assert_eq!(hide_from_evcxr("no json".into()), "no json");
    }
}
