//! `:time`: where the time of a cell went.

use std::time::Duration;

use interleave_protocol::RunTimes;

/// How long a cell took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Times {
    /// From the start to the end of everything.
    pub(super) whole: Duration,
    /// What the cell itself took, if it ran.
    pub(super) run: Option<RunTimes>,
}

impl Times {
    /// One line for the student.
    pub(super) fn describe(&self) -> String {
        let Some(run) = self.run else {
            return format!("compiling {}, not run", seconds(self.whole));
        };
        let compiled = self.whole.saturating_sub(run.wall());
        let waited = run.wall().saturating_sub(run.cpu());
        format!(
            "compiling {}, running {}: computed {}, waited {}; processor time of all threads {}",
            seconds(compiled),
            seconds(run.wall()),
            seconds(run.cpu().min(run.wall())),
            seconds(waited),
            seconds(run.all_cpu()),
        )
    }
}

/// In the unit that a reader can compare at a glance.
fn seconds(time: Duration) -> String {
    if time < Duration::from_millis(1) {
        format!("{} µs", time.as_micros())
    } else if time < Duration::from_secs(1) {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}

/// Whether the cells of a notebook are timed, and how long the last one took.
#[derive(Debug, Default)]
pub(super) struct Timer {
    always: bool,
    last: Option<Times>,
}

/// What `:time` alone in a cell asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// How long the cell before took.
    Last,
    On,
    Off,
}

impl Timer {
    /// Notes the times of a cell. Returns what to show, if they were asked for.
    pub(super) fn note(&mut self, times: Times, asked: bool) -> Option<String> {
        self.last = Some(times);
        (asked || self.always).then(|| times.describe())
    }

    /// Answers `:time`.
    pub(super) fn answer(&mut self, request: Request) -> String {
        match request {
            Request::Last => match &self.last {
                Some(times) => times.describe(),
                None => "no cell has run yet".to_owned(),
            },
            Request::On => {
                self.always = true;
                "every cell is timed from now on".to_owned()
            }
            Request::Off => {
                self.always = false;
                "cells are no longer timed".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_told_from_computing() {
        let run = RunTimes {
            wall_ns: 3_004_000_000,
            cpu_ns: 4_000_000,
            all_cpu_ns: 9_500_000,
        };
        let times = Times {
            whole: Duration::from_nanos(3_216_000_000),
            run: Some(run),
        };
        assert_eq!(
            times.describe(),
            "compiling 212.0 ms, running 3.00 s: computed 4.0 ms, waited 3.00 s; \
             processor time of all threads 9.5 ms"
        );
    }

    #[test]
    fn a_cell_that_did_not_run_was_only_compiled() {
        let times = Times {
            whole: Duration::from_millis(80),
            run: None,
        };
        assert_eq!(times.describe(), "compiling 80.0 ms, not run");
    }

    #[test]
    fn times_are_shown_when_they_were_asked_for() {
        let mut timer = Timer::default();
        assert_eq!(timer.answer(Request::Last), "no cell has run yet");
        assert_eq!(timer.note(Times::default(), false), None);
        assert!(timer.note(Times::default(), true).is_some());
        timer.answer(Request::On);
        assert!(timer.note(Times::default(), false).is_some());
    }
}
