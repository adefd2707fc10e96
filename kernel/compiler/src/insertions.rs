//! Text that is added inside a student's lines, and the way back to the lines without it.
//!
//! Whoever reads a place in a source with insertions (a diagnostic of rustc, the place of a panic)
//! asks here for the place in the source as the student wrote it.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// What was added to a source, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Insertions(Vec<Insertion>);

/// An added piece of ASCII text without a line end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Insertion {
    /// Byte of the source without insertions.
    at: usize,
    /// Line, from 1.
    line: usize,
    /// Characters before it on its line, without insertions.
    column: usize,
    length: usize,
}

impl Insertions {
    /// The file beside a cell's compiled source that holds its insertions.
    pub const FILE: &str = "insertions.json";

    /// The insertions of the compiled source at this path; none when nothing is known of any.
    pub fn of_source(source: &Path) -> Self {
        let text = std::fs::read(source.with_file_name(Self::FILE)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// Puts pieces of text before bytes of the source. Pieces at one byte keep their order. Returns
    /// the changed source, too.
    ///
    /// # Panics
    ///
    /// When a piece is not ASCII or has a line end, or a byte is inside a character.
    pub fn make(source: &str, mut pieces: Vec<(usize, &str)>) -> (Self, String) {
        pieces.sort_by_key(|(at, _)| *at);
        let mut changed = String::with_capacity(source.len() + 64 * pieces.len());
        let (mut insertions, mut end, mut line, mut line_start) = (Vec::new(), 0, 1, 0);
        for (at, text) in pieces {
            assert!(text.is_ascii() && !text.contains('\n'), "{text}");
            let before = &source[end..at];
            line += before.matches('\n').count();
            line_start = before
                .rfind('\n')
                .map_or(line_start, |newline| end + newline + 1);
            changed.push_str(before);
            changed.push_str(text);
            insertions.push(Insertion {
                at,
                line,
                column: source[line_start..at].chars().count(),
                length: text.len(),
            });
            end = at;
        }
        changed.push_str(&source[end..]);
        (Self(insertions), changed)
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The byte of the source without insertions. What is inside an insertion is where that begins.
    pub fn byte(&self, changed: usize) -> usize {
        back(self.0.iter().map(|it| (it.at, it.length)), changed)
    }

    /// The column without insertions, both from 1.
    pub fn column(&self, line: usize, changed: usize) -> usize {
        let pieces = self.of_line(line).map(|it| (it.column + 1, it.length));
        back(pieces, changed)
    }

    /// The text of a line without insertions.
    pub fn line(&self, line: usize, changed: &str) -> String {
        let mut text = changed.to_owned();
        for insertion in self.of_line(line) {
            let start = text
                .char_indices()
                .nth(insertion.column)
                .map_or(text.len(), |(byte, _)| byte);
            let end = text.len().min(start + insertion.length);
            text.replace_range(start..end, "");
        }
        text
    }

    /// Whether a piece of a line, in columns from 1 with insertions, is inside one insertion.
    pub fn cover(&self, line: usize, from: usize, to: usize) -> bool {
        let mut added = 0;
        self.of_line(line).any(|insertion| {
            let start = insertion.column + 1 + added;
            added += insertion.length;
            from < to && start <= from && to <= start + insertion.length
        })
    }

    fn of_line(&self, line: usize) -> impl Iterator<Item = &Insertion> {
        let start = self.0.partition_point(|insertion| insertion.line < line);
        self.0[start..]
            .iter()
            .take_while(move |insertion| insertion.line == line)
    }
}

/// Takes from a position what was added before it by pieces, each a position without insertions and
/// a length.
fn back(pieces: impl Iterator<Item = (usize, usize)>, changed: usize) -> usize {
    let mut added = 0;
    for (at, length) in pieces {
        if changed <= at + added {
            break;
        }
        if changed < at + added + length {
            return at;
        }
        added += length;
    }
    changed - added
}

#[cfg(test)]
mod tests;
