//! What the threads of each cell did, kept for as long as it may be drawn.
//!
//! The host tells it in pieces ([`interleave_protocol::HostEvent::Trace`]), also when the cell has
//! ended. Here the pieces are sorted by cell; `interleave-lanes` draws them.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};

use interleave_lanes::{Event, Picture, Place, Source, Trace};
use interleave_protocol::{Awaited, CodeAddress, TaskName, TraceBatch, What};

use super::places::Places;
use shown::Shown;

pub(super) mod awaits;
pub(super) mod command;
mod named;
mod shown;

/// So many cells are remembered.
const REMEMBERED: usize = 32;

/// So many events of a cell while it runs, and again so many afterwards.
const EVENTS: usize = 20_000;

/// Of so many threads and tasks it is known who they are.
const KNOWN: usize = 20_000;

/// So many changes of a thread of a pool that works for no cell are remembered.
const IDLE: usize = 64;

/// When a cell shows what its threads did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Mode {
    /// When there is more than one thread or task.
    #[default]
    Auto,
    /// Always, and open.
    On,
    /// Never; nothing is noted either.
    Off,
}

/// Of all cells.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    pub(super) mode: Mode,
    /// Whether the newest cell has asked for its own.
    pub(super) are_wanted: bool,
    /// Oldest first.
    recordings: VecDeque<Recording>,
    host: HostNames,
    code: HashMap<CodeAddress, Code>,
}

/// What there is at an address of a cell.
#[derive(Debug, Clone, Copy)]
struct Code {
    /// The line of a cell that it is in.
    line: Option<Place>,
    /// What a task waits for which is suspended in this code of a library.
    awaits: Option<Awaited>,
}

/// What one host calls things.
#[derive(Debug, Default)]
struct HostNames {
    /// How each thread began and what it is called, by its number.
    threads: HashMap<u64, Vec<Event>>,
    /// What threads of pools have waited for between tasks, lately.
    idle: HashMap<u64, VecDeque<Event>>,
    /// The cell that each task belongs to, by the host's count.
    tasks: HashMap<TaskName, u64>,
}

/// Of one cell.
#[derive(Debug)]
pub(super) struct Recording {
    /// The cell, as the host counts; `None` when that host is gone.
    host_count: Option<u64>,
    /// Its place among the cells whose output is kept apart.
    pub(super) output: usize,
    /// Whether it has asked for them.
    is_wanted: bool,
    trace: Trace,
    calls: named::Calls,
    /// Threads among the events.
    threads: HashSet<u64>,
    /// So many events may be noted.
    room: usize,
    pub(super) shown: Shown,
}

/// A cell begins to run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning {
    /// As the host counts cells.
    pub(super) host_count: u64,
    /// See [`Recording::output`].
    pub(super) output: usize,
    /// The number in `In [n]`.
    pub(super) number: usize,
    pub(super) compiled: Duration,
}

impl Lanes {
    /// Whether the host is to say what threads do.
    pub(super) fn are_noted(&self) -> bool {
        self.mode != Mode::Off || self.are_wanted
    }

    pub(super) fn begin(&mut self, cell: Beginning) {
        if !self.are_noted() {
            return;
        }
        self.recordings.push_back(Recording {
            host_count: Some(cell.host_count),
            output: cell.output,
            is_wanted: self.are_wanted,
            trace: Trace {
                cell: cell.number,
                is_running: true,
                compiled: Some(cell.compiled),
                ..Trace::default()
            },
            calls: named::Calls::default(),
            threads: HashSet::new(),
            room: EVENTS,
            shown: Shown::new(Instant::now()),
        });
        if self.recordings.len() > REMEMBERED {
            self.recordings.pop_front();
        }
    }

    /// The newest cell has ended.
    pub(super) fn end(&mut self) {
        self.newest().map(Recording::end);
    }

    /// Another host counts cells, threads and tasks anew.
    pub(super) fn forget_host(&mut self) {
        for recording in &mut self.recordings {
            recording.end();
            recording.host_count = None;
        }
        self.host = HostNames::default();
    }

    /// Takes what threads did, in order.
    pub(super) fn take(&mut self, batch: TraceBatch, places: &Places) {
        let stacks = batch.stacks.into_iter();
        let found: Vec<_> = stacks.map(|stack| self.code(stack, places)).collect();
        for mut event in batch.events {
            let code = event.at.and_then(|stack| found.get(stack));
            if let What::TaskLeft { awaits, .. } = &mut event.what {
                *awaits = code.and_then(|code| code.awaits).or(*awaits);
            }
            let event = event.map_place(|_| code?.line);
            self.host.note(&event);
            let cell = self.host.cell_of(&event);
            let is_its = |each: &&mut Recording| match cell {
                Some(cell) => each.is_of(cell),
                None => each.is_worked_for_by(event.thread),
            };
            let mut newest_first = self.recordings.iter_mut().rev();
            if let Some(recording) = newest_first.find(is_its) {
                recording.take(event, &self.host);
            }
        }
    }

