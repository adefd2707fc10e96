//! From what is known of each lane to the picture.

use std::collections::HashSet;

use interleave_protocol::{ObjectKind, ThreadKind, ThreadState};

use super::{
    Doing, Key, Reader, ThreadTrack,
    labels::{self, Labels},
    track::Piece,
};
use crate::{Arrow, Caption, Lane, LaneKind, Mark, Picture, Span, State, Wait, WaitKind};

/// So many lanes fit on a screen.
const MAX_LANES: usize = 40;
/// So many objects are shown, before tasks.
const MAX_OBJECTS: usize = 8;
/// So many steps are told.
const MAX_STEPS: usize = 300;
/// A picture ends after eleven days, in nanoseconds: so sums over all lanes are numbers, too, whatever
/// the clock says.
const LONGEST: u64 = 1_000_000_000_000_000;
/// A thread of a pool that did nothing else is shown if it ran for so long, in nanoseconds.
const BUSY: u64 = 1_000_000;

pub(super) fn picture(reader: Reader<'_>) -> Picture {
    let all = shown(&reader);
    let lanes = ordered(&reader, all);
    let labels = Labels::new(&reader, &lanes);
    let end = end(&reader, &lanes, &labels);
    let frame = Frame {
        origin: reader.origin,
        end,
    };
    let drawn: Vec<Lane> = lanes
        .iter()
        .map(|key| frame.lane(&reader, &labels, *key))
        .collect();
    let steps = reader.steps.iter();
    let steps = steps.filter_map(|step| step.told(&labels, reader.origin, end));
    let mut picture = Picture {
        cell: reader.trace.cell,
        end,
        cell_ended: reader.cell_ended.map(|time| frame.place(time)),
        is_running: reader.trace.is_running,
        arrows: frame.arrows(&reader, &labels),
        lanes: drawn,
        steps: steps.collect(),
        more_steps: 0,
        more_lanes: 0,
        lost: reader.trace.lost,
        caption: Caption::default(),
        remarks: Vec::new(),
        sources: reader.trace.sources.clone(),
    };
    picture.caption = Caption::of(&picture, reader.trace.compiled);
    picture.remarks = crate::remarks::of(&picture);
    crate::trim::lanes(&mut picture, MAX_LANES, MAX_OBJECTS);
    crate::trim::steps(&mut picture, MAX_STEPS);
    picture
}

/// All lanes that have something to show.
fn shown(reader: &Reader<'_>) -> Vec<Key> {
    let linked = linked(reader);
    let is_wanted = |key: Key, is_own: bool| is_own || linked.contains(&key);
    let tasks = reader.tasks.iter().enumerate();
    let tasks = tasks.filter(|(index, task)| is_wanted(Key::Task(*index), task.track.is_own));
    let tasks = Vec::from_iter(tasks.map(|(index, _)| index));
    let hosts = HashSet::<u64>::from_iter(tasks.iter().map(|task| reader.tasks[*task].home));
    let threads = reader.threads.iter().filter(|(number, thread)| {
        let is_active = hosts.contains(number) || is_active(reader, thread);
        is_wanted(Key::Thread(**number), thread.track.is_own) && is_active
    });
    let objects = reader.objects.iter();
    let objects = objects.filter(|((kind, id), it)| is_wanted(Key::Object(*kind, *id), it.is_own));
    let objects = objects.filter(|(object, _)| !has_a_thread(reader, **object));
    let threads = threads.map(|(number, _)| Key::Thread(*number));
    let objects = objects.map(|((kind, id), _)| Key::Object(*kind, *id));
    let tasks = tasks.into_iter().map(Key::Task);
    threads.chain(tasks).chain(objects).collect()
}

/// A timer has a thread, whose lane says more.
fn has_a_thread(reader: &Reader<'_>, (kind, id): (ObjectKind, u64)) -> bool {
    let name = format!("Timer-{id}");
    let mut names = reader.threads.values().filter_map(|it| it.name.as_deref());
    kind == ObjectKind::Timer && names.any(|known| known == name)
}

