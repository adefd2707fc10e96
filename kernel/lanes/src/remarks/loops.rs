//! Tasks that keep the thread for themselves which others need.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use interleave_protocol::TaskKind;

use super::{LONG, common};
use crate::{ArrowKind, Lane, LaneKind, Picture, Place, Remark, Span, State, WaitKind, words};

/// A task that runs for longer, in nanoseconds, should let others run.
const TOO_LONG: u64 = 1_000_000_000;
/// What a loop does so soon after a task, in nanoseconds, it would have done before.
const AT_ONCE: u64 = 2_000_000;

pub(super) fn remarks(picture: &Picture) -> Vec<Remark> {
    let mut cases = BTreeMap::<Cause, Case>::new();
    let lanes = picture.lanes.iter().enumerate();
    let indexes =
        HashMap::<&str, usize>::from_iter(lanes.map(|(index, lane)| (&*lane.name, index)));
    for (thread, lane) in picture.lanes.iter().enumerate() {
        let turns = lane.spans.iter().filter_map(|span| match &span.state {
            State::Lends(task) => Some((span, task)),
            _ => None,
        });
        for (turn, task) in turns {
            let Some(task) = indexes.get(task.as_str()).copied() else {
                continue;
            };
            for (cause, time) in causes(&picture.lanes[task], task, turn) {
                let others = kept_waiting(picture, thread, task, turn);
                if others.is_empty() {
                    continue;
                }
                let case = cases.entry(cause).or_insert_with(|| Case::new(task));
                case.time += time;
                case.others.extend(others);
            }
        }
    }
    let cases = cases.into_iter();
    let mut cases =
        Vec::from_iter(cases.map(|(cause, case)| (case.time, case.remark(picture, &cause))));
    cases.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
    cases.into_iter().map(|(_, remark)| remark).collect()
}

/// Why others had to wait; the same line is one cause, whichever task executes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// It waits, and its thread with it.
    Blocks(WaitKind, Option<Place>),
    /// The task of that index runs and runs.
    Runs(usize),
}

#[derive(Debug)]
struct Case {
    task: usize,
    time: u64,
    others: BTreeSet<usize>,
}

/// What a task did too long in one turn, and how long.
fn causes(task: &Lane, index: usize, turn: &Span) -> Vec<(Cause, u64)> {
    if !is_asynchronous(task) {
        return Vec::new();
    }
    let spans = task.spans.iter();
    let spans = spans.filter(|span| span.from < turn.to && turn.from < span.to);
    let mut causes = Vec::new();
    let mut ran = 0;
    for span in spans {
        let time = common(span, turn.from, turn.to);
        match &span.state {
            State::Waits(wait) if is_of_thread(wait.kind) && time >= LONG => {
                causes.push((Cause::Blocks(wait.kind, span.place), time));
            }
            State::Runs => ran += time,
            _ => {}
        }
    }
    if ran >= TOO_LONG && causes.is_empty() {
        causes.push((Cause::Runs(index), ran));
    }
    causes
}

/// Whether a thread waits so, rather than a task.
fn is_of_thread(kind: WaitKind) -> bool {
    !matches!(kind, WaitKind::Suspended | WaitKind::Lost)
}

fn is_asynchronous(lane: &Lane) -> bool {
    matches!(
        lane.kind,
        LaneKind::Task(TaskKind::Tokio | TaskKind::Coroutine)
    )
}

/// The tasks that this thread would have run or woken meanwhile.
fn kept_waiting(picture: &Picture, thread: usize, task: usize, turn: &Span) -> Vec<usize> {
    let lanes = picture.lanes.iter().enumerate();
    let others = lanes.filter(|(index, lane)| *index != task && is_asynchronous(lane));
    let others = others.filter(|(index, lane)| {
        let is_ready = lane.spans.iter().any(|span| {
            let waits = span.state == State::Ready && common(span, turn.from, turn.to) >= LONG / 2;
            waits && runs_next(picture, thread, *index, span)
        });
        is_ready || is_woken_late(picture, thread, *index, turn)
    });
    others.map(|(index, _)| index).collect()
}

/// Whether the thread is the one that a ready task was waiting for.
fn runs_next(picture: &Picture, thread: usize, task: usize, ready: &Span) -> bool {
    if ready.goes_on {
        // It stands below the thread that had it last.
        let above = &picture.lanes[..task];
        return above.iter().rposition(|lane| !lane.is_indented()) == Some(thread);
    }
    let name = &picture.lanes[task].name;
    picture.lanes[thread].spans.iter().any(|turn| {
        let is_this = matches!(&turn.state, State::Lends(task) if task == name);
        is_this && turn.from == ready.to
    })
}

/// Whether the thread woke the task as soon as it was free: a loop looks for what is due.
fn is_woken_late(picture: &Picture, thread: usize, task: usize, turn: &Span) -> bool {
    let soon = turn.to..=turn.to + AT_ONCE;
    let mut wakes = picture
        .arrows
        .iter()
        .filter(|it| it.kind == ArrowKind::Wake);
    wakes.any(|it| it.from == thread && it.to == task && soon.contains(&it.from_time))
}

impl Case {
    fn new(task: usize) -> Self {
        Self {
            task,
            time: 0,
            others: BTreeSet::new(),
        }
    }

    fn remark(&self, picture: &Picture, cause: &Cause) -> Remark {
        let lane = &picture.lanes[self.task];
        let (time, others) = (
            words::span(self.time),
            words::count(self.others.len(), "task"),
        );
        let (did, place) = match cause {
            Cause::Runs(_) => {
                let text = format!("{} runs for {time} without letting others run", lane.name);
                (text, lane.made_at)
            }
            Cause::Blocks(kind, place) => {
                let blocked = match lane.kind {
                    LaneKind::Task(TaskKind::Coroutine) => "the event loop",
                    _ => "a thread that runs tasks",
                };
                (
                    format!("{} blocks {blocked} for {time}", what(*kind)),
                    *place,
                )
            }
        };
        Remark {
            text: format!("{did}: {others} had to wait."),
            place,
            lane: self.task,
        }
    }
}

fn what(kind: WaitKind) -> &'static str {
    match kind {
        WaitKind::Sleep => "this `thread::sleep`",
        WaitKind::Lock => "this wait for a lock",
        WaitKind::Join => "this `join`",
        WaitKind::Io => "this wait for data",
        WaitKind::WakeUp | WaitKind::Suspended | WaitKind::Lost => {
            "this wait for a message or wake-up"
        }
    }
}
