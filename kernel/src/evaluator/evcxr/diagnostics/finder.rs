//! Where in cells rustc's spans are.

use std::ops::Range;

use evcxr::CompilationError;
use serde_json::Value;

use super::{
    super::{
        lets::Typed,
        places::{Place, Places},
        report::{CellText, Mark, Remark, byte_offset},
        segments::Segments,
    },
    imports,
};

/// Finds the places of rustc's spans in cells.
pub(in super::super) struct Finder<'a> {
    pub(super) places: &'a Places,
    pub(super) index: usize,
    /// Lines of the cell that evcxr has mapped.
    pub(super) known_lines: Vec<usize>,
    /// The lines of the cell in the source that evcxr generated.
    pub(super) segments: Segments,
}

impl<'a> Finder<'a> {
    /// For the cell with this index.
    pub(in super::super) fn new(places: &'a Places, index: usize) -> Self {
        Self {
            places,
            index,
            known_lines: Vec::new(),
            segments: places.segments(index),
        }
    }

    /// The advice that changes nothing but lines of cells.
    pub(in super::super) fn changes(&self, children: &Value) -> Vec<Remark> {
        let children = children.as_array().into_iter().flatten();
        let remarks = children.filter_map(|child| {
            let wanted = child["spans"].as_array()?.len();
            let remark = self.remark(child)?;
            (wanted > 0 && remark.changes.len() == wanted).then_some(remark)
        });
        remarks.collect()
    }

    pub(in super::super) fn marks(&self, spans: &Value) -> Vec<Mark> {
        spans
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|span| self.mark(span))
            .collect()
    }

    /// For errors that evcxr made itself, which have no JSON.
    pub(super) fn marks_of_evcxr(&self, error: &CompilationError, typed: &Typed) -> Vec<Mark> {
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

    pub(super) fn mark(&self, span: &Value) -> Option<Mark> {
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
    pub(super) fn remark(&self, child: &Value) -> Option<Remark> {
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
        let first = number(&span["line_start"])?;
        self.bytes_of_lines(first, lines)
            .or_else(|| self.bytes_of_import(span))
    }

    fn bytes_of_lines(&self, first: usize, lines: &[Value]) -> Option<(CellText, Range<usize>)> {
        let mut places = (first..).zip(lines).filter_map(|(row, line)| {
            let text = line["text"].as_str()?;
            let start = self.place(row, text, number(&line["highlight_start"])?)?;
            let end = self.place(row, text, number(&line["highlight_end"])?)?;
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

    /// The place of a line of the compiled source. Of equal lines in the cell, the one that was written
    /// there; else one that evcxr has mapped.
    fn place(&self, row: usize, text: &str, column: usize) -> Option<Place> {
        let places = self.places.of_equal_lines(self.index, text, column);
        if let Some((line, _)) = self.segments.place(row)
            && let Some(place) = places.iter().find(|place| place.line == line)
        {
            return Some(*place);
        }
        let is_known =
            |place: &&Place| place.cell == self.index && self.known_lines.contains(&place.line);
        let known = places.iter().find(is_known);
        known.or(places.first()).copied()
    }

    pub(super) fn cell_text(&self, index: usize) -> Option<CellText> {
        self.places.cell(index).map(CellText::of)
    }
}

pub(super) fn number(value: &Value) -> Option<usize> {
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