/// The lanes that did something to one of this cell, or the other way round.
fn linked(reader: &Reader<'_>) -> HashSet<Key> {
    let is_own = |key: Key| match key {
        Key::Thread(number) => reader
            .threads
            .get(&number)
            .is_some_and(|it| it.track.is_own),
        Key::Task(task) => reader.tasks[task].track.is_own,
        Key::Object(..) => false,
    };
    let mut linked = HashSet::new();
    for link in &reader.links {
        if is_own(link.from.0) || is_own(link.to.0) {
            linked.extend([link.from.0, link.to.0]);
        }
    }
    linked
}

/// Whether there is something to see: threads of pools, and those of earlier cells, may have done
/// nothing but wait for something to do.
fn is_active(reader: &Reader<'_>, thread: &ThreadTrack) -> bool {
    match thread.kind {
        Some(ThreadKind::Cells | ThreadKind::Student) => return true,
        Some(ThreadKind::Own) => return false,
        None if thread.spawned.is_some() => return true,
        _ => {}
    }
    let ran = thread
        .track
        .pieces
        .iter()
        .filter(|piece| piece.doing == Doing::Runs);
    let ran: u64 = ran.map(|it| it.to.map_or(0, |to| to - it.from)).sum();
    let has_work = thread.track.doings().any(|doing| match doing {
        Doing::Lends(_) => true,
        Doing::Waits(waiting) => matches!(
            waiting.state,
            ThreadState::Sleeping { .. } | ThreadState::Joining { .. } | ThreadState::Input
        ),
        _ => false,
    });
    let whole = reader.trace.until.saturating_sub(reader.origin);
    has_work || !thread.track.marks.is_empty() || ran >= BUSY.max(whole / 20)
}

/// The thread of the cell first, the others as they began; tasks below their thread.
fn ordered(reader: &Reader<'_>, lanes: Vec<Key>) -> Vec<Key> {
    let place = |key: &Key| match *key {
        Key::Thread(number) => (0, thread_place(reader, number), 0),
        Key::Task(task) => (0, thread_place(reader, reader.tasks[task].home), task + 1),
        Key::Object(kind, id) => {
            let first = reader.objects[&(kind, id)].first;
            (1, (kind as u64, first.unwrap_or(0), id), 0)
        }
    };
    let mut lanes = lanes;
    lanes.sort_by_key(place);
    lanes
}

fn thread_place(reader: &Reader<'_>, number: u64) -> (u64, u64, u64) {
    let Some(thread) = reader.threads.get(&number) else {
        return (1, u64::MAX, number);
    };
    let is_main = thread.kind == Some(ThreadKind::Cells);
    (u64::from(!is_main), thread.track.first.unwrap_or(0), number)
}

/// Where the picture ends, from its beginning: when the cell ended, or the last of its threads, or
/// now if something goes on.
fn end(reader: &Reader<'_>, lanes: &[Key], labels: &Labels<'_>) -> u64 {
    let (mut last, mut goes_on) = (reader.cell_ended.unwrap_or(reader.origin), false);
    for key in lanes {
        let (pieces, marks) = reader.doings(*key);
        for piece in pieces.iter().filter(|piece| !is_idle(piece, labels)) {
            last = last.max(piece.to.unwrap_or(piece.from));
            // A task that nobody runs does not go on.
            goes_on |= piece.to.is_none() && matches!(key, Key::Thread(_));
        }
        last = marks.iter().map(|mark| mark.at).fold(last, u64::max);
    }
    let last = last.saturating_sub(reader.origin);
    let now = reader.trace.until.saturating_sub(reader.origin);
    let end = match (reader.trace.is_running, goes_on) {
        (true, _) => last.max(now),
        // As much as shows that it goes on; it may do so for hours.
        (false, true) => last.max(now.min(last.saturating_add(last / 8))),
        (false, false) => last,
    };
    end.clamp(1, LONGEST)
}

fn is_idle(piece: &Piece<Doing>, labels: &Labels<'_>) -> bool {
    matches!(&piece.doing, Doing::Waits(waiting) if labels.is_idle(waiting))
}

