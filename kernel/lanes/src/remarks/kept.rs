//! Locks that are kept across an `.await`.

use super::common;
use crate::{Picture, Remark, Span, State, WaitKind, words};

/// One for each line in which a lock is kept: with what it has led to, if it has.
pub(super) fn remarks(picture: &Picture) -> Vec<Remark> {
    let mut remarks = Vec::<(u64, Remark)>::new();
    for (index, lane) in picture.lanes.iter().enumerate() {
        for span in &lane.spans {
            let Some((lock, label)) = kept(span) else {
                continue;
            };
            let (waited, who) = longest_wait(picture, lock, span);
            let led_to = match who {
                Some(who) => format!("{who} waited {} for it", words::span(waited)),
                None => "whoever wants it meanwhile blocks its thread".to_owned(),
            };
            let text = format!(
                "{} keeps the {label} across this `.await`: {led_to}.",
                lane.name
            );
            let remark = Remark {
                text,
                place: span.place,
                lane: index,
            };
            let known = remarks.iter_mut().find(|(_, it)| it.place == remark.place);
            match known {
                Some(known) if known.0 < waited => *known = (waited, remark),
                Some(_) => {}
                None => remarks.push((waited, remark)),
            }
        }
    }
    remarks.sort_by_key(|(waited, _)| std::cmp::Reverse(*waited));
    remarks.into_iter().map(|(_, remark)| remark).collect()
}

/// The lock that a suspended task keeps, and what to call it.
fn kept(span: &Span) -> Option<(u64, &str)> {
    match &span.state {
        State::Waits(wait) => Some((wait.address?, wait.keeps.as_deref()?)),
        _ => None,
    }
}

/// How long somebody waited for the lock while the task was suspended, and who.
fn longest_wait(picture: &Picture, lock: u64, kept: &Span) -> (u64, Option<String>) {
    let waits = picture.lanes.iter().flat_map(|lane| {
        let spans = lane.spans.iter().filter(move |span| {
            matches!(&span.state, State::Waits(wait)
                if wait.kind == WaitKind::Lock && wait.address == Some(lock))
        });
        spans.map(|span| (common(span, kept.from, kept.to), &lane.name))
    });
    let waits = waits.filter(|(time, _)| *time > 0);
    let longest = waits.max_by_key(|(time, _)| *time);
    longest.map_or((0, None), |(time, who)| (time, Some(who.clone())))
}
