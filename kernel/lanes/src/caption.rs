//! The numbers of a picture.

use std::{collections::HashSet, fmt, time::Duration};

use crate::{ArrowKind, Lane, LaneKind, Picture, Span, State, WaitKind, words};

/// Shorter overlaps, in nanoseconds, come from starting threads.
const WORTH_TELLING: u64 = 1_000_000;

/// How long a cell took, and where the time of its threads went. Times are in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caption {
    /// From the cell's beginning to its end, or until now.
    pub wall: u64,
    /// How many threads are shown, or would be if there were room.
    pub threads: usize,
    /// How many tasks.
    pub tasks: usize,
    /// How long threads ran, one added to the other.
    pub ran: u64,
    /// How long threads slept.
    pub slept: u64,
    /// How long threads waited for locks.
    pub locks: u64,
    /// How long threads waited for messages, notifications, or to be unparked.
    pub wake_ups: u64,
    /// How long threads waited for the end of others.
    pub joins: u64,
    /// How long threads waited for data, input, and other processes.
    pub io: u64,
    /// How long tasks were suspended.
    pub suspended: u64,
    /// Of the waiting for something outside of the cell (time, data, input), so much was done by
    /// several at once.
    pub overlapped_waiting: u64,
    /// Of the running, so much was done by several threads at once.
    pub overlapped_running: u64,
    /// How long the cell was compiled.
    pub compiled: Option<Duration>,
}

impl Caption {
    pub(crate) fn of(picture: &Picture, compiled: Option<Duration>) -> Self {
        let woken = woken_by_loops(picture);
        let mut caption = Self {
            wall: picture.cell_ended.unwrap_or(picture.end),
            overlapped_waiting: overlapped(picture, |lane, span| {
                is_outside(&woken, picture, lane, span)
            }),
            overlapped_running: overlapped(picture, |_, span| span.state == State::Runs),
            compiled,
            ..Self::default()
        };
        // Threads first: what tasks waited is taken from what their threads ran.
        let (threads, others): (Vec<_>, Vec<_>) = picture
            .lanes
            .iter()
            .partition(|lane| matches!(lane.kind, LaneKind::Thread(_)));
        for lane in threads.into_iter().chain(others) {
            match lane.kind {
                LaneKind::Thread(_) => {
                    caption.threads += 1;
                    lane.spans.iter().for_each(|span| caption.add(span));
                }
                LaneKind::Task(_) => {
                    caption.tasks += 1;
                    lane.spans.iter().for_each(|span| caption.add_of_task(span));
                }
                LaneKind::Object(_) => {}
            }
        }
        caption
    }

    fn add(&mut self, span: &Span) {
        match (&span.state, kind(span)) {
            (State::Runs | State::Lends(_), _) => self.ran += span.length(),
            (_, Some(kind)) => *self.waited(kind) += span.length(),
            _ => {}
        }
    }

    /// While a thread lends itself to a task, the task's lane says whether the thread waits.
    fn add_of_task(&mut self, span: &Span) {
        let Some(kind) = kind(span) else { return };
        if !matches!(kind, WaitKind::Suspended | WaitKind::Lost) {
            self.ran = self.ran.saturating_sub(span.length());
        }
        *self.waited(kind) += span.length();
    }

    fn waited(&mut self, kind: WaitKind) -> &mut u64 {
        match kind {
            WaitKind::Sleep => &mut self.slept,
            WaitKind::Lock => &mut self.locks,
            WaitKind::WakeUp => &mut self.wake_ups,
            WaitKind::Join => &mut self.joins,
            WaitKind::Io => &mut self.io,
            WaitKind::Suspended | WaitKind::Lost => &mut self.suspended,
        }
    }

    /// `4 threads`, or `1 thread, 3 tasks`.
    pub(crate) fn who(&self) -> String {
        let threads = words::count(self.threads, "thread");
        if self.tasks == 0 {
            return threads;
        }
        format!("{threads}, {}", words::count(self.tasks, "task"))
    }

    /// What several did at once, if that is worth a word.
    pub(crate) fn overlap(&self) -> Option<String> {
        let is_much = |time: u64| time > self.wall / 20 && time >= WORTH_TELLING;
        let (time, what) = match (self.overlapped_waiting, self.overlapped_running) {
            (waiting, running) if waiting >= running => (waiting, "waiting"),
            (_, running) => (running, "running"),
        };
        is_much(time).then(|| format!("{} of {what} overlapped", words::rough_span(time)))
    }
}

fn kind(span: &Span) -> Option<WaitKind> {
    match &span.state {
        State::Waits(wait) => Some(wait.kind),
        _ => None,
    }
}

