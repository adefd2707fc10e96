//! Finds the call in a cell that takes a lock or waits.

use std::path::{Path, PathBuf};

use interleave_compiler::{
    insertions::Insertions,
    sites::{Position, Site},
};
use interleave_protocol::{CellFacts, CodeAddress, Location};

use super::{Place, Places, source_file};

impl Places {
    /// The call to which the compiler has given this number, and its place in a cell.
    pub(in super::super) fn site(&self, number: u32) -> Option<(Place, Site)> {
        let path = self.source_of_site(number)?;
        let (_, index) = Site::numbered(number);
        let site = Site::of_source(&path).into_iter().nth(index)?;
        let place = self.of_position(&path, (site.line, site.column))?;
        Some((place, site))
    }

    /// The place in a cell of another place in the compiled source in which a call stands.
    pub(in super::super) fn beside_site(&self, number: u32, position: Position) -> Option<Place> {
        self.of_position(&self.source_of_site(number)?, position)
    }

    fn source_of_site(&self, number: u32) -> Option<PathBuf> {
        let (cell, _) = Site::numbered(number);
        let is_it = |source: &&super::Source| source.id as u16 == cell;
        let facts = CellFacts {
            id: self.cells.iter().rev().find(is_it)?.id,
            ..CellFacts::default()
        };
        Some(self.directory.join(facts.source()))
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
            .filter_map(|site| Some((self.of_position(&path, (site.line, site.column))?, site)))
            .collect()
    }

    /// The innermost place in a cell among the callers of a function, and the call that stands there
    /// with its number, if the compiler has listed it.
    pub(in super::super) fn waits_at(
        &self,
        callers: &[CodeAddress],
    ) -> Option<(Place, Option<(u32, Site)>)> {
        callers.iter().find_map(|address| {
            let location = self.location_of_address(address)?;
            let place = self.of_panic(&location)?;
            let path = source_file(&self.directory, &location.file)?;
            let line = usize::try_from(location.line).ok()?;
            let column = usize::try_from(location.column).ok()?;
            let column = Insertions::of_source(&path).column(line, column);
            let (index, site) = call_at(Site::of_source(&path), line, column).unzip();
            let number = Site::number(CellFacts::id_in(&location.file)?, index.unwrap_or_default());
            Some((place, number.zip(site)))
        })
    }

    /// What was inserted into the compiled source of a cell.
    pub(in super::super) fn insertions(&self, location: &Location) -> Option<Insertions> {
        let path = source_file(&self.directory, &location.file)?;
        Some(Insertions::of_source(&path))
    }

    fn of_position(&self, path: &Path, (line, column): Position) -> Option<Place> {
        self.of_compiled(path, &Insertions::of_source(path), line, column)
    }
}

/// The call at a place, with its index: by its name, or, of the calls that begin there, the shortest.
fn call_at(sites: Vec<Site>, line: usize, column: usize) -> Option<(usize, Site)> {
    let all = || sites.iter().enumerate();
    let found = all().find(|(_, site)| site.line == line && site.column == column);
    let found = found.or_else(|| {
        let beginning = all().filter(|(_, site)| site.line == line && site.start == column);
        beginning.min_by_key(|(_, site)| site.receiver.len())
    });
    found.map(|(index, site)| (index, site.clone()))
}
