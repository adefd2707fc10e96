//! Tells the host what only this crate knows: which task a thread runs, and what became of a future.
//! From that the kernel draws the lanes of a cell.
//!
//! The other side is `trace/tasks.rs` of the host. In an ordinary program nobody listens, and
//! nothing here does anything.

mod values;

use std::{
    fmt::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use interleave_protocol::{ObjectKind, TaskKind, TaskName};

use crate::host::lookup;

pub(crate) use values::Shown;

/// What the host offers.
struct Host {
    is_on: unsafe extern "C" fn() -> bool,
    new_id: unsafe extern "C" fn() -> u64,
    trace_this: unsafe extern "C" fn(bool) -> bool,
    enter: unsafe extern "C" fn(u64, u64, *const u8, usize) -> Before,
    leave: unsafe extern "C" fn(bool, *const u8, usize, u64, u64),
    awaits: unsafe extern "C" fn(usize),
    spawned: unsafe extern "C" fn(u64, u64, *const u8, usize),
    woken: unsafe extern "C" fn(u64, u64),
    lost: unsafe extern "C" fn(u64, u64),
    gone: unsafe extern "C" fn(u64, u64),
    state: unsafe extern "C" fn(u64, u64, *const u8, usize),
}

/// The task that a thread ran before, as the host names it.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before {
    kind: u64,
    id: u64,
}

impl Before {
    /// Nobody was told that a task is entered.
    pub(crate) const UNSEEN: Self = Self {
        kind: u64::MAX,
        id: 0,
    };
}

fn host() -> Option<&'static Host> {
    static HOST: OnceLock<Option<Host>> = OnceLock::new();
    let find = || {
        // SAFETY: the host defines the symbols with these signatures.
        unsafe {
            Some(Host {
                is_on: lookup(c"interleave_host_trace_is_on")?,
                new_id: lookup(c"interleave_host_trace_new_id")?,
                trace_this: lookup(c"interleave_host_trace_this")?,
                enter: lookup(c"interleave_host_trace_enter")?,
                leave: lookup(c"interleave_host_trace_leave")?,
                awaits: lookup(c"interleave_host_trace_awaits")?,
                spawned: lookup(c"interleave_host_trace_spawned")?,
                woken: lookup(c"interleave_host_trace_woken")?,
                lost: lookup(c"interleave_host_trace_lost")?,
                gone: lookup(c"interleave_host_trace_gone")?,
                state: lookup(c"interleave_host_trace_state")?,
            })
        }
    };
    HOST.get_or_init(find).as_ref()
}

/// The host, if what this thread does is noted.
fn listening() -> Option<&'static Host> {
    // SAFETY: it only reads numbers.
    host().filter(|host| unsafe { (host.is_on)() })
}

/// Whether what this thread does is noted: worth the making of a name.
pub(crate) fn is_on() -> bool {
    listening().is_some()
}

/// A number that no other object of this crate has, nor any job of rayon.
pub(crate) fn new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let count = || NEXT.fetch_add(1, Ordering::Relaxed);
    // SAFETY: it only counts.
    host().map_or_else(count, |host| unsafe { (host.new_id)() })
}

/// This thread has made a task; `name` is called if somebody wants to know.
pub(crate) fn spawned(task: TaskName, name: impl FnOnce() -> String) {
    if let Some(host) = listening() {
        let name = name();
        // SAFETY: the host only reads the text.
        unsafe { (host.spawned)(number(task.kind), task.id, name.as_ptr(), name.len()) }
    }
}

/// This thread lets a task run again.
pub(crate) fn woken(task: TaskName) {
    if let Some(host) = listening() {
        // SAFETY: it only takes numbers.
        unsafe { (host.woken)(number(task.kind), task.id) }
    }
}

/// A task waits, and nobody has its waker: this thread was the last.
pub(crate) fn lost(task: TaskName) {
    if let Some(host) = listening() {
        // SAFETY: it only takes numbers.
        unsafe { (host.lost)(number(task.kind), task.id) }
    }
}

