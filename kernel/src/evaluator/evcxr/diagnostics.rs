//! Compiler errors as reports about the cells.
//!
//! evcxr has mapped the main spans of an error into the cell. Those of notes and suggestions, and
//! those in items of earlier cells, are found here by the text of their line.

use std::ops::Range;

use evcxr::{CompilationError, Error};
use interleave_compiler::cell::HIDDEN_CODE_MARK;
use serde_json::Value;

use super::{
    ended,
    lets::Typed,
    places::{Place, Places},
    report::{CellText, Mark, Remark, Report, byte_offset},
    syntax::bindings::{self, Use},
    variables::Variables,
};
use crate::evaluator::Failure;

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
                let reports: Vec<Report> = errors
                    .iter()
                    .filter(|error| is_error(error) || !any_error)
                    .map(|error| self.report(error))
                    .collect();
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
            places: self.places,
            index: self.index,
            known_lines: known_lines(error),
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

/// Finds the places of rustc's spans in cells.
pub(super) struct Finder<'a> {
    places: &'a Places,
    index: usize,
    known_lines: Vec<usize>,
}

impl<'a> Finder<'a> {
    /// For the cell with this index.
    pub(super) fn new(places: &'a Places, index: usize) -> Self {
        Self {
            places,
            index,
            known_lines: Vec::new(),
        }
    }

    /// The advice that changes nothing but lines of cells.
    pub(super) fn changes(&self, children: &Value) -> Vec<Remark> {
        let children = children.as_array().into_iter().flatten();
        let remarks = children.filter_map(|child| {
            let wanted = child["spans"].as_array()?.len();
            let remark = self.remark(child)?;
            (wanted > 0 && remark.changes.len() == wanted).then_some(remark)
        });
        remarks.collect()
    }

    pub(super) fn marks(&self, spans: &Value) -> Vec<Mark> {
        spans
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|span| self.mark(span))
            .collect()
    }

    /// For errors that evcxr made itself, which have no JSON.
    fn marks_of_evcxr(&self, error: &CompilationError, typed: &Typed) -> Vec<Mark> {
        let Some(cell) = self.cell_text(self.index) else {
            return Vec::new();
        };
        let marks = error.spanned_messages().iter().filter_map(|message| {
            let span = message.span.as_ref()?;
            let byte = |line, column| typed.original(byte_offset(&typed.code, line, column));
            let start = byte(span.start_line, span.start_column).start;
            let end = byte(span.end_line, span.end_column).end;
            let label = message.label.clone();
            Some(Mark {
                cell: cell.clone(),
                span: start..end.max(start),
                label,
                primary: true,
            })
        });
        marks.collect()
    }

    fn mark(&self, span: &Value) -> Option<Mark> {
        let (cell, bytes) = self.bytes(span)?;
        let label = span["label"].as_str().unwrap_or_default();
        Some(Mark {
            cell,
            span: bytes,
            label: self.places.in_words(label),
            primary: span["is_primary"] == true,
        })
    }

    /// A note or help. Those of which nothing is in a cell keep their words.
    fn remark(&self, child: &Value) -> Option<Remark> {
        let is_help = match child["level"].as_str()? {
            "help" => true,
            "note" => false,
            _ => return None,
        };
        let spans = child["spans"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if spans.iter().any(changes_library_macro) {
            return None;
        }
        let changes = spans.iter().filter_map(|span| {
            let replacement = span["suggested_replacement"].as_str()?;
            let (cell, bytes) = self.bytes(span)?;
            Some((cell, bytes, replacement.to_owned()))
        });
        let changes: Vec<_> = changes.collect();
        let mut message = imports::with_dep(self.places.in_words(child["message"].as_str()?));
        if changes.is_empty() {
            // What to add elsewhere than in the cell, such as an import at the top of the source.
            let additions = spans
                .iter()
                .filter_map(|span| span["suggested_replacement"].as_str());
            for addition in additions {
                message.push_str(&format!("\n    {}", addition.trim()));
            }
        }
        Some(Remark {
            is_help,
            message,
            changes,
            marks: self.marks(&child["spans"]),
        })
    }

    /// The bytes of a cell that a span covers. Of a span that begins or ends in generated code, the
    /// lines that are in the cell.
    fn bytes(&self, span: &Value) -> Option<(CellText, Range<usize>)> {
        let span = in_cell_source(span)?;
        let lines = span["text"].as_array()?;
        self.bytes_of_lines(lines)
            .or_else(|| self.bytes_of_import(span))
    }

    fn bytes_of_lines(&self, lines: &[Value]) -> Option<(CellText, Range<usize>)> {
        let mut places = lines.iter().filter_map(|line| {
            let text = line["text"].as_str()?;
            let start = self.place(text, number(&line["highlight_start"])?)?;
            let end = self.place(text, number(&line["highlight_end"])?)?;
            Some((start, end))
        });
        let (start, first_end) = places.next()?;
        // The lines of a long span follow each other. One that is found elsewhere, as a lone brace
        // may be, says nothing.
        let end = places.fold(first_end, |last, (_, end)| {
            let follows = end.cell == last.cell && end.line > last.line;
            if follows && end.line - start.line < lines.len() {
                end
            } else {
                last
            }
        });
        let cell = self.cell_text(start.cell)?;
        let from = byte_offset(&cell.code, start.line, start.column);
        let to = byte_offset(&cell.code, end.line, end.column);
        Some((cell, from..to.max(from)))
    }

    /// The place of a line of the compiled source. Of equal lines, one that evcxr has mapped.
    fn place(&self, text: &str, column: usize) -> Option<Place> {
        let places = self.places.of_equal_lines(self.index, text, column);
        let is_known =
            |place: &&Place| place.cell == self.index && self.known_lines.contains(&place.line);
        let known = places.iter().find(is_known);
        known.or(places.first()).copied()
    }

    fn cell_text(&self, index: usize) -> Option<CellText> {
        self.places.cell(index).map(CellText::of)
    }
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64()?.try_into().ok()
}

/// The span itself, or where the macro that it is in was called, if that is in a cell.
fn in_cell_source(span: &Value) -> Option<&Value> {
    if span["file_name"].as_str()?.ends_with("lib.rs") && !is_library(span) {
        return Some(span);
    }
    let expansion = &span["expansion"]["span"];
    if expansion.is_object() {
        in_cell_source(expansion)
    } else {
        None
    }
}

/// Advice about the text of a macro in a library, such as the `==` in `assert_eq!`: nobody can follow
/// it, and it does not fit where the macro was called.
fn changes_library_macro(span: &Value) -> bool {
    let is_own = in_cell_source(span).is_some_and(|found| std::ptr::eq(found, span));
    span["suggested_replacement"].is_string() && span["expansion"].is_object() && !is_own
}

/// Libraries have files named `lib.rs`, too.
fn is_library(span: &Value) -> bool {
    let name = span["file_name"].as_str().unwrap_or_default();
    interleave_protocol::CellFacts::id_in(name).is_none() && !name.ends_with("evcxr/src/lib.rs")
}

mod imports;

#[cfg(test)]
mod tests;
