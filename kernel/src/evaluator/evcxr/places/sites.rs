//! Finds the call in a cell that takes a lock or waits.

use std::path::Path;

use interleave_compiler::{insertions::Insertions, sites::Site};
use interleave_protocol::{CellFacts, CodeAddress};

use super::{Place, Places, source_file};

impl Places {
    /// The call to which the compiler has given this number, and its place in a cell.
    pub(in super::super) fn site(&self, number: u32) -> Option<(Place, Site)> {
        let (cell, index) = Site::numbered(number);
        let source = self
            .cells
            .iter()
            .rev()
            .find(|source| source.id as u16 == cell)?;
        let facts = CellFacts {
            id: source.id,
            ..CellFacts::default()
        };
        let path = self.directory.join(facts.source());
        let site = Site::of_source(&path).into_iter().nth(index)?;
        let place = self.of_site(&path, &site)?;
        Some((place, site))
    }

    /// The calls that take locks or wait in the newest cell with a number in `In [n]`, with their
    /// places.
    pub(in super::super) fn calls(&self, number: usize) -> Vec<(Place, Site)> {
        let newest = self.cells.iter().rev().find(|cell| cell.number == number);
        let Some(source) = newest else {
            return Vec::new();
        };
        let facts = CellFacts {
            id: source.id,
            ..CellFacts::default()
        };
        let path = self.directory.join(facts.source());
        let sites = Site::of_source(&path).into_iter();
        sites
            .filter_map(|site| Some((self.of_site(&path, &site)?, site)))
            .collect()
    }

    /// The innermost place in a cell among the callers of a function, and the call that stands there
    /// if the compiler has listed it.
    pub(in super::super) fn waits_at(
        &self,
        callers: &[CodeAddress],
    ) -> Option<(Place, Option<Site>)> {
        callers.iter().find_map(|address| {
            let location = self.location_of_address(address)?;
            let place = self.of_panic(&location)?;
            let path = source_file(&self.directory, &location.file)?;
            let line = usize::try_from(location.line).ok()?;
            let column = usize::try_from(location.column).ok()?;
            let column = Insertions::of_source(&path).column(line, column);
            Some((place, call_at(Site::of_source(&path), line, column)))
        })
    }

    fn of_site(&self, path: &Path, site: &Site) -> Option<Place> {
        let insertions = Insertions::of_source(path);
        self.of_compiled(path, &insertions, site.line, site.column)
    }
}

/// The call at a place: by its name, or, of the calls that begin there, the shortest.
fn call_at(sites: Vec<Site>, line: usize, column: usize) -> Option<Site> {
    let named = |site: &&Site| site.line == line && site.column == column;
    let begins = |site: &&Site| site.line == line && site.start == column;
    let found = sites.iter().find(named);
    let found = found.or_else(|| {
        let beginning = sites.iter().filter(begins);
        beginning.min_by_key(|site| site.receiver.len())
    });
    found.cloned()
}
