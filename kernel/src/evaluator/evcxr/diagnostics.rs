//! Compiler errors as reports about the cells.
//!
//! evcxr has mapped the main spans of an error into the cell. Those of notes and suggestions, and
//! those in items of earlier cells, are found here by the text of their line.

use evcxr::{CompilationError, Error};
use interleave_compiler::cell::HIDDEN_CODE_MARK;

use super::{
    ended, habits,
    lets::Typed,
    places::Places,
    report::{Remark, Report},
    syntax::bindings::{self, Use},
    variables::Variables,
};
use crate::evaluator::Failure;

mod finder;
mod imports;

pub(super) use finder::Finder;

/// What evcxr puts before the words of a cargo that failed.
const CARGO_FAILED: &str = "Compilation failed, but no parsable errors were found. STDERR:\n";

/// What an error is about.
pub(super) struct Context<'a> {
    pub(super) places: &'a Places,
    /// Names the cell in `places`.
    pub(super) index: usize,
    /// What evcxr was given of it.
    pub(super) typed: &'a Typed,
    pub(super) variables: &'a Variables,
}

impl Context<'_> {
    /// The failure that the student reads.
    pub(super) fn failure(&self, error: &Error) -> Failure {
        match error {
            Error::CompilationErrors(errors) => {
                // evcxr takes a suggestion for an error when only that is in the student's code.
                let is_error = |error: &&CompilationError| error.level() == "error";
                let any_error = errors.iter().any(|error| is_error(&error));
                let mut reports: Vec<Report> = errors
                    .iter()
                    .filter(|error| is_error(error) || !any_error)
                    .map(|error| self.report(error))
                    .collect();
                habits::explain(&mut reports);
                let Some(first) = reports.first() else {
                    return message("the cell has an error");
                };
                Failure {
                    name: first.code.clone().unwrap_or_else(|| "error".to_owned()),
                    value: first_line(&first.message),
                    traceback: draw_all(&reports),
                }
            }
            other => message(&other.to_string()),
        }
    }

    fn report(&self, error: &CompilationError) -> Report {
        let finder = Finder {
            known_lines: known_lines(error),
            ..Finder::new(self.places, self.index)
        };
        let mut marks = finder.marks(&error.json["spans"]);
        if marks.is_empty() {
            marks = finder.marks_of_evcxr(error, self.typed);
        }
        let code = code(error);
        let name = variable(&error.message());
        if let (Some("E0425" | "E0381" | "E0423"), Some(name)) = (code.as_deref(), &name)
            && let Some(used) = marks.iter().find(|mark| mark.primary)
            && let Some(report) = ended::report(name, used, self.variables)
        {
            return report;
        }
        let children = error.json["children"].as_array();
        let mut remarks: Vec<Remark> = children
            .into_iter()
            .flatten()
            .filter_map(|child| finder.remark(child))
            .collect();
        let definition = name.and_then(|name| self.variables.definition(&name));
        if let (Some("E0384" | "E0596"), Some(definition)) = (code.as_deref(), definition) {
            ended::add_definition(&mut marks, &mut remarks, definition);
        }
        if let (Some("E0282" | "E0283"), Some(unknown)) = (code.as_deref(), marks.first())
            && bindings::use_at(&unknown.cell.code, &unknown.span) != Use::InItem
        {
            remarks.insert(0, type_of_later_cell());
        }
        Report {
            is_warning: false,
            code,
            message: self.places.in_words(&without_progress(&error.message())),
            marks,
            remarks,
        }
    }
}

/// In a program a later statement may tell a type that is missing.
fn type_of_later_cell() -> Remark {
    Remark {
        is_help: false,
        message: "a cell is compiled before the cells below it, so they cannot tell a type: \
                  write it here, or use the value in this cell"
            .to_owned(),
        marks: Vec::new(),
        changes: Vec::new(),
    }
}

/// The variables that an error is about.
pub(super) fn variables(error: &Error) -> Vec<String> {
    let Error::CompilationErrors(errors) = error else {
        return Vec::new();
    };
    errors
        .iter()
        .filter_map(|error| variable(&error.message()))
        .collect()
}

/// The code of the first error, as rustc gives it.
pub(super) fn first_code(error: &Error) -> Option<String> {
    let Error::CompilationErrors(errors) = error else {
        return None;
    };
    errors.first().and_then(code)
}

fn draw_all(reports: &[Report]) -> Vec<String> {
    let mut drawings: Vec<String> = Vec::new();
    for report in reports {
        let drawing = report.draw().join("\n");
        // Two names of one `use` can be missing for one reason.
        if !drawings.contains(&drawing) {
            drawings.push(drawing);
        }
    }
    drawings.join("\n\n").lines().map(str::to_owned).collect()
}

/// A failure without a place in a cell.
fn message(text: &str) -> Failure {
    let (name, text) = match text.strip_prefix(CARGO_FAILED) {
        Some(rest) => ("cargo", rest.split("\nSTDOUT:").next().unwrap_or(rest)),
        None => ("error", text),
    };
    let mut message = without_progress(text);
    if message.trim().is_empty() {
        // It was killed: whatever it finds wrong, it says.
        message = "the compiler was ended from outside. Nothing is lost.".to_owned();
    }
    let report = Report {
        message,
        ..Report::default()
    };
    Failure {
        name: name.to_owned(),
        value: first_line(&report.message),
        traceback: report.draw(),
    }
}

/// Cargo's words without its progress (`    Updating crates.io index`) and its own `error: `.
fn without_progress(text: &str) -> String {
    let is_progress = |line: &&str| {
        [
            "Updating ",
            "Locking ",
            "Downloading ",
            "Downloaded ",
            "Compiling ",
        ]
        .iter()
        .any(|verb| line.trim_start().starts_with(verb))
    };
    let lines: Vec<&str> = text.lines().filter(|line| !is_progress(line)).collect();
    let text = lines.join("\n");
    let text = text.trim();
    text.strip_prefix("error: ").unwrap_or(text).to_owned()
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn code(error: &CompilationError) -> Option<String> {
    error
        .code()
        .map(|code| code.trim_end_matches(HIDDEN_CODE_MARK).to_owned())
}

/// The name in words such as: cannot find value `name` in this scope.
fn variable(message: &str) -> Option<String> {
    let mut parts = message.split('`');
    parts.nth(1).map(str::to_owned)
}

/// Lines of the cell that evcxr has mapped.
fn known_lines(error: &CompilationError) -> Vec<usize> {
    let messages = error.spanned_messages().iter().chain(error.help_spanned());
    messages
        .filter_map(|message| message.span.as_ref().map(|span| span.start_line))
        .collect()
}

#[cfg(test)]
mod tests;
