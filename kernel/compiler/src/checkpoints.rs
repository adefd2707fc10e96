//! Places where a running cell can be stopped.
//!
//! A thread cannot be stopped from outside without leaving locks held and values half made. So calls
//! of the prelude's `checkpoint` are written into the student's code, each of which unwinds the
//! thread when it is to stop:
//!
//! - where a loop, a function or a closure begins;
//! - behind a statement that calls something: what it called may have waited, and have been woken.
//!
//! They stand where rustc accepts any statement: not in constants, nor in functions that cannot be
//! unwound, nor in the arguments of macros, which are not Rust before they are expanded. They
//! change no type and no lifetime, and move only columns, which [`Insertions`] maps back.
//!
//! With `:opt 2` and above, a function, a closure or a `for` loop in which nothing is called and
//! nothing repeated has none: it ends by itself, and may become one vector instruction.

use std::ops::Range;

use crate::{
    insertions::Insertions,
    sites::{self, Site},
};

use self::find::Finder;

mod find;

/// Environment variable: `0` leaves checkpoints out. A cell is then stopped where it waits, or with
/// its process.
pub const SWITCH: &str = "INTERLEAVE_CHECKPOINTS";

/// What is written as a statement.
const CALL: &str = "::interleave::private::checkpoint();";
/// What is written before the body of a closure that is no block.
pub(crate) const OPEN: &str = "{ ::interleave::private::checkpoint(); ";
/// What is written behind such a body.
const CLOSE: &str = "}";

/// A source with checkpoints.
#[derive(Debug)]
pub struct Checked {
    /// The changed source. It has the same lines.
    pub source: String,
    /// What was inserted.
    pub insertions: Insertions,
    /// Of a checkpoint behind a statement: where it was put, and the bytes of the next statement.
    pub followers: Vec<(usize, Range<usize>)>,
    /// The calls that take locks or wait.
    pub sites: Vec<Site>,
    /// Whether some of them are noted.
    pub has_notes: bool,
}

/// What is written into the source of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Additions {
    /// Checkpoints, and notes of locks that are taken; the cell's number is in those.
    All {
        /// See [`CellFacts::id`](interleave_protocol::CellFacts::id).
        cell: u64,
    },
    /// Only checkpoints.
    Checkpoints,
}

/// Writes checkpoints into the source of a cell. `None` when there is nothing to check, or the
/// source does not parse.
pub fn insert(source: &str, opt_level: &str, additions: Additions) -> Option<Checked> {
    if std::env::var_os(SWITCH).is_some_and(|value| value == "0") {
        return None;
    }
    let file = syn::parse_file(source).ok()?;
    let optimised = !matches!(opt_level, "0" | "1");
    let cell = cell_code(source)?;
    let statements = cell.clone();
    let mut finder = Finder::new(cell, optimised);
    syn::visit::visit_file(&mut finder, &file);
    let wanted = sites::are_wanted();
    let found = match additions {
        Additions::All { cell } if wanted => sites::find(source, &file, cell),
        Additions::Checkpoints if wanted => sites::unseen(source, &file),
        _ => sites::Found::default(),
    };
    let is_told = found.takes_unseen && !statements.is_empty();
    let unseen = is_told.then_some((statements.start, sites::UNSEEN));
    // At one byte a note ends before a checkpoint stands, and the next note begins behind it.
    let closes = found.closes.iter().rev();
    let closes = closes.map(|(at, text)| (*at, text.as_str()));
    let opens = found.opens.iter().map(|(at, text)| (*at, text.as_str()));
    let pieces: Vec<(usize, &str)> = closes
        .chain(unseen)
        .chain(finder.pieces)
        .chain(opens)
        .collect();
    if pieces.is_empty() {
        return None;
    }
    let (insertions, source) = Insertions::make(source, pieces);
    Some(Checked {
        source,
        insertions,
        followers: finder.followers,
        has_notes: !found.opens.is_empty(),
        sites: found.sites,
    })
}

/// The text without checkpoints, for a piece of source that rustc suggests.
pub fn without(text: &str) -> String {
    sites::without(&text.replace(OPEN, "").replace(CALL, ""))
}

/// Begins the function that evcxr calls, once it is rewritten.
pub(crate) const CELL_FUNCTION: &str = "pub extern \"C-unwind\" fn run_user_code_";

/// In the line behind which the student's statements begin, whoever catches their panics.
const CATCH: &str = "::catch_unwind(";

/// The bytes of the student's statements in the function that evcxr calls: an empty range when the
/// cell has none, and `None` when nothing is to be checked. evcxr compiles a failed cell once more,
/// only for its errors, without catching panics; and nothing may stop between two variables that
/// are put back.
fn cell_code(source: &str) -> Option<Range<usize>> {
    let header = source.rfind(CELL_FUNCTION)?;
    let function = &source[header..];
    let Some(catch) = function.find(CATCH) else {
        let has_code = !function.contains("mut x: *mut std::os::raw::c_void)");
        return (!has_code).then_some(header..header);
    };
    let open = catch + function[catch..].find("||{")?;
    let start = open + function[open..].find('\n')? + 1;
    let put = function[start..].find("evcxr_variable_store.put_variable::<");
    let close = function[start..].rfind("})) { \n");
    let close = close.or_else(|| function[start..].rfind(").is_err() {"))?;
    let end = start + put.map_or(close, |put| put.min(close));
    // The compiler may have written something before what evcxr writes there.
    let end = function[..=end].rfind('\n').unwrap_or(end);
    Some(header + start..header + end)
}

#[cfg(test)]
mod tests;
