//! What futures wait for, as their last poll has left it.
//!
//! Whoever is to wake a future keeps its waker. So the prelude, and tokio as the notebook compiles it,
//! poll with a waker that tells who clones it (`private/awaits.rs` of the prelude): the keepers. Where
//! tokio does so for a lock or for the end of a task, it tells that before (`seams/permits.rs.in`).
//!
//! Of a future on which a thread is blocked this is kept in the thread's slot, of a task in a table
//! with a place for each by its number, and no more: of two that share one the older is forgotten.

mod table;

use std::{
    cell::Cell,
    sync::atomic::{
        AtomicBool, AtomicU64, AtomicUsize,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use interleave_protocol::{TaskKind, TaskName};

use super::{
    TASK,
    record::{STACK_WORDS, Stack},
};
use crate::observe::{self, Frame};

pub(super) use table::forget;
pub(crate) use table::{WaitingTask, forget_tasks, waiting_tasks};

/// So many keepers of one poll are known: the first ones, and the last.
const MOST: usize = 4;

/// What is awaited, where whoever keeps the waker has said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Object {
    #[default]
    Unknown,
    /// A lock of tokio, by the address of its semaphore.
    Lock(u64),
    /// The end of a task, by tokio's number.
    Task(u64),
}

/// Who has kept the waker of a future.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keeper {
    pub(super) stack: Stack,
    pub(crate) object: Object,
}

impl Keeper {
    const NOBODY: Self = Self {
        stack: Stack::EMPTY,
        object: Object::Unknown,
    };

    fn at(frame: Frame) -> Self {
        Self {
            stack: Stack::of(frame),
            object: ABOUT.get(),
        }
    }

    /// The innermost functions, whose names tell what is awaited.
    pub(crate) fn innermost(&self) -> Vec<usize> {
        self.stack.innermost()
    }

    /// Where in cells, innermost first.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.stack.places()
    }
}

thread_local! {
    /// Those of the task that this thread runs, since it was entered.
    static KEEPERS: [Cell<Keeper>; MOST] = const { [const { Cell::new(Keeper::NOBODY) }; MOST] };
    static COUNT: Cell<usize> = const { Cell::new(0) };
    /// Whether it waits no longer than some time.
    static HAS_LIMIT: Cell<bool> = const { Cell::new(false) };
    /// What the waker that is cloned next is for.
    static ABOUT: Cell<Object> = const { Cell::new(Object::Unknown) };
    /// The task that is the future on which this thread is blocked, if that is one.
    static ROOT: Cell<Option<TaskName>> = const { Cell::new(None) };
}

/// The calling thread enters a task.
pub(super) fn enter(task: Option<TaskName>) {
    COUNT.set(0);
    HAS_LIMIT.set(false);
    ROOT.set(None);
    task.inspect(|task| forget(*task));
}

/// The task that the calling thread runs waits for something that keeps its waker: in this frame.
pub(super) fn keep(frame: Frame) {
    let count = COUNT.get();
    let keeper = Keeper::at(frame);
    KEEPERS.with(|keepers| keepers[count.min(MOST - 1)].set(keeper));
    COUNT.set(count + 1);
}

/// The calling thread leaves a task, which waits. Returns its keepers.
pub(super) fn leave(task: Option<TaskName>) -> impl Iterator<Item = Keeper> {
    let count = COUNT.replace(0).min(MOST);
    if let Some(task) = task.filter(|task| is_listed(*task)) {
        KEEPERS.with(|keepers| table::write(task, &keepers[..count]));
    }
    (0..count).map(|at| KEEPERS.with(|keepers| keepers[at].get()))
}

/// Whether what waits is a task on its own, as opposed to a part of its thread.
fn is_listed(task: TaskName) -> bool {
    matches!(task.kind, TaskKind::Tokio | TaskKind::Coroutine) && ROOT.get() != Some(task)
}

/// For tokio as the notebook compiles it: the waker that the calling thread clones next is for a lock.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_about_to_await_permits(semaphore: usize) {
    ABOUT.set(Object::Lock(semaphore as u64));
}

/// The same for the end of a task.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_about_to_await_task(id: u64) {
    ABOUT.set(Object::Task(id));
}

/// The waker has been cloned.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_has_kept_waker() {
    ABOUT.set(Object::Unknown);
}

/// What is polled just now waits no longer than some time.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_awaits_with_limit() {
    HAS_LIMIT.set(true);
    observe::awaits_of_this_thread(|awaits| awaits.has_limit.store(true, Relaxed));
}

/// The calling thread begins to poll the future on which it is blocked, or has done so.
pub(crate) fn polls_root(awaits: &Awaits, begins: bool) {
    if begins {
        ROOT.set(TASK.get());
    }
    awaits.begin(!begins);
}

/// What that future waits for keeps its waker: in this frame.
pub(crate) fn keep_of_root(awaits: &Awaits, frame: Frame) {
    let keeper = Keeper::at(frame);
    awaits.change(|| awaits.push(&keeper));
}

/// Who does what the calling thread does now: a task, unless that is what its thread is blocked on.
pub(crate) fn current_task() -> Option<TaskName> {
    TASK.get().filter(|task| is_listed(*task))
}

