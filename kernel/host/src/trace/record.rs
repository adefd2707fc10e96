//! One event, as the threads note it: numbers in a fixed space.

use interleave_protocol::{ObjectKind, Stream, TaskKind, TaskName, ThreadKind};

use crate::{
    observe::{Frame, Waiting},
    stop::code,
};

mod stack;

pub(super) use stack::{STACK_WORDS, Stack};

/// So many numbers make a record.
pub(super) const WORDS: usize = 32;

const TIME: usize = 0;
const CELL: usize = 1;
const THREAD: usize = 2;
const TASK: usize = 3;
/// Small numbers, one a byte: what it is, the kinds of tasks and objects, the length of the text.
const SMALL: usize = 4;
const SUBJECT: usize = 5;
const UNTIL: usize = 6;
/// The text, or the innermost return addresses.
const TEXT: usize = 7;
const PLACES: usize = 12;

/// So many bytes of a text are kept.
const TEXT_BYTES: usize = (PLACES - TEXT) * 8;
/// So many of the innermost return addresses are kept of a wait: the names of those functions tell
/// what for.
const INNERMOST: usize = PLACES - TEXT;
/// So many of those in cells are kept. Generic functions of libraries are compiled into the cell: in
/// one that is not optimised they lie between a call of `recv` and the wait.
const DEPTH: usize = WORDS - PLACES;
/// So many of these are the innermost; the others are the outermost.
const INNER: usize = 12;
/// So many frames are looked at.
const FRAMES: usize = 64;

const NEVER: u64 = u64::MAX;

/// One event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record(pub(super) [u64; WORDS]);

/// What a thread did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// What was to happen did not.
    Nothing,
    CellBegan,
    CellEnded,
    Spawned {
        thread: u64,
    },
    ThreadBegan(ThreadKind),
    Named,
    ThreadEnded,
    /// It begins to wait.
    Waits(Waiting),
    /// It has waited.
    Runs,
    Wakes {
        address: u64,
    },
    Prints(Stream),
    TaskSpawned(TaskName),
    TaskNamed(TaskName),
    TaskEntered,
    TaskLeft {
        is_over: bool,
    },
    TaskWoken(TaskName),
    TaskLost(TaskName),
    /// A task that is left has a lock.
    LockKept {
        address: u64,
        /// The call that took it.
        call: u32,
    },
    State {
        kind: ObjectKind,
        id: u64,
    },
}

/// Who did it, when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Who {
    pub(super) time: u64,
    pub(super) cell: u64,
    pub(super) thread: u64,
    pub(super) task: Option<TaskName>,
}

impl Record {
    pub(super) const NOTHING: Self = Self([0; WORDS]);

    pub(super) fn new(who: Who, happened: Happened) -> Self {
        let mut record = Self::NOTHING;
        record.0[TIME] = who.time;
        record.0[CELL] = who.cell;
        record.0[THREAD] = who.thread;
        if let Some(task) = who.task {
            record.0[TASK] = task.id;
            record.set_small(Small::Task, number_of(&TASK_KINDS, task.kind));
        }
        let (what, subject, kind) = numbers(happened);
        record.set_small(Small::What, what);
        record.set_small(Small::Kind, kind);
        record.0[SUBJECT] = subject;
        match happened {
            Happened::Waits(waiting) => record.0[UNTIL] = until(waiting).unwrap_or(NEVER),
            Happened::LockKept { call, .. } => record.0[UNTIL] = call.into(),
            _ => {}
        }
        record
    }

    /// Keeps the beginning of a text that comes in parts.
    pub(super) fn with_text(mut self, parts: &[&[u8]]) -> Self {
        let bytes = parts.iter().flat_map(|part| part.iter());
        let mut length = 0;
        for (at, byte) in bytes.take(TEXT_BYTES).enumerate() {
            self.0[TEXT + at / 8] |= u64::from(*byte) << (at % 8 * 8);
            length = at + 1;
        }
        self.set_small(Small::Length, length as u8);
        self
    }

    /// Keeps where in cells the functions are that led to a frame of this thread.
    pub(super) fn with_places(mut self, frame: Frame) -> Self {
        self.keep_places(frame, |_, _, _| {});
        self
    }

    /// As [`with_places`](Self::with_places); keeps the innermost functions as well.
    pub(super) fn with_stack(mut self, frame: Frame) -> Self {
        self.keep_places(frame, |record, number, address| {
            if number < INNERMOST {
                record.0[TEXT + number] = address;
            }
        });
        self
    }