    /// The innermost line of a cell that is among these places, and what code of libraries inside it
    /// waits for.
    fn code(&mut self, stack: Vec<CodeAddress>, places: &Places) -> Code {
        let mut awaits = None;
        for address in stack {
            let code = self.code.entry(address);
            let code = code.or_insert_with_key(|address| code_at(places, address));
            awaits = awaits::both(awaits, code.awaits);
            if code.line.is_some() {
                return Code { awaits, ..*code };
            }
        }
        Code { line: None, awaits }
    }

    /// So many events of a cell were not noted.
    pub(super) fn lose(&mut self, cell: u64, events: u64) {
        if let Some(recording) = self.recordings().find(|each| each.is_of(cell)) {
            recording.trace.lost += events;
            recording.shown.is_behind = true;
        }
    }

    /// The newest cell that was run.
    pub(super) fn newest(&mut self) -> Option<&mut Recording> {
        self.recordings.back_mut()
    }

    /// All that are remembered, newest first.
    pub(super) fn recordings(&mut self) -> impl Iterator<Item = &mut Recording> {
        self.recordings.iter_mut().rev()
    }

    /// The cell with this output.
    pub(super) fn of_output(&mut self, output: usize) -> Option<&mut Recording> {
        self.recordings().find(|each| each.output == output)
    }
}

impl HostNames {
    /// A thread may begin in one cell and work for another, and a task may be woken by anybody.
    fn note(&mut self, event: &Event) {
        match &event.what {
            What::ThreadBegan { .. } | What::Named { .. } if self.threads.len() < KNOWN => {
                let known = self.threads.entry(event.thread).or_default();
                known.push(event.clone());
            }
            What::TaskSpawned { task } if self.tasks.len() < KNOWN => {
                self.tasks.insert(*task, event.cell);
            }
            What::Is(_) if event.cell == 0 && self.idle.len() < KNOWN => {
                let waits = self.idle.entry(event.thread).or_default();
                waits.push_back(event.clone());
                if waits.len() > IDLE {
                    waits.pop_front();
                }
            }
            What::ThreadEnded => {
                self.idle.remove(&event.thread);
            }
            _ => {}
        }
    }

    /// The cell that an event is a part of; `None` for what a thread of a pool does between tasks.
    fn cell_of(&self, event: &Event) -> Option<u64> {
        match (&event.what, event.cell) {
            (What::TaskWoken { task } | What::TaskLost { task }, 0) => {
                self.tasks.get(task).copied()
            }
            (_, 0) => None,
            (_, cell) => Some(cell),
        }
    }
}

impl Recording {
    fn take(&mut self, event: Event, host: &HostNames) {
        self.shown.is_behind = true;
        if self.trace.events.len() >= self.room {
            self.trace.lost += 1;
            return;
        }
        if self.threads.insert(event.thread) {
            // Who it is, if it began in another cell, and what it has done until now.
            let known = host.threads.get(&event.thread).into_iter().flatten();
            let known = known.chain(host.idle.get(&event.thread).into_iter().flatten());
            let others = known.filter(|known| **known != event);
            self.trace.events.extend(others.cloned());
            self.trace.events.sort_by_key(|event| event.time);
        }
        self.trace.events.push(event);
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.trace.is_running, false) {
            self.room = self.trace.events.len() + EVENTS;
        }
    }

    /// Whether it is the cell that the host counts so.
    fn is_of(&self, host_count: u64) -> bool {
        self.host_count == Some(host_count)
    }

    /// Whether a thread that works for no cell now has worked for this one: its lane would seem to
    /// go on else.
    fn is_worked_for_by(&self, thread: u64) -> bool {
        self.host_count.is_some() && self.threads.contains(&thread)
    }

    /// Whether its lanes are to be seen at once.
    pub(super) fn is_open(&self, mode: Mode) -> bool {
        self.is_wanted || mode == Mode::On
    }

    pub(super) fn is_running(&self) -> bool {
        self.trace.is_running
    }

    /// The number in `In [n]`.
    pub(super) fn number(&self) -> usize {
        self.trace.cell
    }

    pub(super) fn draw(&mut self, places: &Places) -> Picture {
        self.trace.until = now();
        self.trace.sources = sources(&self.trace.events, places);
        self.trace.locks = self.calls.names(&self.trace.events, places);
        self.trace.awaited = self.calls.awaited(&self.trace.events, places);
        Picture::of(&self.trace)
    }
}

fn code_at(places: &Places, address: &CodeAddress) -> Code {
    let mut awaits = None;
    for location in places.locations(address) {
        if let Some(place) = places.of_panic(&location) {
            let line = places.cell(place.cell).map(|cell| Place {
                cell: cell.number,
                line: place.line,
                column: place.column,
            });
            return Code { line, awaits };
        }
        awaits = awaits::both(awaits, awaits::in_file(&location.file));
    }
    Code { line: None, awaits }
}

/// The code of the cells that the events are in.
fn sources(events: &[Event], places: &Places) -> Vec<Source> {
    let numbers: HashSet<usize> = events
        .iter()
        .filter_map(|event| Some(event.at?.cell))
        .collect();
    let sources = places
        .all()
        .filter(|source| numbers.contains(&source.number));
    let sources = sources.map(|source| Source {
        number: source.number,
        code: source.code.clone(),
    });
    sources.collect()
}

/// On the clock of the events.
fn now() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}
