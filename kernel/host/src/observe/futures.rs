//! For the prelude: what the future waits for on which a thread is blocked.

use super::{
    frames::Frame,
    registry::{self, Slot},
};
use crate::trace::{self, Awaits};

/// The calling thread begins, or has ended, to poll such a future.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_polls_root(begins: bool) {
    if let Some(slot) = registry::current() {
        if begins {
            slot.awaits_at.clear();
        }
        trace::polls_root(&slot.awaits, begins);
    }
}

/// What it awaits waits in this frame. Follows frame pointers: this happens too often for anything
/// slower.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_note_await_at(frame: usize) {
    if let Some(slot) = registry::current() {
        let frame = Frame::in_use(frame);
        slot.awaits_at.take(frame);
        trace::keep_of_root(&slot.awaits, frame);
    }
}

/// What is known of the future on which the calling thread is blocked.
pub(crate) fn awaits_of_this_thread(change: impl FnOnce(&Awaits)) {
    registry::current().inspect(|slot: &&Slot| change(&slot.awaits));
}
