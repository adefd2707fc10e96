//! Where something is.

use serde::{Deserialize, Serialize};

/// A place in the source that rustc saw, not yet in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Path as rustc wrote it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A place in loaded machine code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CodeAddress {
    /// Path of the shared object.
    pub object: String,
    /// Bytes from where the object begins in memory. Of a call that has not returned, the address
    /// to return to is behind it, so that one less is in the call.
    pub offset: u64,
}