/// A task is no more, and it may be that nobody has entered it for that.
pub(crate) fn gone(task: TaskName) {
    if let Some(host) = host() {
        // SAFETY: it only takes numbers.
        unsafe { (host.gone)(number(task.kind), task.id) }
    }
}

/// An object is in another state.
pub(crate) fn state(kind: ObjectKind, id: u64, state: impl fmt::Display) {
    if let Some(host) = listening() {
        let kind = match kind {
            ObjectKind::Future => 1,
            ObjectKind::EventLoop => 2,
            ObjectKind::Pool => 3,
            ObjectKind::Timer => 4,
        };
        let text = Text::of(&state);
        // SAFETY: the host only reads the text.
        unsafe { (host.state)(kind, id, text.bytes.as_ptr(), text.length) }
    }
}

/// What this thread does until the return is no part of the student's program: nothing of it is
/// noted.
pub(crate) fn unseen<R>(work: impl FnOnce() -> R) -> R {
    struct Again(&'static Host, bool);
    impl Drop for Again {
        fn drop(&mut self) {
            // SAFETY: it only sets a number of this thread's.
            unsafe { (self.0.trace_this)(self.1) };
        }
    }
    // SAFETY: as above.
    let _again = host().map(|host| Again(host, unsafe { (host.trace_this)(false) }));
    work()
}

/// This thread begins to run a task, which is given something; `""` for nothing.
pub(crate) fn enter(task: TaskName, given: impl fmt::Display) -> Before {
    let Some(host) = host() else {
        return Before::UNSEEN;
    };
    let text = if is_on() {
        Text::of(&given)
    } else {
        Text::EMPTY
    };
    let kind = number(task.kind);
    // SAFETY: the host reads the text, and sets what it knows of this thread.
    unsafe { (host.enter)(kind, task.id, text.bytes.as_ptr(), text.length) }
}

/// This thread leaves the task, which may be over, and which gives something; `""` for nothing.
pub(crate) fn leave(before: Before, is_over: bool, gives: impl fmt::Display) {
    if let Some(host) = host().filter(|_| before.kind != Before::UNSEEN.kind) {
        let text = if is_on() {
            Text::of(&gives)
        } else {
            Text::EMPTY
        };
        let (start, length) = (text.bytes.as_ptr(), text.length);
        // SAFETY: the host reads the text, and sets what it knows of this thread.
        unsafe { (host.leave)(is_over, start, length, before.kind, before.id) }
    }
}

/// The task that this thread runs waits for something that keeps its waker, called from this frame.
pub(crate) fn awaits(frame: usize) {
    if let Some(host) = listening() {
        // SAFETY: it only reads this thread's stack.
        unsafe { (host.awaits)(frame) }
    }
}

/// This thread runs a task while this lives.
pub(crate) struct Entered {
    before: Before,
    is_over: bool,
}

impl Entered {
    /// The thread begins to run the task.
    pub(crate) fn new(task: TaskName) -> Self {
        Self {
            before: enter(task, ""),
            is_over: false,
        }
    }

    /// Says whether the task is over.
    pub(crate) fn set_over(&mut self, is_over: bool) {
        self.is_over = is_over;
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        leave(self.before, self.is_over, "");
    }
}

/// The host's number for a kind.
fn number(kind: TaskKind) -> u64 {
    match kind {
        TaskKind::Tokio => 1,
        TaskKind::Blocking => 2,
        TaskKind::Job => 3,
        TaskKind::Coroutine => 4,
        TaskKind::Generator => 5,
    }
}

/// The beginning of a text: more than the host keeps, in no memory but its own.
struct Text {
    bytes: [u8; 48],
    length: usize,
}

impl Text {
    const EMPTY: Self = Self {
        bytes: [0; 48],
        length: 0,
    };

    fn of(what: &impl fmt::Display) -> Self {
        let mut text = Self::EMPTY;
        // It ends with an error when there is no more room.
        let _ = write!(text, "{what}");
        text
    }
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let room = &mut self.bytes[self.length..];
        let count = part.len().min(room.len());
        room[..count].copy_from_slice(&part.as_bytes()[..count]);
        self.length += count;
        if count < part.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
