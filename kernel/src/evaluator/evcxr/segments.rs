//! Where the lines of a cell are in the source that evcxr generates from it.

use std::collections::HashMap;

use interleave_compiler::rewrite;

use super::syntax::bindings;

/// The lines of generated source that are the cell's own, exactly: evcxr repeats items of earlier
/// cells, which may have the same text.
#[derive(Debug, Default)]
pub(super) struct Segments {
    /// Line of the source → line of the cell, and by how many characters it begins further right.
    lines: HashMap<usize, (usize, usize)>,
}

impl Segments {
    /// evcxr writes each statement and each item (but no `use`) as it is, beginning on a line of its
    /// own, the statements in order.
    pub(super) fn of(code: &str, generated: &str) -> Self {
        let generated = &rewrite::without_marks(generated);
        let mut segments = Self::default();
        let mut next_statement = first_line_of_function(generated);
        for part in bindings::parts(code) {
            let text = code[part.bytes.clone()].trim_end();
            let from = if part.is_item { 0 } else { next_statement };
            let Some(at) = position(generated, text, from) else {
                continue;
            };
            if !part.is_item {
                next_statement = at + text.len();
            }
            segments.add(code, generated, part.bytes.start, at, text);
        }
        segments
    }

    fn add(&mut self, code: &str, generated: &str, start: usize, at: usize, text: &str) {
        let before = &code[..start];
        let first = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|one| *one != '\n').count();
        let column = column.saturating_sub(white_space_before(generated, at).unwrap_or(0));
        let source = generated[..at].matches('\n').count() + 1;
        for offset in 0..text.split('\n').count() {
            let column = if offset == 0 { column } else { 0 };
            self.lines.insert(source + offset, (first + offset, column));
        }
    }

    /// The line of the cell at a line of the source, and by how many characters it begins further
    /// right there; both lines from 1.
    pub(super) fn place(&self, line: usize) -> Option<(usize, usize)> {
        self.lines.get(&line).copied()
    }
}

/// The byte where the function begins that evcxr calls.
fn first_line_of_function(generated: &str) -> usize {
    generated
        .rfind("pub extern \"C\" fn run_user_code_")
        .unwrap_or(generated.len())
}

/// The byte, from `from` on, of a text that begins a line, but for white space.
fn position(generated: &str, text: &str, from: usize) -> Option<usize> {
    let places = generated[from..]
        .match_indices(text)
        .map(|(at, _)| from + at);
    let mut begins = places.filter(|at| white_space_before(generated, *at).is_some());
    begins.next().filter(|_| !text.is_empty())
}

/// How many characters stand before the byte on its line, if all are white space.
fn white_space_before(generated: &str, at: usize) -> Option<usize> {
    let line = generated[..at].rsplit('\n').next()?;
    line.trim().is_empty().then(|| line.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENERATED: &str = "\
fn old() {
    g();
}
fn own() {
    g();
}
pub extern \"C\" fn run_user_code_1(
x) {
let a = 1;
interleave::unkept!{/*interleave*/let f = || 1;/*interleave*/};
g();
(
g()
).evcxr_display();
";

    #[test]
    fn only_the_lines_of_the_cell_are_found() {
        let code = "let a = 1; let f = || 1;\nfn own() {\n    g();\n}\ng();\ng()";
        let segments = Segments::of(code, GENERATED);
        let place = |line| segments.place(line);
        assert_eq!(place(2), None);
        assert_eq!(place(4), Some((2, 0)));
        assert_eq!(place(5), Some((3, 0)));
        assert_eq!(place(9), Some((1, 0)));
        assert_eq!(place(10), Some((1, 11)));
        assert_eq!(place(11), Some((5, 0)));
        assert_eq!(place(13), Some((6, 0)));
        assert_eq!(place(14), None);
    }
}
