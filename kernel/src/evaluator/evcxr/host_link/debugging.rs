//! What `dbg!` prints.

use std::collections::HashMap;

use interleave_protocol::Location;

use super::State;
use crate::evaluator::Stream;

/// The places of `dbg!` in words: one in a loop is looked up once.
#[derive(Debug, Default)]
pub(super) struct DebugPlaces(HashMap<Location, String>);

impl State {
    /// Shows a value behind its place, on standard error.
    pub(super) fn show_debug(&mut self, cell: u64, location: Location, text: &str) {
        let places = &self.places;
        let known = self.debug_places.0.entry(location);
        let place = known.or_insert_with_key(|location| match places.of_panic(location) {
            Some(place) => places.describe(place),
            None => format!("{}:{}:{}", location.file, location.line, location.column),
        });
        let line = format!("[{place}]{text}\n");
        self.outputs.bytes(cell, Stream::Stderr, line.as_bytes());
    }
}
