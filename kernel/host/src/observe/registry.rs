//! One slot for each living thread.

use std::{
    cell::Cell,
    sync::atomic::{
        AtomicBool, AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use interleave_protocol::ThreadKind;

use super::{
    frames::{self, Frame, Trace},
    limit, locks, reading,
    waiting::Note,
};
use crate::{
    stop::fate::Fate,
    trace::{self, Awaits},
};

/// So many threads are known one by one; the rest are counted.
const SLOTS: usize = 4096;

/// How the names of this program's own threads begin.
pub(super) const OWN_NAME: &str = "interleave-";

/// A name as the system keeps it, its nul included.
const NAME: usize = 16;

/// What is known of one thread. Written by its parent before it starts and by itself from then on.
#[derive(Debug)]
pub(super) struct Slot {
    phase: AtomicU8,
    /// Counts the threads of this process, from 1: the number that a student gives to a command.
    pub(super) number: AtomicU64,
    /// The cell that started it, as the host counts cells.
    pub(super) cell: AtomicU64,
    /// The system's number; 0 until it runs.
    pub(super) id: AtomicI32,
    /// What `pthread_self` says in it; 0 until it runs.
    pub(super) handle: AtomicU64,
    /// Whether it is the thread on which the cells run.
    pub(super) runs_cells: AtomicBool,
    /// Whether it was asked to stop, it and not a cell.
    pub(super) is_to_stop: AtomicBool,
    /// Whether it was found to work for whoever comes, though a cell has started it.
    pub(super) is_shared: AtomicBool,
    name: [AtomicU64; NAME / 8],
    /// Who called `pthread_create`.
    pub(super) birth: Trace,
    pub(super) waiting: Note,
    /// Locks that it took since it last entered a coroutine, by their addresses; 0 for none.
    pub(super) taken: [AtomicUsize; 4],
    /// The poisoned lock that it took last; 0 for none.
    pub(super) poisoned_lock: AtomicUsize,
    /// The lock of parking_lot for which it is about to wait, at a futex of its own; 0 for none.
    pub(super) parks_at: AtomicUsize,
    /// The epoll instance at which it waits without a limit; [`NO_EPOLL`] for none.
    pub(super) epoll: AtomicI32,
    /// The cell that it works for now; 0 for none.
    pub(super) works_for: AtomicU64,
    /// Where in a cell an interrupt has found it.
    pub(super) found_at: Trace,
    /// Where in a cell it awaits something.
    pub(super) awaits_at: Trace,
    /// What the future waits for on which it is blocked.
    pub(super) awaits: Awaits,
    pub(super) fate: Fate,
    /// The next free slot, as an index + 1.
    next_free: AtomicU32,
}

/// See [`Slot::epoll`].
pub(super) const NO_EPOLL: i32 = -1;

const FREE: u8 = 0;
const LIVE: u8 = 1;

impl Slot {
    const fn new() -> Self {
        Self {
            phase: AtomicU8::new(FREE),
            number: AtomicU64::new(0),
            cell: AtomicU64::new(0),
            id: AtomicI32::new(0),
            handle: AtomicU64::new(0),
            runs_cells: AtomicBool::new(false),
            is_to_stop: AtomicBool::new(false),
            is_shared: AtomicBool::new(false),
            name: [const { AtomicU64::new(0) }; NAME / 8],
            birth: Trace::new(),
            waiting: Note::new(),
            taken: [const { AtomicUsize::new(0) }; 4],
            poisoned_lock: AtomicUsize::new(0),
            parks_at: AtomicUsize::new(0),
            epoll: AtomicI32::new(NO_EPOLL),
            works_for: AtomicU64::new(0),
            found_at: Trace::new(),
            awaits_at: Trace::new(),
            awaits: Awaits::new(),
            fate: Fate::new(),
            next_free: AtomicU32::new(0),
        }
    }

    /// Whether the slot is still that of the thread with this number.
    pub(super) fn is_thread(&self, number: u64) -> bool {
        self.phase.load(Acquire) == LIVE && self.number.load(Relaxed) == number
    }

    /// The name that the thread gave itself: at most 15 bytes, as the system keeps it.
    pub(super) fn name(&self) -> Option<String> {
        text(self.name_words())
    }

    fn name_words(&self) -> [u64; NAME / 8] {
        self.name.each_ref().map(|word| word.load(Relaxed))
    }

    /// Whether it is a thread of Interleave itself.
    pub(super) fn is_own(&self) -> bool {
        const BEGINNING: u64 = u64::from_le_bytes(*b"interlea");
        const {
            assert!(matches!(
                OWN_NAME.as_bytes().first_chunk(),
                Some(b"interlea")
            ))
        };
        self.name[0].load(Relaxed) == BEGINNING
    }

    /// Whether it works for whoever comes, now that it has this name.
    pub(super) fn is_in_pool(&self, name: &[u8]) -> bool {
        reading::kind(self, std::str::from_utf8(name).ok()) == ThreadKind::Pool
    }

    pub(super) fn set_name(&self, name: &[u8]) {
        for (word, at) in self.name.iter().zip((0..).step_by(8)) {
            let part = name.get(at..name.len().min(at + 8)).unwrap_or_default();
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            word.store(u64::from_le_bytes(bytes), Relaxed);
        }
    }
}

/// A name as it lies in a slot.
pub(super) fn text(name: [u64; NAME / 8]) -> Option<String> {
    let bytes: Vec<u8> = name.into_iter().flat_map(u64::to_le_bytes).collect();
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    // The system cuts a name off after 15 bytes, which may be within a character.
    let whole = String::from_utf8_lossy(text);
    let whole = whole.trim_end_matches(char::REPLACEMENT_CHARACTER);
    (!whole.is_empty()).then(|| whole.to_owned())
}

static THREADS: [Slot; SLOTS] = [const { Slot::new() }; SLOTS];
/// Slots from here on were never used.
static UNUSED: AtomicUsize = AtomicUsize::new(0);
/// The first free slot as an index + 1, and above it a count that tells this list from a later one
/// that begins with the same slot.
static FREED: AtomicU64 = AtomicU64::new(0);
static NUMBER: AtomicU64 = AtomicU64::new(1);
/// Living threads that found no slot.
static UNSEEN: AtomicUsize = AtomicUsize::new(0);

/// The number of the newest thread.
pub(super) fn newest_number() -> u64 {
    NUMBER.load(Relaxed) - 1
}

thread_local! {
    // Without a destructor, so it can be used from the first to the last moment of a thread.
    static CURRENT: Cell<Option<&'static Slot>> = const { Cell::new(None) };
}

/// The slot of the calling thread.
pub(super) fn current() -> Option<&'static Slot> {
    CURRENT.get()
}

/// The number of the living thread in which `pthread_self` says this.
pub(super) fn number_of(handle: u64) -> Option<u64> {
    let (mut living, _) = living();
    let slot = living.find(|slot| slot.handle.load(Relaxed) == handle)?;
    Some(slot.number.load(Relaxed))
}

/// The number of the thread in which `pthread_self` says this, or said so until it ended just now;
/// 0 if it is not known.
pub(crate) fn number_of_thread(handle: u64) -> u64 {
    number_of(handle).unwrap_or_else(|| {
        let used = THREADS.iter().take(UNUSED.load(Acquire));
        let ended = used.filter(|slot| slot.handle.load(Relaxed) == handle);
        // A handle is used again; numbers are not.
        let numbers = ended.map(|slot| slot.number.load(Relaxed));
        numbers.max().unwrap_or(0)
    })
}

/// The number of the calling thread.
pub(crate) fn number_of_this_thread() -> Option<u64> {
    current().map(|slot| slot.number.load(Relaxed))
}

/// The threads that live now, one by one, and how many more there are.
pub(super) fn living() -> (impl Iterator<Item = &'static Slot>, usize) {
    let used = THREADS.iter().take(UNUSED.load(Acquire));
    let living = used.filter(|slot| slot.phase.load(Acquire) == LIVE);
    (living, UNSEEN.load(Relaxed))
}

/// The place of a thread in the books, from its parent's call of `pthread_create` to its end.
#[derive(Debug)]
pub(super) struct Place(Option<&'static Slot>);

impl Place {
    /// Enters a thread that is about to be started for a cell.
    pub(super) fn take(cell: u64, caller: Frame) -> Self {
        let Some(slot) = free_slot() else {
            UNSEEN.fetch_add(1, Relaxed);
            return Self(None);
        };
        slot.number.store(NUMBER.fetch_add(1, Relaxed), Relaxed);
        slot.cell.store(cell, Relaxed);
        slot.id.store(0, Relaxed);
        slot.handle.store(0, Relaxed);
        slot.runs_cells.store(false, Relaxed);
        slot.is_to_stop.store(false, Relaxed);
        slot.is_shared.store(false, Relaxed);
        slot.set_name(b"");
        slot.birth.take(caller);
        slot.waiting.clear();
        slot.epoll.store(NO_EPOLL, Relaxed);
        slot.poisoned_lock.store(0, Relaxed);
        slot.parks_at.store(0, Relaxed);
        slot.awaits.clear();
        slot.works_for.store(cell, Relaxed);
        slot.fate.reset();
        slot.phase.store(LIVE, Release);
        Self(Some(slot))
    }

    /// The thread's number; 0 if it has none.
    pub(super) fn number(&self) -> u64 {
        self.0.map_or(0, |slot| slot.number.load(Relaxed))
    }

    /// For its parent, who may have it joined before it has begun.
    pub(super) fn started(&self) -> Started {
        Started {
            slot: self.0,
            number: self.number(),
        }
    }

    /// From now on the calling thread is the one in the books.
    pub(super) fn occupy(&self) {
        frames::end_stack_here();
        let Some(slot) = self.0 else { return };
        slot.id
            .store(rustix::thread::gettid().as_raw_nonzero().get(), Relaxed);
        // SAFETY: `pthread_self` always succeeds.
        slot.handle.store(unsafe { libc::pthread_self() }, Relaxed);
        CURRENT.set(Some(slot));
    }
}

/// A thread that was started, and may have ended.
#[derive(Debug)]
pub(super) struct Started {
    slot: Option<&'static Slot>,
    number: u64,
}

impl Started {
    /// What `pthread_self` says in it. Should another thread have the slot just now, which has not
    /// begun, that one will set it right.
    pub(super) fn has_handle(&self, handle: u64) {
        if let Some(slot) = self.slot.filter(|slot| slot.is_thread(self.number)) {
            // An error means that the thread has done so itself.
            let _ = slot.handle.compare_exchange(0, handle, Relaxed, Relaxed);
        }
    }
}

/// The thread has ended, or could not be started.
impl Drop for Place {
    fn drop(&mut self) {
        let Some(slot) = self.0 else {
            UNSEEN.fetch_sub(1, Relaxed);
            return;
        };
        locks::ends(slot.number.load(Relaxed), slot.name_words());
        if is_current(slot) {
            trace::thread_ended();
            CURRENT.set(None);
        }
        slot.phase.store(FREE, Release);
        give_back(slot);
    }
}

/// Enters the calling thread, which nobody started through this module: the process's first.
pub(crate) fn adopt_first() {
    let place = Place::take(0, Frame::UNKNOWN);
    place.occupy();
    if let Some(slot) = current() {
        slot.set_name(b"interleave-host");
    }
    // It lives as long as the process.
    std::mem::forget(place);
}

/// From now on the cells run on the calling thread.
pub(crate) fn run_cells_here() {
    if let Some(slot) = current() {
        slot.runs_cells.store(true, Relaxed);
    }
}

/// From now on the calling thread works for whoever comes.
pub(crate) fn join_pool() {
    if let Some(slot) = current()
        && !slot.is_shared.swap(true, Relaxed)
    {
        trace::belongs_to_pool();
    }
}

/// The cells that the other threads belong to, but for those of this program; each once, in order.
pub(crate) fn cells_of_others() -> Vec<u64> {
    let (living, _) = living();
    let mut cells: Vec<u64> = living
        .filter(|slot| !is_current(slot))
        .filter(|slot| !slot.name().is_some_and(|name| name.starts_with(OWN_NAME)))
        .map(|slot| slot.cell.load(Relaxed))
        .collect();
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// In a copy of the process no thread lives but the calling one, by another number of the system.
pub(crate) fn forget_others() {
    let (living, _) = living();
    for slot in living.filter(|slot| !is_current(slot)) {
        slot.phase.store(FREE, Release);
        give_back(slot);
    }
    UNSEEN.store(0, Relaxed);
    trace::forget_tasks();
    limit::forget_others();
    if let Some(slot) = current() {
        let id = rustix::thread::gettid().as_raw_nonzero().get();
        slot.id.store(id, Relaxed);
    }
}

fn is_current(slot: &Slot) -> bool {
    current().is_some_and(|current| std::ptr::eq(current, slot))
}

fn free_slot() -> Option<&'static Slot> {
    let mut head = FREED.load(Acquire);
    while let Some(index) = ((head as u32) as usize).checked_sub(1) {
        let next = THREADS[index].next_free.load(Relaxed);
        let rest = successor(head, next);
        match FREED.compare_exchange_weak(head, rest, AcqRel, Acquire) {
            Ok(_) => return Some(&THREADS[index]),
            Err(changed) => head = changed,
        }
    }
    let more = |used| (used < SLOTS).then_some(used + 1);
    let index = UNUSED.fetch_update(AcqRel, Acquire, more).ok()?;
    THREADS.get(index)
}

fn give_back(slot: &'static Slot) {
    let first = THREADS.as_ptr().addr();
    let index = (std::ptr::from_ref(slot).addr() - first) / size_of::<Slot>();
    let mut head = FREED.load(Acquire);
    loop {
        slot.next_free.store(head as u32, Relaxed);
        let list = successor(head, index as u32 + 1);
        match FREED.compare_exchange_weak(head, list, AcqRel, Acquire) {
            Ok(_) => return,
            Err(changed) => head = changed,
        }
    }
}

/// A list that begins with `first` and was never there before.
fn successor(head: u64, first: u32) -> u64 {
    let count = (head >> 32).wrapping_add(1);
    (count << 32) | u64::from(first)
}
