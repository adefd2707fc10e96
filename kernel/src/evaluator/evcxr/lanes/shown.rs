//! What of a recording is on the page, and when to bring it up to date. Pure.

use std::time::{Duration, Instant};

/// A cell that runs for so long shows what its threads do meanwhile.
const PATIENCE: Duration = Duration::from_millis(500);

/// At most five times a second.
const PACE: Duration = Duration::from_millis(200);

/// A picture may take such a part of the time until the next one.
const SHARE: u32 = 10;

/// What is on the page.
#[derive(Debug)]
pub(in super::super) struct Shown {
    began: Instant,
    /// Name of the display, once there is one.
    pub(in super::super) id: Option<String>,
    /// When to look again, at the earliest.
    due: Instant,
    /// Whether something happened since.
    pub(in super::super) is_behind: bool,
}

impl Shown {
    pub(in super::super) fn new(now: Instant) -> Self {
        Self {
            began: now,
            id: None,
            due: now + PATIENCE,
            is_behind: true,
        }
    }

    /// Whether to draw it again now. What runs changes with time alone.
    pub(in super::super) fn is_due(&self, now: Instant, is_running: bool) -> bool {
        self.wants(is_running) && now >= self.due
    }

    /// How long to wait for that; `None` when nothing is to come.
    pub(in super::super) fn time_left(&self, now: Instant, is_running: bool) -> Option<Duration> {
        self.wants(is_running)
            .then(|| self.due.saturating_duration_since(now))
    }

    fn wants(&self, is_running: bool) -> bool {
        self.is_behind || (is_running && self.id.is_some())
    }

    /// It was drawn, from `start` to `now`. The longer a cell goes on, the rarer: nobody sees a
    /// picture of a minute grow by a fifth of a second.
    pub(in super::super) fn drawn(&mut self, start: Instant, now: Instant) {
        let age = now.saturating_duration_since(self.began);
        let took = now.saturating_duration_since(start);
        self.due = now + PACE.max(age / 50).max(took * SHARE);
        self.is_behind = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_cell_shows_nothing_while_it_runs() {
        let start = Instant::now();
        let shown = Shown::new(start);
        assert!(!shown.is_due(start + PATIENCE / 2, true));
        assert!(shown.is_due(start + PATIENCE, true));
        assert_eq!(shown.time_left(start, true), Some(PATIENCE));
    }

    #[test]
    fn what_runs_is_drawn_again_at_its_pace() {
        let start = Instant::now();
        let mut shown = Shown::new(start);
        let first = start + PATIENCE;
        shown.drawn(first, first);
        assert!(
            !shown.is_due(first + 2 * PACE, true),
            "nothing is on the page"
        );
        shown.id = Some("picture".into());
        assert!(shown.is_due(first + PACE, true));
        assert!(!shown.is_due(first + PACE, false), "nothing has changed");
        shown.is_behind = true;
        assert!(shown.is_due(first + PACE, false));
        // A picture of a minute.
        let late = start + Duration::from_secs(60);
        shown.drawn(late, late);
        assert!(!shown.is_due(late + Duration::from_secs(1), true));
        // A picture that takes long.
        shown.drawn(late, late + Duration::from_secs(1));
        assert!(!shown.is_due(late + Duration::from_secs(5), true));
    }
}
