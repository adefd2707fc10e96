//! What happened, in words.

use super::{Key, Reader, Waiting, labels::Labels};
use crate::{Event, Place, Step};

/// A step, before it is known which lanes are shown and what they are called.
#[derive(Debug)]
pub(crate) struct RawStep {
    lane: Key,
    time: u64,
    place: Option<Place>,
    says: Says,
    is_last: bool,
}

#[derive(Debug)]
enum Says {
    Text(String),
    About(&'static str, Key, String),
    Waits(Waiting),
}

impl Reader<'_> {
    pub(super) fn step(&mut self, lane: Key, event: &Event, says: String) {
        self.add_step(lane, event, Says::Text(says));
    }

    /// A step that names another lane: `wakes worker`.
    pub(super) fn step_about(
        &mut self,
        lane: Key,
        event: &Event,
        verb: &'static str,
        other: Key,
        tail: &str,
    ) {
        self.add_step(lane, event, Says::About(verb, other, tail.to_owned()));
    }

    pub(super) fn step_waits(&mut self, event: &Event, waiting: Waiting) {
        let lane = self.active(event);
        self.add_step(lane, event, Says::Waits(waiting));
    }

    /// The step that was told last was the lane's last.
    pub(super) fn was_last_step(&mut self) {
        self.steps
            .iter_mut()
            .rev()
            .take(1)
            .for_each(|step| step.is_last = true);
    }

    fn add_step(&mut self, lane: Key, event: &Event, says: Says) {
        self.steps.push(RawStep {
            lane,
            time: event.time,
            place: event.at,
            says,
            is_last: false,
        });
    }
}

impl RawStep {
    /// The step in the picture, if its lane is there.
    pub(crate) fn told(&self, labels: &Labels<'_>, origin: u64, end: u64) -> Option<Step> {
        let at = self.time.saturating_sub(origin);
        let lane = labels.index(self.lane).filter(|_| at <= end)?;
        let text = match &self.says {
            Says::Text(text) => text.clone(),
            Says::About(verb, other, tail) => format!("{verb} {}{tail}", labels.name(*other)),
            Says::Waits(waiting) if labels.is_idle(waiting) => "has nothing to run".to_owned(),
            Says::Waits(waiting) => labels.waits(waiting),
        };
        Some(Step {
            at,
            lane,
            text,
            place: self.place,
            is_last: self.is_last,
        })
    }
}
