//! Looks, while cells run, whether threads are stuck, and tells the kernel.
//!
//! A look reads what the threads have noted, four times a second. What [`stuck`] says is told once
//! for each state, after a grace in which nothing may have changed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError, atomic::Ordering::Relaxed},
    thread,
    time::Duration,
};

use interleave_protocol::{FutexUse, HostEvent, Stuck, TaskKind, TaskName, ThreadKind};

use super::{
    describing::describe,
    locks, outside, permits, reading,
    registry::{self, Slot},
    stuck::{self, For, Found, Seen, State},
    waiting::{Noted, Waiting, now},
};
use crate::{
    link, service, stop,
    trace::{self, Object, WaitingTask},
};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(250);
/// So long, in nanoseconds, a thread must have waited. What is shorter may be on its way.
const GRACE: u64 = 1_000_000_000;

/// Starts the thread that looks.
pub(crate) fn watch() {
    // Without the thread nobody is told.
    let _ = service::spawn("interleave-watch", || {
        outside::remember_handlers();
        let mut memory = Memory::default();
        loop {
            thread::sleep(PAUSE);
            let _work = service::at_work();
            look(&mut memory);
        }
    });
}

/// All threads that are stuck now, by cell.
pub(crate) fn all_stuck() -> Vec<Stuck> {
    let slots: Vec<&Slot> = registry::living().0.collect();
    let found = find(&slots);
    found.iter().map(|found| describe(found, &slots)).collect()
}

/// The threads of each cell that are stuck, and since when they wait.
type States = BTreeMap<u64, Vec<(u64, u64)>>;

/// What earlier looks have found.
#[derive(Debug, Default)]
struct Memory {
    /// The last one. What only one has found may have been on its way.
    seen: States,
    /// What the kernel was told.
    told: States,
}

fn look(memory: &mut Memory) {
    let slots: Vec<&Slot> = registry::living().0.collect();
    let found = find(&slots);
    let states: States = found
        .iter()
        .filter(|found| found.cell != 0 && !stop::is_marked(found.cell))
        .map(|found| (found.cell, state(found, &slots)))
        .collect();
    for found in &found {
        let state = states.get(&found.cell);
        let is_lasting = state.is_some() && state == memory.seen.get(&found.cell);
        if is_lasting && state != memory.told.get(&found.cell) {
            let stuck = describe(found, &slots);
            link::send_for(found.cell, &HostEvent::Stuck(stuck));
            memory
                .told
                .extend(state.map(|state| (found.cell, state.clone())));
        }
    }
    let is_over = |cell: u64| !states.contains_key(&cell) && !memory.seen.contains_key(&cell);
    memory.told.retain(|cell, _| {
        let is_over = is_over(*cell);
        if is_over && !stop::is_marked(*cell) {
            link::send_for(*cell, &HostEvent::StuckNoMore);
        }
        !is_over
    });
    memory.seen = states;
}

fn find(slots: &[&Slot]) -> Vec<Found> {
    let mut seen = see(slots);
    let found = stuck::find(&seen);
    if !(found.iter().any(|found| found.everyone) && outside::may_signal()) {
        return found;
    }
    // Whoever handles the signal acts.
    seen.push(Seen {
        number: 0,
        cell: 0,
        runs_cells: false,
        state: State::Acts,
    });
    stuck::find(&seen)
}

fn state(found: &Found, slots: &[&Slot]) -> Vec<(u64, u64)> {
    let is_found = |number: &u64| found.waiting.contains(number);
    let threads = slots.iter().filter_map(|slot| {
        let number = slot.number.load(Relaxed);
        Some((number, slot.waiting.read()?.since))
    });
    let tasks = trace::waiting_tasks().map(|task| (number_of_task(task.name), task.since));
    let all = threads.chain(tasks);
    all.filter(|(number, _)| is_found(number)).collect()
}

/// What the threads do. Nothing at all when some have no slot: they might act.
fn see(slots: &[&Slot]) -> Vec<Seen> {
    let (_, unseen) = registry::living();
    if unseen > 0 {
        return Vec::new();
    }
    let theirs = slots.iter().filter(|slot| !slot.is_own());
    let seen: Vec<Seen> = theirs
        .map(|slot| {
            let runs_cells = slot.runs_cells.load(Relaxed);
            Seen {
                number: slot.number.load(Relaxed),
                // Of a thread of a pool, the cell whose job it does.
                cell: slot.works_for.load(Relaxed),
                runs_cells,
                state: State::Acts,
            }
        })
        .collect();
    let states: Vec<State> = slots
        .iter()
        .filter(|slot| !slot.is_own())
        .map(|slot| state_of(slot))
        .collect();
    forget_ended(&seen);
    let threads = seen.into_iter().zip(states);
    let threads = threads.map(|(seen, state)| Seen { state, ..seen });
    threads.chain(see_tasks()).collect()
}

