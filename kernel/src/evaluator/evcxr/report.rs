//! Draws errors the way rustc does, over the lines of the student's cells.

use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level, Patch, Renderer, Snippet, renderer::DecorStyle,
};

use super::{
    places::{Place, Source},
    syntax,
};

/// So many columns of text fit below a cell in a window of common size.
const WIDTH: usize = 80;

/// A report before it is drawn.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// A warning, and no error.
    pub(super) is_warning: bool,
    /// `E0382`, `panic`, …
    pub(super) code: Option<String>,
    pub(super) message: String,
    pub(super) marks: Vec<Mark>,
    /// Notes and helps.
    pub(super) remarks: Vec<Remark>,
}

/// A marked piece of a cell.
#[derive(Debug, Clone)]
pub(super) struct Mark {
    pub(super) cell: CellText,
    pub(super) span: Range<usize>,
    pub(super) label: String,
    pub(super) primary: bool,
}

/// A cell as a report shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CellText {
    pub(super) title: String,
    pub(super) code: String,
}

impl CellText {
    pub(super) fn of(cell: &Source) -> Self {
        Self {
            title: format!("In[{}]", cell.number),
            code: cell.code.clone(),
        }
    }
}

/// A note or a help below the main message.
#[derive(Debug, Clone)]
pub(super) struct Remark {
    pub(super) is_help: bool,
    pub(super) message: String,
    pub(super) marks: Vec<Mark>,
    /// What to write instead: pieces of one cell.
    pub(super) changes: Vec<(CellText, Range<usize>, String)>,
}

impl Report {
    /// The drawing, with ANSI colours, line by line.
    pub(super) fn draw(&self) -> Vec<String> {
        let level = if self.is_warning {
            Level::WARNING
        } else {
            Level::ERROR
        };
        let mut title = level.primary_title(wrapped(&self.message));
        if let Some(code) = &self.code {
            title = title.id(code);
        }
        let mut main = title.elements(snippets(&self.marks));
        let mut groups = Vec::new();
        for remark in &self.remarks {
            let level = if remark.is_help {
                Level::HELP
            } else {
                Level::NOTE
            };
            if remark.marks.is_empty() && remark.changes.is_empty() {
                main = main.element(level.message(wrapped(&remark.message)));
            } else {
                groups.push(remark.group(level.secondary_title(wrapped(&remark.message))));
            }
        }
        groups.insert(0, main);
        let renderer = Renderer::styled().decor_style(DecorStyle::Ascii);
        renderer
            .render(&groups)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

impl Remark {
    fn group<'a>(&'a self, title: annotate_snippets::Title<'a>) -> Group<'a> {
        let Some((cell, _, _)) = self.changes.first() else {
            return title.elements(snippets(&self.marks));
        };
        let patches = self
            .changes
            .iter()
            .filter(|(of, _, _)| of == cell)
            .map(|(_, span, text)| Patch::new(span.clone(), text.as_str()));
        title.element(
            Snippet::source(&cell.code)
                .path(&cell.title)
                .patches(patches),
        )
    }
}

/// One snippet for each cell that is marked, the one with the primary mark first.
fn snippets(marks: &[Mark]) -> Vec<Snippet<'_, Annotation<'_>>> {
    let mut cells: Vec<&CellText> = Vec::new();
    for mark in marks.iter().filter(|mark| mark.primary).chain(marks) {
        if !cells.contains(&&mark.cell) {
            cells.push(&mark.cell);
        }
    }
    cells
        .into_iter()
        .map(|cell| {
            let annotations = marks
                .iter()
                .filter(|mark| mark.cell == *cell)
                .map(Mark::annotation);
            Snippet::source(&cell.code)
                .path(&cell.title)
                .annotations(annotations)
        })
        .collect()
}

impl Mark {
    /// Marks the expression that begins at a place, or else the word.
    pub(super) fn from_place(cell: CellText, place: Place) -> Self {
        let start = byte_offset(&cell.code, place.line, place.column);
        let span = syntax::expression_at(&cell.code, start)
            .unwrap_or_else(|| start..start + length_of_word(&cell.code, start));
        Self {
            cell,
            span,
            label: String::new(),
            primary: true,
        }
    }

    fn annotation(&self) -> Annotation<'_> {
        let kind = if self.primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let annotation = kind.span(self.span.clone());
        if self.label.is_empty() {
            annotation
        } else {
            annotation.label(self.label.as_str())
        }
    }
}

/// Front ends break long lines anywhere, also in a word.
fn wrapped(text: &str) -> String {
    textwrap::fill(text, WIDTH)
}

/// Length of the name at a byte, at least one character.
fn length_of_word(code: &str, start: usize) -> usize {
    let rest = code.get(start..).unwrap_or_default();
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let word = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
    word.max(rest.chars().next().map_or(0, char::len_utf8))
}

/// The byte at a line and a column of characters, both from 1; the end of the line or of the text
/// when there are not so many.
pub(super) fn byte_offset(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find('\n').unwrap_or(rest.len());
    let offset = rest
        .char_indices()
        .nth(column.saturating_sub(1))
        .map_or(end, |(at, _)| at);
    start + offset.min(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(report: &Report) -> String {
        let mut text = String::new();
        let mut in_escape = false;
        for letter in report.draw().join("\n").chars() {
            match letter {
                '\u{1b}' => in_escape = true,
                'm' if in_escape => in_escape = false,
                letter if !in_escape => text.push(letter),
                _ => {}
            }
        }
        text
    }

    #[test]
    fn offsets_count_characters_and_stay_in_their_line() {
        assert_eq!(byte_offset("ab\n值c\n", 1, 2), 1);
        assert_eq!(byte_offset("ab\n值c\n", 2, 2), 6);
        assert_eq!(byte_offset("ab\n值c\n", 1, 9), 2);
        assert_eq!(byte_offset("ab", 7, 1), 2);
    }

    #[test]
    fn a_report_shows_lines_labels_and_help() {
        let cell = CellText {
            title: "In[2]".into(),
            code: "let 值 = v;\nuse_it(v);".into(),
        };
        let report = Report {
            is_warning: false,
            code: Some("E0382".into()),
            message: "use of moved value: `v`".into(),
            marks: vec![
                Mark {
                    cell: cell.clone(),
                    span: 10..11,
                    label: "moved here".into(),
                    primary: false,
                },
                Mark {
                    cell: cell.clone(),
                    span: 20..21,
                    label: "used here".into(),
                    primary: true,
                },
            ],
            remarks: vec![Remark {
                is_help: true,
                message: "consider cloning".into(),
                marks: Vec::new(),
                changes: vec![(cell, 11..11, ".clone()".into())],
            }],
        };
        let text = plain(&report);
        for part in [
            "error[E0382]: use of moved value: `v`",
            "In[2]:2",
            "let 值 = v;",
            "- moved here",
            "^ used here",
            "help: consider cloning",
            "let 值 = v.clone();",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
    }
}
