//! What is worth a word.
//!
//! Only what the events show: that somebody had to wait while somebody else could have let him go on,
//! or that nobody can.

mod kept;
mod locks;
mod loops;
mod lost;
mod pools;

use crate::{Lane, Picture, Remark, Span, State};

/// More would not be read.
const MOST: usize = 5;
/// Shorter waits, in nanoseconds, are not worth a word.
const LONG: u64 = 100_000_000;

/// The remarks on a picture, worst first.
pub(crate) fn of(picture: &Picture) -> Vec<Remark> {
    let mut remarks = lost::remarks(picture);
    remarks.extend(kept::remarks(picture));
    remarks.extend(loops::remarks(picture));
    remarks.extend(locks::remarks(picture));
    remarks.extend(pools::remarks(picture));
    remarks.truncate(MOST);
    remarks
}

/// For how long two stretches of time are one.
fn common(one: &Span, from: u64, to: u64) -> u64 {
    one.to.min(to).saturating_sub(one.from.max(from))
}

/// For how long a lane did such things between two times.
fn spent(lane: &Lane, (from, to): (u64, u64), is_such: impl Fn(&State) -> bool) -> u64 {
    let spans = lane.spans.iter().filter(|span| is_such(&span.state));
    spans.map(|span| common(span, from, to)).sum()
}