impl Reader<'_> {
    /// What a thread or task did; nothing for an object, whose last state lasts for ever.
    fn doings(&self, lane: Key) -> (Vec<Piece<Doing>>, &[Mark]) {
        let track = match lane {
            Key::Thread(number) => &self.threads[&number].track,
            Key::Task(task) => &self.tasks[task].track,
            Key::Object(..) => return (Vec::new(), &[]),
        };
        (track.all_pieces(), &track.marks)
    }
}

/// What the picture shows of time.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// Absolute.
    origin: u64,
    end: u64,
}

impl Frame {
    /// From absolute time to time in the picture.
    fn place(self, time: u64) -> u64 {
        time.saturating_sub(self.origin).min(self.end)
    }

    fn lane(self, reader: &Reader<'_>, labels: &Labels<'_>, key: Key) -> Lane {
        let (kind, made_at) = match key {
            Key::Thread(number) => {
                let thread = &reader.threads[&number];
                let kind = thread.kind.unwrap_or(ThreadKind::Student);
                (LaneKind::Thread(kind), thread.made_at)
            }
            Key::Task(task) => {
                let task = &reader.tasks[task];
                (LaneKind::Task(task.name.kind), task.made_at)
            }
            Key::Object(kind, _) => (LaneKind::Object(kind), None),
        };
        let spans = match key {
            Key::Object(kind, id) => {
                let pieces = reader.objects[&(kind, id)].all_pieces();
                self.spans(pieces, |state| State::Says(state.clone()))
            }
            _ => self.spans(reader.doings(key).0, |doing| state(labels, doing)),
        };
        let marks = reader.doings(key).1.iter().map(|mark| Mark {
            at: self.place(mark.at),
            ..mark.clone()
        });
        Lane {
            kind,
            name: labels.name(key),
            made_at,
            spans,
            marks: marks.collect(),
        }
    }

    fn spans<Doing>(self, pieces: Vec<Piece<Doing>>, state: impl Fn(&Doing) -> State) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for piece in pieces {
            let from = self.place(piece.from);
            let to = piece.to.map_or(self.end, |to| self.place(to));
            let goes_on = piece
                .to
                .is_none_or(|to| to.saturating_sub(self.origin) > self.end);
            let state = state(&piece.doing);
            match spans.last_mut() {
                // A nap in a task that is not shown, for example.
                Some(last) if last.to == from && last.state == state && state == State::Runs => {
                    (last.to, last.goes_on) = (to, goes_on);
                }
                _ if from < to => spans.push(Span {
                    from,
                    to,
                    state,
                    place: piece.place,
                    goes_on,
                }),
                _ => {}
            }
        }
        spans
    }

    fn arrows(self, reader: &Reader<'_>, labels: &Labels<'_>) -> Vec<Arrow> {
        let links = reader.links.iter().filter_map(|link| {
            let (from, to) = (labels.index(link.from.0)?, labels.index(link.to.0)?);
            let is_seen = from != to && link.from.1.saturating_sub(reader.origin) <= self.end;
            is_seen.then(|| Arrow {
                kind: link.kind,
                from,
                from_time: self.place(link.from.1),
                to,
                to_time: self.place(link.to.1),
                text: link.text.clone(),
            })
        });
        links.collect()
    }
}

fn state(labels: &Labels<'_>, doing: &Doing) -> State {
    match doing {
        Doing::Runs => State::Runs,
        Doing::Lends(task) => match labels.index(Key::Task(*task)) {
            Some(_) => State::Lends(labels.name(Key::Task(*task))),
            None => State::Runs,
        },
        Doing::Waits(waiting) if labels.is_idle(waiting) => State::Idle,
        Doing::Waits(waiting) => State::Waits(labels.wait(waiting)),
        Doing::Ready => State::Ready,
        Doing::Suspended(awaits, lock) => {
            let keeps = lock.map(|lock| labels.lock(lock));
            let awaits = labels::suspended(*awaits);
            State::Waits(Wait {
                kind: WaitKind::Suspended,
                label: match &keeps {
                    None => awaits.to_owned(),
                    Some(keeps) => format!("{awaits}, keeps {keeps}"),
                },
                address: *lock,
                keeps,
            })
        }
        Doing::Lost => State::Waits(Wait {
            kind: WaitKind::Lost,
            label: "nobody can wake it".to_owned(),
            address: None,
            keeps: None,
        }),
    }
}
