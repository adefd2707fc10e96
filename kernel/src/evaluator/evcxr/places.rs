//! Finds the line of a cell that a line of compiled source came from.
//!
//! evcxr puts each statement of a cell on lines of its own, as the student wrote it, and repeats
//! the items of earlier cells. So a line of the source is a line of a cell, or a part of one.

use std::{
    collections::BTreeSet,
    fs, iter,
    path::{Path, PathBuf},
};

use interleave_compiler::insertions::Insertions;
use interleave_protocol::{CellFacts, CodeAddress, Location};

use super::segments::Segments;

mod addresses;
mod sites;
mod words;

/// A place in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the cell, for [`Places::cell`].
    pub(super) cell: usize,
    /// Line, from 1.
    pub(super) line: usize,
    /// Column in characters, from 1.
    pub(super) column: usize,
}

/// A cell as it was run.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Names it in paths; see [`CellFacts::id`].
    pub(super) id: u64,
    /// The number in `In [n]`.
    pub(super) number: usize,
    pub(super) code: String,
}

/// The cells that were run, oldest first.
#[derive(Debug, Default)]
pub(super) struct Places {
    cells: Vec<Source>,
    /// Indices of those that rustc refused: none of their lines is in the source of a later cell.
    refused: BTreeSet<usize>,
    /// Where cells are compiled. rustc is not told: what it makes of a cell serves other kernels, too.
    directory: PathBuf,
}

impl Places {
    /// These cells, numbered from 1.
    #[cfg(test)]
    pub(super) fn of(cells: &[&str]) -> Self {
        let sources = cells.iter().zip(1..).map(|(code, number)| Source {
            id: number as u64,
            number,
            code: (*code).to_owned(),
        });
        Self {
            cells: sources.collect(),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, source: Source, directory: &Path) {
        self.cells.push(source);
        self.directory = directory.to_owned();
    }

    pub(super) fn cell(&self, index: usize) -> Option<&Source> {
        self.cells.get(index)
    }

    /// The lines of a cell in the source that evcxr generated last. Of another cell's source none fit.
    pub(super) fn segments(&self, index: usize) -> Segments {
        let generated = fs::read_to_string(self.directory.join("src/lib.rs")).unwrap_or_default();
        let code = self.cell(index).map_or("", |cell| &cell.code);
        Segments::of(code, &generated)
    }

    /// All cells, oldest first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Source> {
        self.cells.iter()
    }

    /// The newest cell was not compiled.
    pub(super) fn refused(&mut self) {
        self.refused.extend(self.current());
    }

    /// A place as errors name it: `In[3]:4:1`.
    pub(super) fn describe(&self, place: Place) -> String {
        let number = self.cell(place.cell).map_or(0, |cell| cell.number);
        format!("In[{number}]:{}:{}", place.line, place.column)
    }

    /// The newest cell.
    pub(super) fn current(&self) -> Option<usize> {
        self.cells.len().checked_sub(1)
    }

    /// The place in a cell that a panic in compiled code names. `None` for code that is not in any
    /// cell, such as a library's.
    pub(super) fn of_panic(&self, location: &Location) -> Option<Place> {
        let path = source_file(&self.directory, &location.file)?;
        let insertions = Insertions::of_source(&path);
        let line = usize::try_from(location.line).ok()?;
        let column = insertions.column(line, usize::try_from(location.column).ok()?);
        self.of_compiled(&path, &insertions, line, column)
    }

    /// The place in a cell of a place in compiled source, whose column is that without insertions.
    fn of_compiled(
        &self,
        path: &Path,
        insertions: &Insertions,
        line: usize,
        column: usize,
    ) -> Option<Place> {
        let id = CellFacts::id_in(&path.to_string_lossy())?;
        let source = fs::read_to_string(path).ok()?;
        let lines = (1..).zip(source.lines());
        let lines: Vec<String> = lines
            .map(|(line, text)| insertions.line(line, text))
            .collect();
        let text = lines.get(line.checked_sub(1)?)?;
        let compiled_as = self.cells.iter().rposition(|cell| cell.id == id)?;
        let places = self.of_equal_lines(compiled_as, text, column);
        let [first, _, ..] = places.as_slice() else {
            return places.first().copied();
        };
        let segments = Segments::of(&self.cells[first.cell].code, &lines.join("\n"));
        let written_there = segments.place(line).map(|(line, _)| line);
        let own = |place: &&Place| Some(place.line) == written_there;
        Some(*places.iter().find(own).unwrap_or(first))
    }

    /// The place in a cell that machine code was compiled from. `None` for code that is not in any
    /// cell; of code of a library that was inlined, the place in the cell.
    pub(super) fn of_address(&self, address: &CodeAddress) -> Option<Place> {
        addresses::locations(address, &self.directory)
            .iter()
            .find_map(|location| self.of_panic(location))
    }

    /// Where machine code was compiled from: the innermost function first, then those that it was
    /// inlined into. Empty for code that no cell was compiled to.
    pub(super) fn locations(&self, address: &CodeAddress) -> Vec<Location> {
        addresses::locations(address, &self.directory)
    }

    /// The same as a place in compiled source.
    pub(super) fn location_of_address(&self, address: &CodeAddress) -> Option<Location> {
        let mut locations = addresses::locations(address, &self.directory).into_iter();
        locations.find(|location| self.of_panic(location).is_some())
    }