/// What a future waits for. One thread writes, others read.
#[derive(Debug)]
pub(crate) struct Awaits {
    /// Odd while it is written.
    version: AtomicU64,
    /// Whether the future was polled and waits now.
    waits: AtomicBool,
    has_limit: AtomicBool,
    count: AtomicUsize,
    keepers: [[AtomicU64; STACK_WORDS + 2]; MOST],
}

impl Awaits {
    pub(crate) const fn new() -> Self {
        Self {
            version: AtomicU64::new(0),
            waits: AtomicBool::new(false),
            has_limit: AtomicBool::new(false),
            count: AtomicUsize::new(0),
            keepers: [const { [const { AtomicU64::new(0) }; STACK_WORDS + 2] }; MOST],
        }
    }

    fn change(&self, change: impl FnOnce()) {
        let version = self.version.load(Relaxed);
        self.version.store(version + 1, Relaxed);
        std::sync::atomic::fence(Release);
        change();
        self.version.store((version | 1) + 1, Release);
    }

    /// The future is polled from now on, or was.
    fn begin(&self, was_polled: bool) {
        self.change(|| {
            self.waits.store(was_polled, Relaxed);
            if !was_polled {
                self.count.store(0, Relaxed);
                self.has_limit.store(false, Relaxed);
            }
        });
    }

    /// Nothing is known of a future here.
    pub(crate) fn clear(&self) {
        self.begin(false);
    }

    fn push(&self, keeper: &Keeper) {
        let count = self.count.load(Relaxed);
        let (kind, object) = match keeper.object {
            Object::Unknown => (0, 0),
            Object::Lock(address) => (1, address),
            Object::Task(id) => (2, id),
        };
        let words = keeper.stack.words().into_iter().chain([kind, object]);
        for (place, word) in self.keepers[count.min(MOST - 1)].iter().zip(words) {
            place.store(word, Relaxed);
        }
        self.count.store(count + 1, Relaxed);
    }

    /// What the future waits for now; `None` if it does not, or is just being polled.
    pub(crate) fn read(&self) -> Option<Known> {
        let version = self.version.load(Acquire);
        let count = self.count.load(Relaxed);
        let keepers = self.keepers.iter().take(count).map(|words| {
            let words = words.each_ref().map(|word| word.load(Relaxed));
            let object = words[STACK_WORDS + 1];
            Keeper {
                stack: Stack::from_words(&words[..STACK_WORDS]),
                object: match words[STACK_WORDS] {
                    1 => Object::Lock(object),
                    2 => Object::Task(object),
                    _ => Object::Unknown,
                },
            }
        });
        let known = Known {
            is_one: count == 1 && !self.has_limit.load(Relaxed),
            keepers: keepers.collect(),
        };
        let waits = self.waits.load(Relaxed);
        std::sync::atomic::fence(Acquire);
        let is_whole = version.is_multiple_of(2) && self.version.load(Relaxed) == version;
        (is_whole && waits).then_some(known)
    }
}

/// What a future waits for.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Whether that is one thing, and without a limit of time.
    pub(crate) is_one: bool,
    pub(crate) keepers: Vec<Keeper>,
}

impl Known {
    /// What it waits for, if that is all.
    pub(crate) fn only(&self) -> Object {
        let first = self.keepers.first().filter(|_| self.is_one);
        first.map_or(Object::Unknown, |keeper| keeper.object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(id: u64) -> TaskName {
        TaskName {
            kind: TaskKind::Tokio,
            id,
        }
    }

    fn waiting(id: u64) -> Option<WaitingTask> {
        waiting_tasks().find(|found| found.name == task(id))
    }

    #[test]
    fn what_a_task_waits_for_is_known_until_it_is_entered() {
        enter(Some(task(7)));
        interleave_host_about_to_await_permits(640);
        keep(Frame::UNKNOWN);
        interleave_host_has_kept_waker();
        assert_eq!(leave(Some(task(7))).count(), 1);
        assert_eq!(waiting(7).unwrap().known.only(), Object::Lock(640));
        enter(Some(task(7)));
        assert!(waiting(7).is_none());
        keep(Frame::UNKNOWN);
        interleave_host_awaits_with_limit();
        assert_eq!(leave(Some(task(7))).count(), 1);
        let found = waiting(7).unwrap();
        assert_eq!(
            (found.known.only(), found.known.is_one),
            (Object::Unknown, false)
        );
        forget(task(7));
    }

    #[test]
    fn of_many_keepers_the_last_is_known() {
        enter(Some(task(9)));
        for id in 0..9 {
            interleave_host_about_to_await_task(id);
            keep(Frame::UNKNOWN);
        }
        interleave_host_has_kept_waker();
        let kept: Vec<Object> = leave(Some(task(9))).map(|keeper| keeper.object).collect();
        assert_eq!(kept, [0, 1, 2, 8].map(Object::Task));
        let known = waiting(9).unwrap().known;
        assert_eq!((known.keepers.len(), known.only()), (4, Object::Unknown));
        // Another one that has the place.
        enter(Some(task(9 + table::PLACES as u64)));
        leave(Some(task(9 + table::PLACES as u64))).for_each(drop);
        assert!(waiting(9).is_none());
        forget(task(9 + table::PLACES as u64));
    }
}
