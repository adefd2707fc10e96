//! Where a running cell can be stopped.
//!
//! `interleave-compiler` writes calls of [`checkpoint`] into the source of each cell. While nobody
//! wants anything stopped they cost the load of one number.

use std::sync::atomic::{AtomicU32, Ordering};

/// Not zero while some thread is to stop. The host writes to it, by its symbol.
#[unsafe(export_name = "interleave_prelude_stopping")]
pub static STOPPING: AtomicU32 = AtomicU32::new(0);

/// What unwinds a thread that was stopped.
#[derive(Debug)]
pub struct Interrupted;

/// Stops this thread, by unwinding it, if that is wanted.
#[inline(always)]
pub fn checkpoint() {
    if STOPPING.load(Ordering::Relaxed) != 0 {
        stop();
    }
}

#[cold]
#[inline(never)]
fn stop() {
    if crate::host::is_to_stop() {
        std::panic::resume_unwind(Box::new(Interrupted));
    }
}
