//! Messages as lines.

use serde::{Serialize, de::DeserializeOwned};

/// Writes a message as one line, line end included.
///
/// # Panics
///
/// Never for the types of this crate: they are all representable as JSON.
pub fn to_line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("plain data is representable as JSON");
    line.push(b'\n');
    line
}

/// Puts the cell that caused it before a line of the host's: `3 {"event":…}`. The host counts the
/// cells that it runs from 1; 0 is for what no cell caused.
pub fn from_cell(cell: u64, line: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{cell} ").into_bytes();
    bytes.extend_from_slice(line);
    bytes
}

/// The cell that caused a line, and the rest of the line; `None` when it names none.
pub fn split_cell(line: &[u8]) -> Option<(u64, &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let cell = std::str::from_utf8(line.get(..space)?).ok()?.parse().ok()?;
    Some((cell, line.get(space + 1..)?))
}

/// Reads a message from one line.
///
/// # Errors
///
/// When the line is not JSON, or not this kind of message.
pub fn from_line<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line)
}
