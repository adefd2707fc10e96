//! Who has taken which lock of tokio.
//!
//! All of them, and bounded channels, are made of one semaphore, which tells when somebody has got
//! permits of it and when they are given back (`seams/permits.rs.in` of the compiler). That is noted
//! where the locks of threads are, by the semaphore's address; the code of cells then adds which of its
//! calls that was. So unlike those of threads these notes are complete.

use std::cell::Cell;

use interleave_protocol::{LockHolder, TaskKind, TaskName};

use super::{
    locks::{self, Taken},
    registry,
};
use crate::trace;

thread_local! {
    /// The semaphore of which this thread has got permits last; 0 for none.
    static GOT: Cell<usize> = const { Cell::new(0) };
}

/// Set in what is noted of a task.
const IS_TASK: u32 = 1 << 31;
/// Set in that of a coroutine.
const IS_COROUTINE: u32 = 1 << 30;
/// Of a task's number so much is noted.
const ID: u32 = IS_COROUTINE - 1;

/// A task, as it is noted.
pub(super) fn of_task(task: TaskName) -> u32 {
    let kind = match task.kind {
        TaskKind::Coroutine => IS_COROUTINE,
        _ => 0,
    };
    IS_TASK | kind | (task.id as u32 & ID)
}

/// The task that was noted so, if it was one.
pub(super) fn task(who: u32) -> Option<TaskName> {
    let kind = match who & IS_COROUTINE {
        0 => TaskKind::Tokio,
        _ => TaskKind::Coroutine,
    };
    let id = u64::from(who & ID);
    (who & IS_TASK != 0).then_some(TaskName { kind, id })
}

/// Who runs on the calling thread.
pub(super) fn who() -> Option<u32> {
    let thread = || registry::number_of_this_thread().map(|number| number as u32 & !IS_TASK);
    trace::current_task().map(of_task).or_else(thread)
}

/// For tokio as the notebook compiles it: whoever runs on the calling thread has got permits.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_got_permits(semaphore: usize) {
    if let Some(who) = who() {
        locks::write(semaphore, who.into(), UNKNOWN);
        GOT.set(semaphore);
    }
}

/// Such permits are given back.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_gave_permits(semaphore: usize) {
    if let Some(taken) = locks::taken(semaphore as u64) {
        // Of several holders only the newest is known, who may have them still.
        let may_be_others = locks::is_shared(taken.site) || taken.site == UNKNOWN;
        if !may_be_others || Some(taken.who) == who() {
            locks::clear(semaphore);
        }
    }
}

/// For the prelude: the call in a cell that has just got them.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_took_permits(site: u32) {
    let semaphore = GOT.replace(0);
    let taken = locks::taken(semaphore as u64).filter(|_| semaphore != 0);
    if let Some(taken) = taken.filter(|taken| taken.site == UNKNOWN && Some(taken.who) == who()) {
        locks::write(semaphore, taken.who.into(), site);
    }
}

/// In place of a call in a cell; cells are counted from 1.
const UNKNOWN: u32 = 0;

/// Whether only one can have the lock, and who that is, is certain.
pub(super) fn is_certain(taken: Taken) -> bool {
    LockHolder::call(taken.site) != UNKNOWN && !locks::is_shared(taken.site)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_told_from_threads_and_each_other() {
        for kind in [TaskKind::Tokio, TaskKind::Coroutine] {
            let name = TaskName { kind, id: 77 };
            assert_eq!(task(of_task(name)), Some(name));
        }
        assert_eq!(task(77), None);
    }
}