    /// The places of a line of compiled source: in the cell that was compiled, or else in the newest
    /// earlier one that has it. Several are of equal lines, in order, in one cell.
    pub(super) fn of_equal_lines(
        &self,
        compiled_as: usize,
        text: &str,
        column: usize,
    ) -> Vec<Place> {
        let own = text.split(interleave_protocol::ADDED_TEXT_MARK).next();
        let text = own.unwrap_or(text).trim_end();
        if text.trim().is_empty() {
            return Vec::new();
        }
        // Nothing but punctuation is in every cell.
        let says_something = text.contains(char::is_alphanumeric);
        let oldest = if says_something { 0 } else { compiled_as };
        let earlier = (oldest..compiled_as).rev();
        let with_it =
            iter::once(compiled_as).chain(earlier.filter(|cell| !self.refused.contains(cell)));
        let mut found = with_it.map(|cell| {
            let lines = self.lines_with(cell, text);
            let places = lines.map(|(line, before)| Place {
                cell,
                line,
                column: column + before.chars().count(),
            });
            places.collect()
        });
        found
            .find(|places: &Vec<Place>| !places.is_empty())
            .unwrap_or_default()
    }

    /// The lines of a cell that hold the text as a statement, with what stands before it.
    fn lines_with(&self, cell: usize, text: &str) -> impl Iterator<Item = (usize, &str)> {
        let code = self.cells.get(cell).map_or("", |cell| &cell.code);
        let lines = (1..).zip(code.lines());
        lines.filter_map(move |(number, line)| Some((number, before_statement(line, text)?)))
    }
}

/// The compiled source of the cell that a path in an object names; `None` for other paths.
fn source_file(directory: &Path, named: &str) -> Option<PathBuf> {
    let facts = CellFacts {
        id: CellFacts::id_in(named)?,
        ..CellFacts::default()
    };
    Some(directory.join(facts.source()))
}

/// What stands in the line before the text, if that is a statement of its own: evcxr splits lines
/// between statements, so that nothing but a statement's end or white space stands there.
fn before_statement<'a>(line: &'a str, text: &str) -> Option<&'a str> {
    let mut befores = line.match_indices(text).map(|(at, _)| &line[..at]);
    befores.find(|before| {
        let end = before.trim_end();
        end.is_empty() || end.ends_with([';', '}', '{'])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(places: &Places, text: &str, expected: &[(usize, usize, usize)]) {
        let current = places.current().unwrap();
        let found = places.of_equal_lines(current, text, 3);
        let found = found
            .iter()
            .map(|place| (place.cell, place.line, place.column));
        assert_eq!(Vec::from_iter(found), expected);
    }

    #[test]
    fn a_line_is_found_in_the_newest_cell_that_has_it() {
        let places = Places::of(&["fn f() {\n    g();\n}", "let x = 1;\nf();"]);
        check(&places, "f();", &[(1, 2, 3)]);
        check(&places, "    g();", &[(0, 2, 3)]);
        check(&places, "evcxr_variable_store", &[]);
        check(&places, "", &[]);
        check(&places, "}", &[]);
    }

    #[test]
    fn a_cell_that_was_refused_is_in_no_later_source() {
        let mut places = Places::of(&["f();", "f();"]);
        places.refused();
        check(&places, "f();", &[(1, 1, 3)]);
        places.cells.push(places.cells[1].clone());
        places.cells[2].code = "g();".into();
        check(&places, "f();", &[(0, 1, 3)]);
    }

    #[test]
    fn statements_on_one_line_are_told_apart_by_their_column() {
        let places = Places::of(&["let 值 = 1; f(值);"]);
        check(&places, "f(值);", &[(0, 1, 3 + 11)]);
        let places = Places::of(&["let mut a = 1; a = 1;"]);
        check(&places, "a = 1;", &[(0, 1, 3 + 15)]);
    }

    #[test]
    fn of_equal_lines_the_right_one_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cells/2/lib.rs");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        // The item of the first cell is there, too.
        let source = "fn a() {\nf();\n}\npub extern \"C\" fn run_user_code_1(\n\
                      f();\nlet x = 1;\nf();\n";
        fs::write(&file, source).unwrap();
        let mut places = Places::of(&["fn a() {\nf();\n}", "f();\nlet x = 1;\nf();"]);
        places.directory = directory.path().to_owned();
        let place = |line| {
            let file = "cells/2/lib.rs".into();
            let column = 1;
            places.of_panic(&Location { file, line, column })
        };
        assert_eq!(place(5).map(|place| (place.cell, place.line)), Some((1, 1)));
        assert_eq!(place(7).map(|place| (place.cell, place.line)), Some((1, 3)));
    }

    #[test]
    fn what_the_compiler_inserted_moves_no_place() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cells/1/lib.rs");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let (insertions, source) = Insertions::make("f();\nf(); g();\nk();\n", vec![(9, "x();")]);
        assert_eq!(source.lines().nth(1), Some("f();x(); g();"));
        fs::write(&file, source).unwrap();
        let text = serde_json::to_vec(&insertions).unwrap();
        fs::write(file.with_file_name(Insertions::FILE), text).unwrap();
        let place = |line, column| {
            let location = Location {
                file: "cells/1/lib.rs".into(),
                line,
                column,
            };
            let mut places = Places::of(&["f();\nf(); g();\nk();"]);
            places.directory = directory.path().to_owned();
            let place = places.of_panic(&location)?;
            Some((place.line, place.column))
        };
        assert_eq!(place(2, 10), Some((2, 6)));
        assert_eq!(place(3, 1), Some((3, 1)));
        assert_eq!(place(9, 1), None);
    }

    #[test]
    fn a_panic_in_a_library_is_in_no_cell() {
        let location = Location {
            file: "library/std/src/x.rs".into(),
            line: 1,
            column: 1,
        };
        assert_eq!(Places::of(&["f();"]).of_panic(&location), None);
    }
}
