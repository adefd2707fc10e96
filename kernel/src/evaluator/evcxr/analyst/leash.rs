//! Ends the process that completes and explains from outside, while its answer is waited for.

use std::{
    io,
    os::fd::OwnedFd,
    process::Child,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustix::process::{Pid, PidfdFlags, Signal};

/// Holds the newest process, or none.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Leash(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    process: Option<OwnedFd>,
    /// The kernel ends: no process is wanted any more.
    ended: bool,
}

impl Leash {
    /// Takes a process that was just started.
    pub(super) fn put_on(&self, process: &Child) -> io::Result<()> {
        let process = rustix::process::pidfd_open(Pid::from_child(process), PidfdFlags::empty())?;
        let mut held = self.lock();
        if held.ended {
            kill(&process);
        }
        held.process = Some(process);
        Ok(())
    }

    /// Ends the process, and each that is started from now on.
    pub(in super::super) fn end(&self) {
        let mut held = self.lock();
        held.ended = true;
        if let Some(process) = &held.process {
            kill(process);
        }
    }

    /// Whether nobody wants an answer any more.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().ended
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn kill(process: &OwnedFd) {
    // An error means that it has ended by itself.
    let _ = rustix::process::pidfd_send_signal(process, Signal::KILL);
}
