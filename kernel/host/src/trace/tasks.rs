//! For the prelude, and for tokio and rayon as the notebook compiles them: what only they know.
//!
//! Whoever calls these functions finds them at run time. The prelude's side is its module `trace`;
//! rayon's is `seams/rayon.rs.in` of the compiler.

use std::{
    slice,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use interleave_protocol::{TaskKind, TaskName};

use super::{
    IS_TRACED, TASK, awaits, is_wanted, note,
    record::{Happened, OBJECT_KINDS, TASK_KINDS},
};
use crate::observe::{self, Frame, interpose};

/// The place of coroutines in [`TASK_KINDS`], from 1. Tasks of tokio cannot keep a guard of std: they may
/// move to another thread.
const COROUTINE: u64 = 4;

/// A task as these functions name it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
struct Named {
    /// 0 for no task, else the place in [`TASK_KINDS`], from 1.
    kind: u64,
    id: u64,
}

impl Named {
    const NONE: Self = Self { kind: 0, id: 0 };

    fn of(task: Option<TaskName>) -> Self {
        let number = |task: TaskName| {
            let index = TASK_KINDS.iter().position(|kind| *kind == task.kind)?;
            Some((index as u64 + 1, task.id))
        };
        task.and_then(number)
            .map_or(Self::NONE, |(kind, id)| Self { kind, id })
    }

    fn task(self) -> Option<TaskName> {
        let kind = *at(&TASK_KINDS, self.kind)?;
        Some(TaskName { kind, id: self.id })
    }
}

/// What stands at a place, counted from 1.
fn at<T>(list: &[T], place: u64) -> Option<&T> {
    list.get(usize::try_from(place.checked_sub(1)?).ok()?)
}

/// Whether events of the calling thread are noted.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_is_on() -> bool {
    is_wanted()
}

/// A number that no task of these kinds has: for jobs, which have none.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}

/// What the calling thread does next is not noted, or is, as before. Returns what was so before.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_this(is_traced: bool) -> bool {
    IS_TRACED.replace(is_traced)
}

/// The calling thread begins to run a task, which was given something. Returns the one that it ran
/// before.
///
/// # Safety
///
/// `text` must point to `length` readable bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_host_trace_enter(
    kind: u64,
    id: u64,
    text: *const u8,
    length: usize,
) -> Named {
    let task = Named { kind, id }.task();
    let before = TASK.replace(task);
    awaits::enter(task);
    if kind == COROUTINE {
        observe::enter_coroutine();
    }
    // SAFETY: the caller vouches for the text.
    let text = unsafe { slice::from_raw_parts(text, length) };
    note(Happened::TaskEntered, |record| record.with_text(&[text]));
    Named::of(before)
}

/// The calling thread leaves the task that it runs, which gave something, and goes on with the one
/// before.
///
/// # Safety
///
/// `text` must point to `length` readable bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_host_trace_leave(
    is_over: bool,
    text: *const u8,
    length: usize,
    kind: u64,
    id: u64,
) {
    // SAFETY: the caller vouches for the text.
    let text = unsafe { slice::from_raw_parts(text, length) };
    let is_coroutine = TASK
        .get()
        .is_some_and(|task| task.kind == TaskKind::Coroutine);
    if !is_over
        && is_coroutine
        && is_wanted()
        && let Some((address, call)) = observe::kept_by_coroutine()
    {
        note(Happened::LockKept { address, call }, |record| record);
    }
    let mut keepers = None;
    if is_over {
        TASK.get().inspect(|task| awaits::forget(*task));
    } else {
        keepers = Some(awaits::leave(TASK.get()));
    }
    let last = keepers.into_iter().flatten().last();
    let last = last.filter(|_| text.is_empty());
    note(Happened::TaskLeft { is_over }, |record| match &last {
        Some(keeper) => record.with_kept(&keeper.stack),
        None => record.with_text(&[text]),
    });
    TASK.set(Named { kind, id }.task());
}

/// The task that the calling thread runs waits for something that keeps its waker: in this frame.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_awaits(frame: usize) {
    if TASK.get().is_some() {
        awaits::keep(Frame::in_use(frame));
    }
}

/// A task is no more, and nobody has entered it for that.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_gone(kind: u64, id: u64) {
    (Named { kind, id })
        .task()
        .inspect(|task| awaits::forget(*task));
}

interpose!(interleave_host_trace_spawned, spawned, x86_64: "r8", aarch64: "x4");

/// The calling thread makes a task, which has this name, or none.
///
/// # Safety
///
/// `text` must point to `length` readable bytes.
unsafe extern "C-unwind" fn spawned(
    kind: u64,
    id: u64,
    text: *const u8,
    length: usize,
    caller: Frame,
) {
    let Some(task) = (Named { kind, id }).task() else {
        return;
    };
    note(Happened::TaskSpawned(task), |record| {
        record.with_places(caller)
    });
    if length > 0 {
        // SAFETY: the caller vouches for the text.
        let name = unsafe { slice::from_raw_parts(text, length) };
        note(Happened::TaskNamed(task), |record| {
            record.with_text(&[name])
        });
    }
}

/// The task that the calling thread runs.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_task() -> Named {
    Named::of(TASK.get())
}

/// A task was made by another one, maybe on another thread and some time ago.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_trace_spawned_by(kind: u64, id: u64, by_kind: u64, by_id: u64) {
    let maker = Named {
        kind: by_kind,
        id: by_id,
    };
    if let (Some(task), Some(maker)) = ((Named { kind, id }).task(), maker.task()) {
        let runs = TASK.replace(Some(maker));
        note(Happened::TaskSpawned(task), |record| record);
        TASK.set(runs);
    }
}

interpose!(interleave_host_trace_woken, woken, x86_64: "rdx", aarch64: "x2");

/// The calling thread lets a task run again.
extern "C-unwind" fn woken(kind: u64, id: u64, caller: Frame) {
    if let Some(task) = (Named { kind, id }).task() {
        note(Happened::TaskWoken(task), |record| {
            record.with_places(caller)
        });
    }
}

interpose!(interleave_host_trace_lost, lost, x86_64: "rdx", aarch64: "x2");

/// A task waits, and nobody has its waker: the calling thread was the last.
extern "C-unwind" fn lost(kind: u64, id: u64, caller: Frame) {
    if let Some(task) = (Named { kind, id }).task() {
        note(Happened::TaskLost(task), |record| {
            record.with_places(caller)
        });
    }
}

interpose!(interleave_host_trace_state, state, x86_64: "r8", aarch64: "x4");

/// An object is in another state, which has this name.
///
/// # Safety
///
/// `text` must point to `length` readable bytes.
unsafe extern "C-unwind" fn state(
    kind: u64,
    id: u64,
    text: *const u8,
    length: usize,
    caller: Frame,
) {
    // SAFETY: the caller vouches for the text.
    let text = unsafe { slice::from_raw_parts(text, length) };
    if let Some(kind) = at(&OBJECT_KINDS, kind) {
        note(Happened::State { kind: *kind, id }, |record| {
            record.with_text(&[text]).with_places(caller)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coroutines_have_their_number() {
        assert_eq!(at(&TASK_KINDS, COROUTINE), Some(&TaskKind::Coroutine));
    }

    #[test]
    fn tasks_are_named_by_their_place_in_the_list() {
        for kind in TASK_KINDS {
            let task = Some(TaskName { kind, id: 7 });
            assert_eq!(Named::of(task).task(), task);
        }
        assert_eq!(Named::of(None).task(), None);
        for kind in [0, 6, u64::MAX] {
            assert_eq!(Named { kind, id: 7 }.task(), None);
        }
    }
}
