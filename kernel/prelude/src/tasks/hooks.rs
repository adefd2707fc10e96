//! What tokio calls. The other side is `seams/tokio.rs.in` of the compiler, which declares the same.

use std::{
    any::Any,
    ffi::c_void,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::RawWakerVTable,
};

use interleave_protocol::{TaskKind, TaskName};

use super::{
    CURRENT, Task,
    handle::{Control, Handle},
    now, register,
};
use crate::{
    host::{self, Owner},
    names,
    private::{
        awaits::{NOTING, NOTING_OF_TASK},
        interrupt::Interrupted,
    },
    trace,
};

/// The functions, in the order that tokio knows.
#[repr(C)]
pub(crate) struct Hooks {
    begin: unsafe extern "C" fn(*const Birth) -> usize,
    enter: unsafe extern "C" fn(usize, bool) -> Before,
    leave: unsafe extern "C" fn(usize, Before, bool),
    end: unsafe extern "C" fn(usize),
    wake: unsafe extern "C" fn(u64),
    noting: unsafe extern "C" fn() -> &'static RawWakerVTable,
    lost: unsafe extern "C" fn(u64),
    made: unsafe extern "C" fn(u64, usize, &'static Control) -> bool,
    stopped: unsafe extern "C" fn(usize, *const c_void) -> bool,
    polls_root: unsafe extern "C" fn(bool),
    noting_root: unsafe extern "C" fn() -> &'static RawWakerVTable,
    has_limit: unsafe extern "C" fn(),
}

/// A task that is being spawned.
#[repr(C)]
struct Birth {
    id: u64,
    is_blocking: bool,
    /// Of tokio's own, such as its workers and its access to files: nobody wants to see it listed.
    is_internal: bool,
    type_name: *const u8,
    type_name_length: usize,
    file: *const u8,
    file_length: usize,
    line: u32,
    column: u32,
}

/// What a thread worked for before it began to run a task.
#[repr(C)]
struct Before {
    cell: u64,
    task: usize,
    traced: trace::Before,
}

/// The functions that tokio is to call.
#[unsafe(no_mangle)]
extern "C" fn interleave_task_hooks() -> &'static Hooks {
    static HOOKS: Hooks = Hooks {
        begin,
        enter,
        leave,
        end,
        wake,
        noting,
        lost,
        made,
        stopped,
        polls_root,
        noting_root,
        has_limit,
    };
    &HOOKS
}

/// The name that tokio shall use for a task that this thread spawns.
///
/// # Safety
///
/// `birth` must point to a whole one, whose file and type are text that lives for ever.
unsafe extern "C" fn begin(birth: *const Birth) -> usize {
    // SAFETY: the caller vouches for it, and for the text in it.
    let birth = unsafe { &*birth };
    // SAFETY: as above.
    let [file, type_name] = [
        (birth.file, birth.file_length),
        (birth.type_name, birth.type_name_length),
    ]
    .map(|(start, length)| unsafe {
        let text: &'static [u8] = std::slice::from_raw_parts(start, length);
        std::str::from_utf8_unchecked(text)
    });
    let task = Arc::new(Task {
        id: birth.id,
        kind: if birth.is_blocking {
            TaskKind::Blocking
        } else {
            TaskKind::Tokio
        },
        in_loop: None,
        is_internal: birth.is_internal,
        // A thread of tokio runs its life as such a task; it works for whoever comes.
        owner: if birth.is_internal {
            Owner::NOBODY
        } else {
            Owner::current()
        },
        file,
        line: birth.line,
        column: birth.column,
        is_running: AtomicBool::new(false),
        since: AtomicU64::new(now()),
        busy: AtomicU64::new(0),
        is_over: AtomicBool::new(false),
        handle: OnceLock::new(),
        is_to_stop: AtomicBool::new(false),
        is_dropped: AtomicBool::new(false),
    });
    if !task.is_internal {
        trace::spawned(task.name(), || {
            if task.kind == TaskKind::Blocking {
                names::job_of(type_name)
            } else {
                names::function_of(type_name)
            }
        });
        trace::unseen(|| register().of_tokio.insert(task.id, Arc::clone(&task)));
    }
    Arc::into_raw(task) as usize
}

