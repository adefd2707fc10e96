//! Where a cell takes locks, and where it waits.
//!
//! The system knows which lock a thread waits for, as an address; nobody knows who holds it. So
//! around each call that may take a lock (`x.lock()`, `x.try_read()`, `condvar.wait(guard)`) is
//! written what notes, once the lock is taken, who has it and which of these calls took it:
//!
//! ```text
//! match x.lock() { v => { ::interleave::private::Taken(&v).note(7); v } }
//! ```
//!
//! The value passes through as it is; temporaries live as long as before, since a `match` keeps those
//! of its head. What is no guard is noted by a function that does nothing.
//!
//! The same stands around a call that makes a channel. Before a call that waits for something with a
//! name (`rx.recv()`, `barrier.wait()`, `for x in rx`) is noted what it is:
//!
//! ```text
//! {/*wait*/::interleave::private::Awaits(&rx).note(8); rx.recv()/*wait*/}
//! ```
//!
//! Of every call that waits, its place and what stands before the dot is remembered: the name that the
//! student has for what is waited for.

use std::path::Path;

use interleave_protocol::LockHolder;
use serde::{Deserialize, Serialize};

mod ends;
mod find;
mod macros;

pub use ends::{Body, End, Position};
pub(crate) use find::{Found, find};

/// Environment variable: `0` leaves the notes out.
pub const SWITCH: &str = "INTERLEAVE_LOCK_NOTES";

/// Whether locks are to be noted.
pub(crate) fn are_wanted() -> bool {
    std::env::var_os(SWITCH).is_none_or(|value| value != "0")
}

/// A call that takes a lock or waits, in the source without insertions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1, where the whole call begins.
    pub start: usize,
    /// The same of the method's name.
    pub column: usize,
    /// What stands before the dot; of a macro that awaits several futures at once, what it awaits.
    pub receiver: String,
    /// The method; `for` and `await` where these wait; the name of a function, which has no dot; that of
    /// such a macro, `select!` or `join!`.
    pub method: String,
    /// If it makes a channel: the variables that hold an end of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ends: Vec<End>,
    /// If there are such: the closures of its source that are given to calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Body>,
}

impl Site {
    /// The file beside a cell's compiled source that lists them.
    pub const FILE: &str = "sites.json";

    /// Those of the compiled source at this path; none when nothing is known of any.
    pub fn of_source(source: &Path) -> Vec<Self> {
        let text = std::fs::read(source.with_file_name(Self::FILE)).ok();
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// The number by which compiled code names one: of the cell, and of the site within it.
    pub fn number(cell: u64, index: usize) -> Option<u32> {
        let index = u32::try_from(index).ok()?;
        (index < LockHolder::POISONED).then_some(u32::from(cell as u16) << 16 | index)
    }

    /// The cell of such a number, but for a multiple of 65536, and the index.
    pub fn numbered(number: u32) -> (u16, usize) {
        ((number >> 16) as u16, usize::from(number as u16))
    }
}

/// Stands before the statements of a cell that takes locks where nothing can be noted.
pub(crate) const UNSEEN: &str = "::interleave::private::takes_locks_unseen(); ";
/// Stands before a call that takes a lock.
const OPEN: &str = "match/*lock*/ ";
/// Stands behind it, around the number.
const CLOSE: [&str; 2] = [
    " { interleave_lock => { ::interleave::private::Taken(&interleave_lock).note(",
    "); interleave_lock } }",
];
/// Stands before a call that waits, around what is waited for, and the number.
const WAIT: [&str; 3] = ["{/*wait*/::interleave::private::Awaits(&", ").note(", "); "];
/// The same where what is waited for has no name: around it.
const NAMELESS: [&str; 3] = [
    "match/*wait*/ &mut ",
    " { interleave_it => { ::interleave::private::Awaits(&*interleave_it).note(",
    "); interleave_it",
];
/// Stands behind it.
const WAITED: [&str; 2] = ["/*wait*/}", "/*wait*/} }"];

/// What there is to say of a source into which no notes can be written.
pub(crate) fn unseen(source: &str, file: &syn::File) -> Found {
    let found = find(source, file, 0);
    Found {
        takes_unseen: found.takes_unseen || !found.opens.is_empty(),
        ..Found::default()
    }
}

/// What stands behind a call that takes a lock.
fn close(number: u32) -> String {
    format!("{}{number}{}", CLOSE[0], CLOSE[1])
}

/// The text without these, for a piece of source that rustc suggests.
pub(crate) fn without(text: &str) -> String {
    let mut text = text.replace(OPEN, "").replace(NAMELESS[0], "");
    for (open, close) in [
        (CLOSE[0], CLOSE[1]),
        (WAIT[0], WAIT[2]),
        (NAMELESS[1], NAMELESS[2]),
    ] {
        while let Some(start) = text.find(open) {
            let end = text[start..].find(close);
            let end = end.map_or(text.len(), |end| start + end + close.len());
            text.replace_range(start..end, "");
        }
    }
    text.replace(WAITED[1], "").replace(WAITED[0], "")
}

#[cfg(test)]
mod tests;
