//! Which compiled code runs now, and how to stop it.

use std::{
    io::Write,
    os::unix::net::UnixStream,
    sync::{Mutex, PoisonError},
};

use interleave_protocol::HostRequest;

/// The compiled code that runs. Apart from the rest of the link, which may be busy for as long as a
/// front end is slow to read.
#[derive(Debug, Default)]
pub(super) struct RunningCode(Mutex<Option<(u64, UnixStream)>>);

impl RunningCode {
    /// A cell runs, and this is the socket to its host; or none runs any more.
    pub(super) fn set(&self, cell: Option<(u64, UnixStream)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = cell;
    }

    /// The cell, as the host counts them.
    pub(super) fn cell(&self) -> Option<u64> {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|(cell, _)| *cell)
    }

    /// Asks the host to stop a cell, if it still runs.
    pub(super) fn interrupt(&self, cell: u64) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((running, socket)) = running.as_mut()
            && *running == cell
        {
            let request = interleave_protocol::to_line(&HostRequest::Interrupt { cell });
            // An error means that the host is gone, and with it the cell.
            let _ = socket.write_all(&request);
        }
    }
}