    /// As [`with_stack`](Self::with_stack), of a stack that was looked at before.
    pub(super) fn with_kept(mut self, stack: &Stack) -> Self {
        self.0[TEXT..].copy_from_slice(&stack.words());
        self
    }

    fn keep_places(&mut self, frame: Frame, mut also: impl FnMut(&mut Self, usize, u64)) {
        let mut found = 0;
        for (number, address) in frame.return_addresses().take(FRAMES).enumerate() {
            also(self, number, address as u64);
            // A return address may lie behind its function.
            if code::is_in_cell(address - 1) {
                self.put_place(found, address as u64);
                found += 1;
            }
        }
    }

    /// Keeps a place in a cell, of which so many were found before. When there is no room, one in
    /// the middle gives way: the innermost are closest to what happened, and among the outermost is
    /// the cell itself.
    fn put_place(&mut self, found: usize, address: u64) {
        let places = &mut self.0[PLACES..];
        let at = found.min(DEPTH - 1);
        if found > at {
            places[INNER..].rotate_left(1);
        }
        places[at] = address;
    }

    pub(super) fn who(&self) -> Who {
        let kind = TASK_KINDS.get(usize::from(self.small(Small::Task)).wrapping_sub(1));
        Who {
            time: self.0[TIME],
            cell: self.0[CELL],
            thread: self.0[THREAD],
            task: kind.map(|kind| TaskName {
                kind: *kind,
                id: self.0[TASK],
            }),
        }
    }

    pub(super) fn happened(&self) -> Happened {
        let subject = self.0[SUBJECT];
        let until = Some(self.0[UNTIL]).filter(|until| *until != NEVER);
        happened(
            self.small(Small::What),
            subject,
            self.small(Small::Kind),
            until,
        )
    }

    /// The text that was kept. It may end within a character.
    pub(super) fn text(&self) -> String {
        if self.small(Small::Length) == 0 {
            return String::new();
        }
        let words = &self.0[TEXT..PLACES];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.truncate(self.small(Small::Length).into());
        let text = String::from_utf8_lossy(&bytes);
        if bytes.len() < TEXT_BYTES {
            return text.into_owned();
        }
        text.trim_end_matches(char::REPLACEMENT_CHARACTER).into()
    }

    /// The return addresses in cells, innermost first.
    pub(super) fn places(&self) -> Vec<usize> {
        addresses(&self.0[PLACES..])
    }

    /// The innermost return addresses of a wait; none of what has a text instead.
    pub(super) fn innermost(&self) -> Vec<usize> {
        match self.small(Small::Length) {
            0 => addresses(&self.0[TEXT..PLACES]),
            _ => Vec::new(),
        }
    }

    fn small(&self, which: Small) -> u8 {
        self.0[SMALL].to_le_bytes()[which as usize]
    }

    fn set_small(&mut self, which: Small, value: u8) {
        let mut bytes = self.0[SMALL].to_le_bytes();
        bytes[which as usize] = value;
        self.0[SMALL] = u64::from_le_bytes(bytes);
    }
}

/// The small numbers of a record.
#[derive(Debug, Clone, Copy)]
enum Small {
    What,
    Kind,
    Task,
    Length,
}

fn addresses(words: &[u64]) -> Vec<usize> {
    let set = words.iter().take_while(|word| **word != 0);
    set.map(|word| *word as usize).collect()
}

/// In a record, and to the prelude, a kind is its place here, from 1; 0 is for none.
pub(super) const TASK_KINDS: [TaskKind; 5] = [
    TaskKind::Tokio,
    TaskKind::Blocking,
    TaskKind::Job,
    TaskKind::Coroutine,
    TaskKind::Generator,
];
pub(super) const OBJECT_KINDS: [ObjectKind; 4] = [
    ObjectKind::Future,
    ObjectKind::EventLoop,
    ObjectKind::Pool,
    ObjectKind::Timer,
];
const THREAD_KINDS: [ThreadKind; 4] = [
    ThreadKind::Cells,
    ThreadKind::Student,
    ThreadKind::Pool,
    ThreadKind::Own,
];
const STREAMS: [Stream; 2] = [Stream::Stdout, Stream::Stderr];