/// Whether a lane waits for something that no other lane does: for time, data or input.
fn is_outside(woken: &HashSet<(usize, u64)>, picture: &Picture, lane: usize, span: &Span) -> bool {
    match (picture.lanes[lane].kind, kind(span)) {
        (_, Some(WaitKind::Sleep | WaitKind::Io)) => true,
        (LaneKind::Task(_), Some(WaitKind::Suspended)) => woken.contains(&(lane, span.to)),
        _ => false,
    }
}

/// The tasks that were woken by the thread that runs tasks, not by another task or at its end, and
/// when: what they waited for was none of the other lanes.
fn woken_by_loops(picture: &Picture) -> HashSet<(usize, u64)> {
    let tasks = picture.lanes.iter().filter(|lane| lane.is_indented());
    let ends = tasks.filter_map(|lane| Some((lane.name.as_str(), lane.spans.last()?.to)));
    let ends = HashSet::from_iter(ends);
    let wakes = picture
        .arrows
        .iter()
        .filter(|arrow| arrow.kind == ArrowKind::Wake);
    let by_loops = wakes.filter(|it| is_by_loop(&picture.lanes[it.from], it.from_time, &ends));
    by_loops.map(|arrow| (arrow.to, arrow.to_time)).collect()
}

/// Whether a lane has looked at the clock or at its connections, since it ran a task to its end.
fn is_by_loop(lane: &Lane, time: u64, ends: &HashSet<(&str, u64)>) -> bool {
    let now = lane.spans.partition_point(|span| span.from <= time);
    let before = lane.spans[..now].iter().rev();
    let mut before = before.skip_while(|span| span.state == State::Runs);
    match before.next() {
        Some(Span { state, to, .. }) => match state {
            State::Lends(task) => !ends.contains(&(task.as_str(), *to)) && *to <= time,
            state => *state == State::Idle,
        },
        None => false,
    }
}

/// How much time lanes spent in this way while others did, too.
fn overlapped(picture: &Picture, is_counted: impl Fn(usize, &Span) -> bool) -> u64 {
    let mut turns = Vec::new();
    for (index, lane) in picture.lanes.iter().enumerate() {
        for span in lane.spans.iter().filter(|span| is_counted(index, span)) {
            turns.extend([(span.from, 1_i64), (span.to, -1)]);
        }
    }
    turns.sort_unstable();
    let (mut sum, mut lanes, mut before) = (0, 0_i64, 0);
    for (time, change) in turns {
        if lanes > 1 {
            sum += (time - before) * lanes.unsigned_abs();
        }
        (before, lanes) = (time, lanes + change);
    }
    sum
}

impl fmt::Display for Caption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wall, ran, .. } = *self;
        let (wall, ran) = (words::span(wall), words::span(ran));
        write!(f, "{} · {wall} by the clock · ran {ran} in all", self.who())?;
        let parts = [
            ("slept", self.slept),
            ("waited for locks", self.locks),
            ("for messages or wake-ups", self.wake_ups),
            ("for threads to end", self.joins),
            ("for I/O", self.io),
            ("tasks were suspended", self.suspended),
        ];
        let mut has_waited = false;
        for (what, time) in parts.into_iter().filter(|(_, time)| *time > 0) {
            let verb = if what.starts_with("for") && !has_waited {
                "waited "
            } else {
                ""
            };
            has_waited |= what.contains("for");
            write!(f, " · {verb}{what} {}", words::span(time))?;
        }
        if let Some(compiled) = self.compiled {
            let compiled = u64::try_from(compiled.as_nanos()).unwrap_or(u64::MAX);
            write!(f, " · compiled {}", words::span(compiled))?;
        }
        Ok(())
    }
}

impl Picture {
    /// One line: `4 threads · 1.00 s, 3.0 s of waiting overlapped`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut line = format!(
            "{} · {}",
            self.caption.who(),
            words::span(self.caption.wall)
        );
        if self.is_running {
            line += " so far";
        } else if let Some(after) = self.after_the_cell() {
            line += &format!(", {after}");
        }
        if let Some(overlap) = self.caption.overlap() {
            line += &format!(", {overlap}");
        }
        match self.remarks.len() {
            0 => line,
            remarks => format!("{line} · {}", words::count(remarks, "remark")),
        }
    }

    /// Which threads outlive the cell, and for how long.
    fn after_the_cell(&self) -> Option<String> {
        let threads = self
            .lanes
            .iter()
            .filter(|it| matches!(it.kind, LaneKind::Thread(_)));
        let last = threads.filter_map(|lane| lane.spans.last());
        let goes_on = last.filter(|it| it.goes_on && it.state != State::Idle);
        match goes_on.count() {
            0 => {
                let later = self.caption.wall + self.caption.wall / 20 + WORTH_TELLING;
                let until = || format!("the last thread until {}", words::span(self.end));
                (self.end > later).then(until)
            }
            1 => Some("1 thread goes on".to_owned()),
            several => Some(format!("{several} threads go on")),
        }
    }
}