fn state_of(slot: &Slot) -> State {
    if slot.fate.is_left() {
        return State::Left;
    }
    let Some(noted) = slot.waiting.read() else {
        return State::Acts;
    };
    let is_old = now().saturating_sub(noted.since) >= GRACE;
    match noted.waiting {
        // A thread of a pool may just have got nothing to do, again and again.
        Some(Waiting::Futex { .. }) if let Purpose::Work = what_for(slot, &noted) => State::Idle,
        Some(Waiting::Io) if outside::is_deaf(slot.epoll.load(Relaxed)) => {
            if let Purpose::Work = what_for(slot, &noted) {
                State::Idle
            } else if is_old {
                State::Waits(for_future(slot))
            } else {
                State::Acts
            }
        }
        _ if !is_old => State::Acts,
        Some(Waiting::Join { handle }) => match registry::number_of(handle) {
            Some(number) => State::Waits(For::End(number)),
            None => State::Acts,
        },
        Some(Waiting::Futex { address, until }) => match (what_for(slot, &noted), until) {
            (_, Some(_)) => State::Acts,
            (Purpose::Lock, None) => State::Waits(For::Lock(certain_holder(slot, address))),
            (_, None) => State::Waits(for_future(slot)),
        },
        _ => State::Acts,
    }
}

/// What a thread waits for that waits for no lock: for a future, perhaps.
fn for_future(slot: &Slot) -> For {
    let known = slot.awaits.read();
    known.map_or(For::Anyone, |known| for_object(known.only()))
}

/// What a thread waits for, as the functions on its stack tell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// A thread of a pool, for something to do.
    Work,
    Lock,
    Other,
}

/// By thread, since when it waits for that.
static PURPOSES: Mutex<Option<HashMap<u64, (u64, Purpose)>>> = Mutex::new(None);

/// To look at a stack takes longer than all the rest, and is done once for each wait.
pub(super) fn what_for(slot: &Slot, noted: &Noted) -> Purpose {
    let number = slot.number.load(Relaxed);
    let mut purposes = PURPOSES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = purposes.get_or_insert_default();
    if let Some((since, purpose)) = known.get(&number)
        && *since == noted.since
    {
        return *purpose;
    }
    let purpose = look_at_stack(slot, noted);
    known.insert(number, (noted.since, purpose));
    purpose
}

fn look_at_stack(slot: &Slot, noted: &Noted) -> Purpose {
    let is_timed = matches!(noted.waiting, Some(Waiting::Futex { until: Some(_), .. }));
    let (used_by, is_in_cell) = reading::use_of_futex(&noted.at, is_timed);
    if reading::kind_of(slot) == ThreadKind::Pool && !is_in_cell {
        Purpose::Work
    } else if used_by == FutexUse::Lock {
        Purpose::Lock
    } else {
        Purpose::Other
    }
}

fn forget_ended(seen: &[Seen]) {
    let mut purposes = PURPOSES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = purposes
        .as_mut()
        .filter(|known| known.len() > 2 * seen.len())
    {
        known.retain(|number, _| seen.iter().any(|thread| thread.number == *number));
    }
}

/// Who has the lock for which a thread waits at a futex, if there can be only one.
fn certain_holder(slot: &Slot, futex: u64) -> Option<u64> {
    let (taken, is_certain) = taken(slot, futex)?;
    is_certain.then(|| number_of(taken.who))
}

/// What a future waits for, if that is one thing and without a limit.
fn for_object(object: Object) -> For {
    match object {
        Object::Lock(semaphore) => {
            let taken = locks::taken(semaphore).filter(|taken| permits::is_certain(*taken));
            For::Lock(taken.map(|taken| number_of(taken.who)))
        }
        Object::Task(id) => {
            let kind = TaskKind::Tokio;
            For::End(number_of_task(TaskName { kind, id }))
        }
        Object::Unknown => For::Anyone,
    }
}

/// The tasks that wait, and have done so for long enough. They only count for what waits for them.
fn see_tasks() -> impl Iterator<Item = Seen> {
    let is_old = |task: &WaitingTask| now().saturating_sub(task.since) >= GRACE;
    trace::waiting_tasks().filter(is_old).map(|task| Seen {
        number: number_of_task(task.name),
        cell: task.cell,
        runs_cells: false,
        state: State::Waits(for_object(task.known.only())),
    })
}

/// A number for a task that no thread has.
pub(super) fn number_of_task(name: TaskName) -> u64 {
    number_of(permits::of_task(name))
}

/// Of a thread or a task, as it is noted with a lock.
fn number_of(who: u32) -> u64 {
    match permits::task(who) {
        Some(_) => u64::from(who) << 32,
        None => whole_number(who),
    }
}

/// Who was last to take that lock, and whether nobody else can have it. std's lock for readers and
/// writers has two futexes (`state` and `writer_notify` in `sys/sync/rwlock/futex.rs` of libstd), and
/// one of parking_lot two addresses (`raw_rwlock.rs`).
pub(super) fn taken(slot: &Slot, futex: u64) -> Option<(locks::Taken, bool)> {
    let (lock, other) = match slot.parks_at.load(Relaxed) as u64 {
        0 => (futex, 4),
        lock => (lock, 1),
    };
    let taken = locks::taken(lock).or_else(|| locks::taken(lock.checked_sub(other)?))?;
    let is_certain = !locks::is_shared(taken.site) && !locks::some_are_missing();
    Some((taken, is_certain))
}

/// The number of a thread from its lower half: the newest one that was given.
pub(super) fn whole_number(half: u32) -> u64 {
    let newest = registry::newest_number();
    let number = newest & !u64::from(u32::MAX) | u64::from(half);
    if number > newest {
        number - (1 << 32)
    } else {
        number
    }
}