/// The place in a list, from 1.
fn number_of<T: PartialEq>(list: &[T], one: T) -> u8 {
    let index = list.iter().position(|other| *other == one);
    index.map_or(0, |index| index as u8 + 1)
}

/// What stands at that place.
fn of_number<T: Copy>(list: &[T], number: u8) -> Option<T> {
    list.get(usize::from(number).checked_sub(1)?).copied()
}

/// What happened, its subject, and of which kind that is, as numbers.
fn numbers(happened: Happened) -> (u8, u64, u8) {
    let task = |what, task: TaskName| (what, task.id, number_of(&TASK_KINDS, task.kind));
    match happened {
        Happened::Nothing => (0, 0, 0),
        Happened::CellBegan => (1, 0, 0),
        Happened::CellEnded => (2, 0, 0),
        Happened::Spawned { thread } => (3, thread, 0),
        Happened::ThreadBegan(kind) => (4, 0, number_of(&THREAD_KINDS, kind)),
        Happened::Named => (5, 0, 0),
        Happened::ThreadEnded => (6, 0, 0),
        Happened::Runs => (7, 0, 0),
        Happened::Wakes { address } => (8, address, 0),
        Happened::Prints(stream) => (9, 0, number_of(&STREAMS, stream)),
        Happened::TaskSpawned(name) => task(10, name),
        Happened::TaskNamed(name) => task(11, name),
        Happened::TaskEntered => (12, 0, 0),
        Happened::TaskLeft { is_over } => (13, is_over.into(), 0),
        Happened::TaskWoken(name) => task(14, name),
        Happened::State { kind, id } => (15, id, number_of(&OBJECT_KINDS, kind)),
        Happened::Waits(Waiting::Sleep { .. }) => (16, 0, 0),
        Happened::Waits(Waiting::Futex { address, .. }) => (17, address, 0),
        Happened::Waits(Waiting::Join { handle }) => (18, handle, 0),
        Happened::Waits(Waiting::Io) => (19, 0, 0),
        Happened::Waits(Waiting::Process) => (20, 0, 0),
        Happened::Waits(Waiting::Input) => (21, 0, 0),
        Happened::TaskLost(name) => task(22, name),
        Happened::LockKept { address, .. } => (23, address, 0),
    }
}

/// The end of its patience.
fn until(waiting: Waiting) -> Option<u64> {
    match waiting {
        Waiting::Sleep { until } => Some(until),
        Waiting::Futex { until, .. } => until,
        _ => None,
    }
}

/// The inverse of [`numbers`]. What cannot be is nothing.
fn happened(what: u8, subject: u64, kind: u8, until: Option<u64>) -> Happened {
    let task = || {
        let kind = of_number(&TASK_KINDS, kind)?;
        Some(TaskName { kind, id: subject })
    };
    let found = match what {
        1 => Some(Happened::CellBegan),
        2 => Some(Happened::CellEnded),
        3 => Some(Happened::Spawned { thread: subject }),
        4 => of_number(&THREAD_KINDS, kind).map(Happened::ThreadBegan),
        5 => Some(Happened::Named),
        6 => Some(Happened::ThreadEnded),
        7 => Some(Happened::Runs),
        8 => Some(Happened::Wakes { address: subject }),
        9 => of_number(&STREAMS, kind).map(Happened::Prints),
        10 => task().map(Happened::TaskSpawned),
        11 => task().map(Happened::TaskNamed),
        12 => Some(Happened::TaskEntered),
        13 => Some(Happened::TaskLeft {
            is_over: subject != 0,
        }),
        14 => task().map(Happened::TaskWoken),
        15 => of_number(&OBJECT_KINDS, kind).map(|kind| Happened::State { kind, id: subject }),
        16 => until.map(|until| Happened::Waits(Waiting::Sleep { until })),
        17 => Some(Happened::Waits(Waiting::Futex {
            address: subject,
            until,
        })),
        18 => Some(Happened::Waits(Waiting::Join { handle: subject })),
        19 => Some(Happened::Waits(Waiting::Io)),
        20 => Some(Happened::Waits(Waiting::Process)),
        21 => Some(Happened::Waits(Waiting::Input)),
        22 => task().map(Happened::TaskLost),
        23 => until.map(|call| Happened::LockKept {
            address: subject,
            call: call as u32,
        }),
        _ => None,
    };
    found.unwrap_or(Happened::Nothing)
}

#[cfg(test)]
mod tests;
