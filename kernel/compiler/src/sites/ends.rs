//! Which variables hold the ends of a channel, and how long.
//!
//! A receiver waits as long as a sender lives. So of each channel that is made by
//! `let (tx, rx) = …channel(…)` the variables are followed that hold an end: by names and scopes,
//! through clones, and into closures and blocks that take them along. What goes elsewhere (into a
//! field, an argument, a pattern) is lost sight of.

use serde::{Deserialize, Serialize};
use syn::{Expr, ExprCall};

mod follow;

pub(super) use follow::find;

/// Functions that make a channel, whatever module they are in.
pub(super) const MAKERS: [&str; 5] = [
    "channel",
    "sync_channel",
    "bounded",
    "unbounded",
    "unbounded_channel",
];

/// A line and a column in characters, both from 1, in the source without insertions.
pub type Position = (usize, usize);

/// A variable that holds an end of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its name.
    pub name: String,
    /// Where it is bound, or where the closure begins that has taken the value along.
    pub from: Position,
    /// Where its scope ends.
    pub until: Position,
    /// The line in which its value goes elsewhere, if it does: from there on it holds nothing.
    pub moved: Option<usize>,
    /// Whether the notebook keeps it when the cell is over.
    pub is_kept: bool,
    /// The closure that it is in, if that was given to somebody: perhaps to another thread.
    pub body: Option<Body>,
    /// Whether it is the end that sends.
    pub sends: bool,
}

/// A closure or an `async` block that was given to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// Where it begins.
    pub from: Position,
    /// Where it ends.
    pub until: Position,
    /// The lines of the call.
    pub call: (usize, usize),
}

impl End {
    /// Whether it holds its value in code that has got to this place in its body.
    pub fn holds_at(&self, place: Position) -> bool {
        self.from <= place && place <= self.until && self.moved.is_none_or(|moved| place.0 < moved)
    }
}

impl Body {
    /// The innermost of these in which a place is.
    pub fn around(place: Position, bodies: &[Self]) -> Option<Self> {
        let around = |body: &&Self| body.from <= place && place <= body.until;
        let innermost = bodies.iter().filter(around).max_by_key(|body| body.from);
        innermost.copied()
    }
}

/// What was found of one channel.
#[derive(Debug)]
pub(super) struct Channel {
    /// Where the call that makes it begins, in bytes.
    pub(super) at: usize,
    /// The names of both ends, the sender's first.
    pub(super) names: [String; 2],
    pub(super) ends: Vec<End>,
}

/// The call that makes a channel, without what unwraps it.
pub(super) fn is_maker(call: &ExprCall) -> bool {
    let Expr::Path(function) = &*call.func else {
        return false;
    };
    let last = function.path.segments.last();
    last.is_some_and(|last| MAKERS.iter().any(|name| last.ident == name))
}

#[cfg(test)]
mod tests;
