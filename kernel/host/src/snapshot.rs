//! A copy of this process from before a cell, which takes its place if it ends within the cell.
//!
//! Before a cell the process copies itself ([`copy`]). The original runs the cell; the copy does
//! nothing but wait for the original's end. When the cell is over, the original ends the copy. When
//! the original has ended instead, by whatever cause, the copy connects to the kernel in its place
//! and goes on as if the cell had not been run: variables and statics are as they were.
//!
//! A copy has the memory of the original and of its threads only the one that made it. So there is
//! none while any other thread lives but those of this program ([`service`]), which the copy starts
//! anew; [`obstacles`] tells what else stands against it.

use std::{
    io,
    os::fd::AsFd,
    sync::atomic::{AtomicBool, Ordering},
};

use interleave_protocol::{HostEvent, NoSnapshot};
use rustix::{
    event::{PollFd, PollFlags},
    process::{Pid, PidfdFlags, Signal},
};

use self::copy::Copied;
use crate::{descriptors::Private, link, observe, service, trace};

mod copy;
mod obstacles;

/// Cells are counted from 1.
const FIRST_CELL: u64 = 1;

static IS_ON: AtomicBool = AtomicBool::new(false);

/// Call before the first cell, when all descriptors of this program are open.
pub(crate) fn set_up(is_on: bool) {
    let is_on = is_on && obstacles::expect_descriptors().is_ok();
    IS_ON.store(is_on, Ordering::Relaxed);
}

/// Which of the two returned from [`take`].
pub(crate) enum Life {
    /// The original, with its copy if there is one.
    Original(Option<Snapshot>),
    /// The copy, after the end of the original.
    Successor,
}

/// A copy that waits. Dropping this ends it.
pub(crate) struct Snapshot(Private);

impl Drop for Snapshot {
    fn drop(&mut self) {
        // An error means that somebody else has ended it.
        let _ = rustix::process::pidfd_send_signal(&self.0, Signal::KILL);
    }
}

/// Makes a copy before a cell, on the thread that will run it; `hold` is what that thread locks meanwhile so
/// that no other one does.
pub(crate) fn take<T>(cell: u64, hold: impl FnOnce() -> T) -> Life {
    match try_to_take(cell, hold) {
        Ok(Taken::Life(life)) => life,
        Ok(Taken::Not(reason)) => without(reason),
        Err(error) => without(NoSnapshot::System {
            error: error.to_string(),
        }),
    }
}

enum Taken {
    Life(Life),
    Not(NoSnapshot),
}

fn without(reason: NoSnapshot) -> Life {
    link::send(&HostEvent::NoSnapshot { reason });
    Life::Original(None)
}

fn try_to_take<T>(cell: u64, hold: impl FnOnce() -> T) -> io::Result<Taken> {
    if !IS_ON.load(Ordering::Relaxed) {
        return Ok(Taken::Not(NoSnapshot::Off));
    }
    if cell == FIRST_CELL {
        return Ok(Taken::Not(NoSnapshot::Fresh));
    }
    let held = hold();
    let Some(stillness) = service::stand_still() else {
        return Ok(Taken::Not(NoSnapshot::Busy));
    };
    if let Some(reason) = obstacles::find()? {
        return Ok(Taken::Not(reason));
    }
    let original = rustix::process::getpid();
    let its_end = rustix::process::pidfd_open(original, PidfdFlags::empty())?;
    // SAFETY: this thread holds no lock but the two above, which the copy unlocks. The threads of
    // this program hold none while they stand still, and there are no others.
    let copied = unsafe { copy::copy() }?;
    if matches!(copied, Copied::Copy) {
        leave_group_of(original);
        wait_for(&its_end);
    }
    drop(stillness);
    drop(held);
    match copied {
        Copied::Original { pid, copy } => {
            link::send(&HostEvent::Snapshot { pid });
            // A cell that opens files shall see the numbers that it would see without us.
            let snapshot = Snapshot(Private::new(copy)?);
            Ok(Taken::Life(Life::Original(Some(snapshot))))
        }
        Copied::Copy => {
            drop(its_end);
            service::forget_all();
            observe::forget_others();
            trace::begin_anew();
            if link::reconnect().is_err() {
                end();
            }
            // For the sake of the new connection; whoever fails here has no further snapshots.
            set_up(true);
            Ok(Taken::Life(Life::Successor))
        }
    }
}

/// Keeps a signal to all processes of the cell from meeting the copy, if the original has a group of
/// its own.
fn leave_group_of(original: Pid) {
    if rustix::process::getpgrp() == original {
        // The system makes a new group for whoever has none of its own yet.
        let _ = rustix::process::setpgid(None, None);
    }
}

/// Waits until the process of the descriptor has ended. Nothing here takes memory or a lock.
fn wait_for(process: &impl AsFd) {
    loop {
        let mut polled = [PollFd::new(process, PollFlags::IN)];
        if rustix::event::poll(&mut polled, None).is_ok_and(|ready| ready > 0) {
            return;
        }
    }
}

/// For a copy that cannot do its work: the kernel has ended, or sees an end and helps itself.
pub(crate) fn end() -> ! {
    // SAFETY: `_exit` ends the process at once; no exit handler of a cell must run.
    unsafe { libc::_exit(1) }
}
