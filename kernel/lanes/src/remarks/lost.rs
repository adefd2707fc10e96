//! Tasks that nobody can wake.

use crate::{Picture, Remark, State, WaitKind};

/// One for each line in which tasks wait for ever.
pub(super) fn remarks(picture: &Picture) -> Vec<Remark> {
    let mut remarks = Vec::<Remark>::new();
    for (index, lane) in picture.lanes.iter().enumerate() {
        let last = lane.spans.last().filter(|span| {
            span.goes_on && matches!(&span.state, State::Waits(wait) if wait.kind == WaitKind::Lost)
        });
        let Some(span) = last else { continue };
        let place = span.place.or(lane.made_at);
        if place.is_some() && remarks.iter().any(|known| known.place == place) {
            continue;
        }
        remarks.push(Remark {
            text: format!(
                "{} waits for ever: nobody has its waker, so nobody can wake it.",
                lane.name
            ),
            place,
            lane: index,
        });
    }
    remarks
}
