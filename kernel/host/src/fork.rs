//! A cell that calls `fork` itself: the copy runs the rest of the cell, as in a program, and ends
//! where the cell ends.
//!
//! Without this, two processes would answer evcxr and read its instructions. The copy keeps the
//! pipes on its standard streams, so what it prints arrives as the output of a program that the
//! cell started does.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{descriptors, trace};

static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Watches for `fork`, also by [`std::process::Command`], where it does no harm.
pub(crate) fn watch() -> io::Result<()> {
    // SAFETY: the handler does only what may be done between `fork` and `exec`.
    let result = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    match result {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number)),
    }
}

/// Whether this is such a copy.
pub(crate) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

extern "C" fn in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    trace::switch(false);
    descriptors::close_private();
}

/// Ends the process if it is such a copy. What the parent registered to run at its own end must not
/// run here.
pub(crate) fn end_copy() {
    if is_child() {
        // SAFETY: `_exit` ends the process at once.
        unsafe { libc::_exit(0) }
    }
}
