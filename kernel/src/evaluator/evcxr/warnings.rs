//! Warnings of rustc about the student's own lines.
//!
//! rustc warns about the whole generated source: also about what evcxr wrote, about items of earlier
//! cells, which are compiled again in each, and about what only looks unused because a cell is not a
//! whole program. None of these is shown.

use std::{collections::BTreeSet, fs, ops::Range, path::Path};

use interleave_protocol::{CellFacts, CellNotes};
use serde_json::Value;

use super::{
    places::Source,
    report::{CellText, Mark, Remark, Report, byte_offset},
    segments::Segments,
    syntax::bindings::{self, Binding},
};

mod main_program;

/// What a cell leaves unused, a later one may use.
const OF_WHOLE_PROGRAMS: [&str; 7] = [
    "dead_code",
    "unused_imports",
    "unused_macros",
    "unused_macro_rules",
    "unused_mut",
    "unused_labels",
    "non_local_definitions",
];

/// Which a later cell may use when they are about a variable at the top level of a cell.
const OF_VARIABLES: [&str; 2] = ["unused_variables", "unused_assignments"];

/// The warnings about a cell that was compiled in a directory, drawn; `None` if there are none.
pub(super) fn of(directory: &Path, cell: &Source) -> Option<String> {
    let main = main_program::warning(&CellText::of(cell));
    let drawings = of_rustc(directory, cell)
        .into_iter()
        .chain(main.map(|report| report.draw().join("\n")));
    let drawings: Vec<String> = drawings.collect();
    (!drawings.is_empty()).then(|| drawings.join("\n\n"))
}

fn of_rustc(directory: &Path, cell: &Source) -> Option<String> {
    let facts = CellFacts {
        id: cell.id,
        ..CellFacts::default()
    };
    // A cell that was not compiled has none.
    let notes = fs::read(directory.join(facts.notes())).ok()?;
    let notes: CellNotes = serde_json::from_slice(&notes).ok()?;
    if notes.warnings.is_empty() {
        return None;
    }
    let generated = fs::read_to_string(directory.join("src/lib.rs")).ok()?;
    draw(&notes.warnings, &CellText::of(cell), &generated)
}

/// `generated` is the source that evcxr made of the cell.
fn draw(warnings: &[Value], cell: &CellText, generated: &str) -> Option<String> {
    let segments = Segments::of(&cell.code, generated);
    let finder = Finder {
        cell,
        segments: &segments,
        variables: &bindings::bindings(&cell.code),
    };
    let mut seen = BTreeSet::new();
    let mut drawings = Vec::new();
    for warning in warnings {
        if let Some(report) = finder.report(warning) {
            let drawing = report.draw().join("\n");
            if seen.insert(drawing.clone()) {
                drawings.push(drawing);
            }
        }
    }
    (!drawings.is_empty()).then(|| drawings.join("\n\n"))
}

struct Finder<'a> {
    cell: &'a CellText,
    segments: &'a Segments,
    /// Those that the cell defines at its top level.
    variables: &'a [Binding],
}

impl Finder<'_> {
    fn report(&self, warning: &Value) -> Option<Report> {
        let lint = warning["code"]["code"].as_str()?;
        if OF_WHOLE_PROGRAMS.contains(&lint) {
            return None;
        }
        let marks: Vec<Mark> = self.marks(&warning["spans"]);
        let main = marks.iter().find(|mark| mark.primary)?;
        if OF_VARIABLES.contains(&lint) && self.is_about_a_kept_variable(&main.span) {
            return None;
        }
        let children = warning["children"].as_array().into_iter().flatten();
        Some(Report {
            is_warning: true,
            code: None,
            message: warning["message"].as_str()?.to_owned(),
            remarks: children.filter_map(|child| self.remark(child)).collect(),
            marks,
        })
    }

    /// Whether a later cell may use what the place names, or what is assigned there.
    fn is_about_a_kept_variable(&self, span: &Range<usize>) -> bool {
        let name = self.cell.code[span.clone()].split([' ', '=']).next();
        self.variables.iter().any(|variable| {
            variable.span.contains(&span.start)
                || Some(variable.name.as_str()) == name
                    && !bindings::is_in_item(&self.cell.code, span)
        })
    }

    fn marks(&self, spans: &Value) -> Vec<Mark> {
        let spans = spans.as_array().into_iter().flatten();
        let marks = spans.filter_map(|span| {
            Some(Mark {
                cell: self.cell.clone(),
                span: self.bytes(span)?,
                label: span["label"].as_str().unwrap_or_default().to_owned(),
                primary: span["is_primary"] == true,
            })
        });
        marks.collect()
    }

    fn remark(&self, child: &Value) -> Option<Remark> {
        let message = child["message"].as_str()?;
        let is_help = child["level"] == "help";
        // `#[warn(unused_must_use)]` on by default: says nothing about the code.
        if !is_help && (message.contains("on by default") || message.contains("lint level")) {
            return None;
        }
        let spans = child["spans"].as_array()?;
        let changes: Vec<_> = spans
            .iter()
            .filter_map(|span| {
                let text = span["suggested_replacement"].as_str()?;
                Some((self.cell.clone(), self.bytes(span)?, text.to_owned()))
            })
            .collect();
        (changes.len() == spans.len()).then(|| Remark {
            is_help,
            message: message.to_owned(),
            marks: Vec::new(),
            changes,
        })
    }

    /// The bytes of the cell that a span covers; of one in a macro, those of its call.
    fn bytes(&self, span: &Value) -> Option<Range<usize>> {
        let span = std::iter::successors(Some(span), |span| {
            let call = &span["expansion"]["span"];
            call.is_object().then_some(call)
        })
        .find(|span| {
            let file = span["file_name"].as_str().unwrap_or_default();
            interleave_protocol::CellFacts::id_in(file).is_some()
        })?;
        let at = |line: &str, column: &str| {
            let (line, before) = self.segments.place(number(&span[line])?)?;
            Some(byte_offset(
                &self.cell.code,
                line,
                number(&span[column])? + before,
            ))
        };
        let start = at("line_start", "column_start")?;
        let end = at("line_end", "column_end")?;
        (start <= end).then_some(start..end)
    }
}

fn number(value: &Value) -> Option<usize> {
    value.as_u64()?.try_into().ok()
}

#[cfg(test)]
mod tests;
