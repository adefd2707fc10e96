//! Locks that were waited for.

use std::collections::BTreeMap;

use super::{LONG, spent};
use crate::{ArrowKind, Picture, Remark, Span, State, WaitKind, words};

/// The longest wait for each lock that was waited for long, and who gave it back then.
pub(super) fn remarks(picture: &Picture) -> Vec<Remark> {
    let mut longest = BTreeMap::<u64, (usize, &Span)>::new();
    for (index, lane) in picture.lanes.iter().enumerate() {
        for span in &lane.spans {
            let Some(address) = lock(span) else { continue };
            let known = longest.entry(address).or_insert((index, span));
            if known.1.length() < span.length() {
                *known = (index, span);
            }
        }
    }
    let enough = LONG.max(picture.caption.wall / 10);
    let waits = longest
        .into_values()
        .filter(|(_, span)| span.length() >= enough);
    let mut waits = Vec::from_iter(waits.filter_map(|(lane, span)| remark(picture, lane, span)));
    waits.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    waits.into_iter().map(|(_, remark)| remark).collect()
}

fn lock(span: &Span) -> Option<u64> {
    match &span.state {
        State::Waits(wait) if wait.kind == WaitKind::Lock => wait.address,
        _ => None,
    }
}

/// Nothing if nobody was seen to give the lock back: then it is not known who had it.
fn remark(picture: &Picture, lane: usize, span: &Span) -> Option<(u64, Remark)> {
    let State::Waits(wait) = &span.state else {
        return None;
    };
    let mut arrows = picture
        .arrows
        .iter()
        .filter(|it| it.kind == ArrowKind::Wake);
    let gave = arrows.find(|it| it.to == lane && it.from_time == span.to)?;
    let holder = &picture.lanes[gave.from];
    let slept = spent(
        holder,
        (span.from, span.to),
        |state| matches!(state, State::Waits(wait) if wait.kind == WaitKind::Sleep),
    );
    let meanwhile = if slept >= span.length() / 4 {
        format!(", which slept {} meanwhile", words::span(slept))
    } else {
        String::new()
    };
    let text = format!(
        "{} waited {} for the {}, until {} gave it back{meanwhile}.",
        picture.lanes[lane].name,
        words::span(span.length()),
        wait.label,
        holder.name,
    );
    let place = span.place;
    Some((span.length(), Remark { text, place, lane }))
}