/// This thread begins to run a task, or to drop it.
///
/// # Safety
///
/// `task` must be from [`begin`] and not have ended.
unsafe extern "C" fn enter(task: usize, is_to_drop: bool) -> Before {
    let task = task as *const Task;
    // SAFETY: the caller vouches for it.
    let task_itself = unsafe { &*task };
    let cell = Owner::current().number();
    task_itself.owner.enter();
    task_itself
        .is_dropped
        .fetch_or(is_to_drop, Ordering::Relaxed);
    // A task that is over is only dropped now.
    let is_seen = !task_itself.is_internal && !task_itself.is_over.load(Ordering::Relaxed);
    let traced = if is_seen {
        trace::enter(task_itself.name(), "")
    } else {
        trace::Before::UNSEEN
    };
    task_itself.begin_to_run();
    Before {
        cell,
        task: CURRENT.replace(task) as usize,
        traced,
    }
}

/// This thread ends to run a task, and goes on with what it did before. `is_over` tells whether the
/// task is over.
///
/// # Safety
///
/// `task` and `before` must be those of the last [`enter`] on this thread.
unsafe extern "C" fn leave(task: usize, before: Before, is_over: bool) {
    // SAFETY: the caller vouches for it.
    let task = unsafe { &*(task as *const Task) };
    task.end_to_run();
    task.is_over.fetch_or(is_over, Ordering::Relaxed);
    trace::leave(before.traced, is_over, "");
    CURRENT.set(before.task as *const Task);
    Owner::numbered(before.cell).enter();
}

/// A task is no more.
///
/// # Safety
///
/// `task` must be from [`begin`], not be running, and not be used again.
unsafe extern "C" fn end(task: usize) {
    // SAFETY: `begin` gave one reference away, and the caller gives it back.
    let task = unsafe { Arc::from_raw(task as *const Task) };
    if !task.is_internal {
        trace::unseen(|| register().of_tokio.remove(&task.id));
    }
}

/// This thread wakes the task that tokio knows by this number.
unsafe extern "C" fn wake(id: u64) {
    trace::woken(TaskName {
        kind: TaskKind::Tokio,
        id,
    });
}

/// Nobody keeps a waker of the task that tokio knows by this number, and it waits.
unsafe extern "C" fn lost(id: u64) {
    trace::lost(TaskName {
        kind: TaskKind::Tokio,
        id,
    });
}

/// The functions of a waker that is a reference to another, and notes who clones it.
unsafe extern "C" fn noting() -> &'static RawWakerVTable {
    &NOTING_OF_TASK
}

/// This thread begins, or has ended, to poll the future on which it is blocked.
unsafe extern "C" fn polls_root(begins: bool) {
    host::polls_root(begins);
}

/// As [`noting`], for such a future.
unsafe extern "C" fn noting_root() -> &'static RawWakerVTable {
    &NOTING
}

/// What this thread polls waits no longer than some time.
unsafe extern "C" fn has_limit() {
    host::awaits_with_limit();
}

/// A task was made; this is what it can be stopped by. Returns whether it is wanted: it then belongs
/// to this module.
///
/// # Safety
///
/// As for [`Handle::new`].
unsafe extern "C" fn made(id: u64, handle: usize, control: &'static Control) -> bool {
    let Some(task) = trace::unseen(|| register().of_tokio.get(&id).cloned()) else {
        return false;
    };
    // SAFETY: the caller vouches for it.
    let handle = unsafe { Handle::new(handle, control) };
    // Two copies of tokio may use one number; the second handle is released here.
    let _ = task.handle.set(handle);
    true
}

/// A task was unwound. Whether that was to stop it; then it is aborted.
///
/// # Safety
///
/// `task` must be from [`begin`] and not have ended, and `panic` point to a `Box<dyn Any + Send>`.
unsafe extern "C" fn stopped(task: usize, panic: *const c_void) -> bool {
    // SAFETY: the caller vouches for both.
    let (task, panic) = unsafe {
        let panic = &*panic.cast::<Box<dyn Any + Send>>();
        (&*(task as *const Task), panic)
    };
    let handle = task.handle.get();
    let handle = handle.filter(|_| Interrupted::is_in(&**panic));
    handle.map(Handle::abort).is_some()
}

/// For the host: gives `take` the [states](super::states) as JSON, with what it is to be given.
///
/// # Safety
///
/// `take` must be sound to call with `context`.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_prelude_tasks(
    take: unsafe extern "C" fn(*mut c_void, *const u8, usize),
    context: *mut c_void,
) {
    let line = interleave_protocol::to_line(&super::states());
    // SAFETY: the caller vouches for the function; the bytes live until it returns.
    unsafe { take(context, line.as_ptr(), line.len()) }
}
