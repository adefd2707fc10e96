//! Clears up behind a kernel, however it ends: also when it was killed.
//!
//! The kernel keeps the other end of this process's standard input and never writes to it, so the
//! end of that pipe is the end of the kernel.

use std::{
    ffi::OsString,
    io::{self, Read},
    path::PathBuf,
};

use rustix::process::{Pid, Signal};

/// `interleave-host guard DIRECTORY [PROCESS_GROUP]`
///
/// Removes the directory and ends the processes of the group (compilers, programs that cells
/// started) once the kernel is gone.
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
    // A session of its own: what ends the kernel's group must not end its guard.
    let _ = rustix::process::setsid();
    io::stdin().lock().read_to_end(&mut Vec::new())?;
    if let Some(group) = group {
        // An error means that the group is already empty.
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
