//! Where a running cell can be stopped.
//!
//! `interleave-compiler` writes calls of [`checkpoint`] into the source of each cell. While nobody
//! wants anything stopped they cost the load of one number.

use std::{
    any::Any,
    cell::Cell,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    pin::Pin,
    ptr,
    sync::atomic::{AtomicU32, Ordering},
    task::{Context, RawWaker, RawWakerVTable, Waker},
    thread,
};

use crate::{host, tasks};

/// Not zero while some thread is to stop. The host writes to it, by its symbol.
#[unsafe(export_name = "interleave_prelude_stopping")]
pub static STOPPING: AtomicU32 = AtomicU32::new(0);

/// What unwinds a thread that was stopped.
#[derive(Debug)]
pub struct Interrupted;

impl Interrupted {
    /// Whether this is what unwound a thread.
    pub(crate) fn is_in(panic: &(dyn Any + Send)) -> bool {
        panic.is::<Self>()
    }
}

/// Stops this thread, by unwinding it, if that is wanted.
///
/// It does not belong into a function of another ABI (`extern "C"`): unwinding out of one ends the
/// process.
#[inline(always)]
#[track_caller]
pub fn checkpoint() {
    if STOPPING.load(Ordering::Relaxed) != 0 {
        stop();
    }
}

/// Whether this thread is to stop.
pub(crate) fn is_wanted() -> bool {
    STOPPING.load(Ordering::Relaxed) != 0 && host::is_to_stop()
}

thread_local! {
    /// Whether what this thread does must come to its end.
    static IS_SPARED: Cell<bool> = const { Cell::new(false) };
}

/// Does something that is not stopped: destructors, which would be left in the middle.
pub(crate) fn spare<R>(work: impl FnOnce() -> R) -> R {
    let before = IS_SPARED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    IS_SPARED.set(before);
    result.unwrap_or_else(|panic| resume_unwind(panic))
}

/// Waits for a future, as `wait` does. When an interrupt ends that, finds the `.await` at which the
/// future stands.
///
/// A future that waits is on no stack. So it is polled once more, as anybody may do at any time,
/// with a waker that looks who clones it: what it waits for does so, in order to be told.
pub(crate) fn await_by(
    mut future: Pin<&mut dyn Future<Output = ()>>,
    wait: impl FnOnce(Pin<&mut dyn Future<Output = ()>>),
) {
    let ended = catch_unwind(AssertUnwindSafe(|| wait(future.as_mut())));
    let Err(panic) = ended else {
        return;
    };
    if Interrupted::is_in(&*panic) && is_wanted() {
        let waker = looking_waker();
        let mut cx = Context::from_waker(&waker);
        // If it panics, that is because it is being stopped.
        let _ = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut cx)));
    }
    resume_unwind(panic)
}

/// A waker that wakes nobody, and tells the host who clones it.
fn looking_waker() -> Waker {
    const TABLE: RawWakerVTable = RawWakerVTable::new(
        |_| {
            host::note_await();
            RawWaker::new(ptr::null(), &TABLE)
        },
        |_| {},
        |_| {},
        |_| {},
    );
    // SAFETY: the functions of the table do nothing with the pointer, on whichever thread.
    unsafe { Waker::new(ptr::null(), &TABLE) }
}

#[cold]
#[inline(never)]
#[track_caller]
fn stop() {
    // A destructor that runs while its thread unwinds must come to its end: to unwind out of it
    // would abort the process. So must those of a task that was aborted.
    let is_spared = || IS_SPARED.try_with(Cell::get).unwrap_or(false) || tasks::is_dropping();
    if !thread::panicking() && !is_spared() && host::is_to_stop() {
        super::stopped_at(Location::caller());
        resume_unwind(Box::new(Interrupted));
    }
}
