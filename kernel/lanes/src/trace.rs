//! What there is to draw.

use std::{collections::BTreeMap, time::Duration};

use interleave_protocol::TraceEvent;

/// Something that a thread did, and in which line.
pub type Event = TraceEvent<Option<Place>>;

/// What happened while a cell ran, and what its threads did afterwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trace {
    /// The number in `In [n]`.
    pub cell: usize,
    /// In the order in which they happened.
    pub events: Vec<Event>,
    /// How many more there were, which nobody noted.
    pub lost: u64,
    /// When the trace was read: nanoseconds on the clock of the events. What had begun by then and
    /// had not ended still goes on.
    pub until: u64,
    /// Whether the cell still runs.
    pub is_running: bool,
    /// How long the cell was compiled.
    pub compiled: Option<Duration>,
    /// What the student calls the locks that threads waited for, by the address of their futex.
    pub locks: BTreeMap<u64, String>,
    /// What threads wait for in these places, where the student has a name for it: `message from rx`.
    pub awaited: BTreeMap<Place, String>,
    /// The cells that the places are in.
    pub sources: Vec<Source>,
}

/// A place in the code of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number in `In [n]`.
    pub cell: usize,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// The code of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The number in `In [n]`.
    pub number: usize,
    /// As the student wrote it.
    pub code: String,
}
