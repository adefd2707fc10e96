//! Whether there is a copy of the process from before a cell.

use serde::{Deserialize, Serialize};

/// Why the host could not copy itself before a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoSnapshot {
    /// Nobody wants it.
    Off,
    /// The process has run no cell yet, so there is nothing to keep.
    Fresh,
    /// Threads of cells would be missing in the copy.
    Threads {
        /// How many.
        count: usize,
        /// The cells that started them, as the host counts cells.
        cells: Vec<u64>,
    },
    /// Programs that cells started are no children of the copy.
    Programs,
    /// The copy would keep open what a cell closes: a pipe, a socket, the lock of a file.
    Descriptors,
    /// Copying would take too long.
    Memory {
        /// What the cells have taken.
        bytes: u64,
    },
    /// A thread of the host's own did not come to rest.
    Busy,
    /// The system does not make it.
    System {
        /// In its words.
        error: String,
    },
}
