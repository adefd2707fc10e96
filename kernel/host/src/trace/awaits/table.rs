//! The tasks that wait: a table with a place for each.

use std::{
    cell::Cell,
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use interleave_protocol::{TaskKind, TaskName};

use super::{super::record::TASK_KINDS, Awaits, HAS_LIMIT, Keeper, Known};
use crate::{observe, threads};

pub(super) const PLACES: usize = 4096;

/// The calling thread has left a task, which waits, with these keepers of its waker.
pub(super) fn write(task: TaskName, keepers: &[Cell<Keeper>]) {
    TASKS[index(task)].write(task, keepers);
}

/// A task does not wait, or is no more.
pub(in super::super) fn forget(task: TaskName) {
    let key = key(task);
    let place = &KEYS[index(task)];
    if place.load(Relaxed) == key {
        place.store(0, Relaxed);
    }
}

/// A task that waits.
#[derive(Debug)]
pub(crate) struct WaitingTask {
    pub(crate) name: TaskName,
    pub(crate) cell: u64,
    /// Since when, in nanoseconds.
    pub(crate) since: u64,
    pub(crate) known: Known,
}

#[derive(Debug)]
struct Place {
    cell: AtomicU64,
    since: AtomicU64,
    awaits: Awaits,
}

static TASKS: [Place; PLACES] = [const {
    Place {
        cell: AtomicU64::new(0),
        since: AtomicU64::new(0),
        awaits: Awaits::new(),
    }
}; PLACES];

/// Which task has which place; 0 for none. Apart, because it is looked through again and again.
static KEYS: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];

/// So many bits of a number are kept.
const ID_BITS: u32 = 56;

fn key(task: TaskName) -> u64 {
    let kind = TASK_KINDS.iter().position(|kind| *kind == task.kind);
    (kind.map_or(0, |kind| kind as u64 + 1) << ID_BITS) | task.id
}

fn index(task: TaskName) -> usize {
    let offset = usize::from(task.kind == TaskKind::Coroutine) * PLACES / 2;
    (task.id as usize).wrapping_add(offset) % PLACES
}

impl Place {
    fn write(&self, task: TaskName, keepers: &[Cell<Keeper>]) {
        self.awaits.change(|| {
            self.cell.store(threads::cell(), Relaxed);
            self.since.store(observe::now(), Relaxed);
            self.awaits.waits.store(true, Relaxed);
            self.awaits.has_limit.store(HAS_LIMIT.get(), Relaxed);
            self.awaits.count.store(0, Relaxed);
            keepers
                .iter()
                .for_each(|keeper| self.awaits.push(&keeper.get()));
        });
        KEYS[index(task)].store(key(task), Release);
    }
}

/// The tasks that wait now, as far as they are known.
pub(crate) fn waiting_tasks() -> impl Iterator<Item = WaitingTask> {
    KEYS.iter().zip(&TASKS).filter_map(|(key, place)| {
        let number = key.load(Acquire);
        let kind = (number >> ID_BITS).checked_sub(1)?;
        let task = WaitingTask {
            name: TaskName {
                kind: *TASK_KINDS.get(kind as usize)?,
                id: number & ((1 << ID_BITS) - 1),
            },
            cell: place.cell.load(Relaxed),
            since: place.since.load(Relaxed),
            known: place.awaits.read()?,
        };
        (key.load(Relaxed) == number).then_some(task)
    })
}

/// In a copy of the process no task lives.
pub(crate) fn forget_tasks() {
    KEYS.iter().for_each(|key| key.store(0, Relaxed));
}
