//! Clears up behind a kernel, however it ends: also when it was killed.
//!
//! The kernel keeps the other end of this process's standard input and never writes to it, so the
//! end of that pipe is the end of the kernel.

use std::{
    ffi::OsString,
    fs,
    io::{self, Read},
    os::fd::OwnedFd,
    path::PathBuf,
};

use rustix::{
    event::{PollFd, PollFlags, Timespec},
    process::{Pid, PidfdFlags, Signal},
};

/// A killed process ends at once, unless the system is in the middle of something for it.
const PATIENCE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// What starts others while it is killed is found in the next round.
const ROUNDS: usize = 100;

/// `interleave-host guard DIRECTORY [PROCESS_GROUP]`
///
/// Removes the directory and ends the processes of the group (compilers, programs that cells
/// started) once the kernel is gone. Where the group is a session, too, it ends all of that: hosts
/// have groups of their own in it, so that a signal to a cell's group does not meet the kernel.
pub(crate) fn run(mut arguments: impl Iterator<Item = OsString>) -> io::Result<()> {
    let Some(directory) = arguments.next().map(PathBuf::from) else {
        return Err(io::Error::other(
            "usage: interleave-host guard DIRECTORY [PROCESS_GROUP]",
        ));
    };
    let group = arguments
        .next()
        .and_then(|argument| argument.to_str()?.parse().ok())
        .and_then(Pid::from_raw);
    let session = rustix::process::getsid(None).ok();
    // A session of its own: what ends the kernel's must not end its guard.
    let _ = rustix::process::setsid();
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    if let Some(group) = group {
        // An error means that the group is already empty.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
        if session == Some(group) {
            end_session(group);
        }
    }
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn end_session(session: Pid) {
    for _ in 0..ROUNDS {
        let members = members(session);
        if members.is_empty() {
            return;
        }
        for member in &members {
            // An error means that it has ended.
            let _ = rustix::process::pidfd_send_signal(member, Signal::KILL);
        }
        for member in &members {
            let mut ended = [PollFd::new(member, PollFlags::IN)];
            let _ = rustix::event::poll(&mut ended, Some(&PATIENCE));
        }
    }
}

/// The processes of a session that have not ended.
fn members(session: Pid) -> Vec<OwnedFd> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let members = processes.filter_map(|process| {
        let id = Pid::from_raw(process.file_name().to_str()?.parse().ok()?)?;
        // Held first: so its number is not another's by the time it is looked at.
        let held = rustix::process::pidfd_open(id, PidfdFlags::empty()).ok()?;
        let stat = fs::read_to_string(process.path().join("stat")).ok()?;
        is_in(&stat, session).then_some(held)
    });
    members.collect()
}

/// Reads `ID (NAME) STATE PARENT GROUP SESSION …`, see `proc_pid_stat(5)`. The name may contain
/// anything. A zombie has ended.
fn is_in(stat: &str, session: Pid) -> bool {
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return false;
    };
    let mut words = rest.split(' ');
    let has_ended = matches!(words.next(), Some("Z" | "X"));
    !has_ended && words.nth(2) == Some(&session.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_of_a_process_is_read_behind_its_name() {
        let session = Pid::from_raw(9).unwrap();
        assert!(is_in("12 (a) Z 1) S 7 12 9 0 -1\n", session));
        assert!(!is_in("12 (a) Z 7 12 9 0 -1\n", session));
        assert!(!is_in("12 (a) S 9 9 12 9 -1\n", session));
        assert!(!is_in("", session));
    }
}
