//! The runtime around a whole cell.

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::runtime::handle;

/// Makes the shared runtime surround whatever the calling thread does from now on, so that
/// `tokio::spawn` also works outside of `async`.
///
/// Called by cells that name tokio, or a crate that uses it. Before, there is no runtime and there
/// are no threads of it.
pub fn enter_runtime() {
    thread_local! {
        static ENTERED: Cell<bool> = const { Cell::new(false) };
    }
    if !ENTERED.replace(true) {
        WAS_ENTERED.store(true, Ordering::Relaxed);
        std::mem::forget(handle().enter());
    }
}

/// Whether some cell has entered the runtime. What it left in variables may need that again.
static WAS_ENTERED: AtomicBool = AtomicBool::new(false);

/// Called at the start of a thread for cells, which may not be the first such thread.
pub(super) fn enter_as_before() {
    if WAS_ENTERED.load(Ordering::Relaxed) {
        enter_runtime();
    }
}
