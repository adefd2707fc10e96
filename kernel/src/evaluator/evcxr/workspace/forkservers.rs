//! Processes that have rustc and the linker loaded, for this kernel's cells.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use interleave_compiler::{
    forkserver::{ROLE, Tool, is_on},
    installation::Installation,
};

/// Starts them. One that cannot be started, or that somebody ends, is done without. They end with this
/// process, which holds the other end of their standard input.
pub(super) fn start(installation: &Installation) {
    if !is_on() {
        return;
    }
    for tool in Tool::ALL {
        let server = Command::new(installation.home.join("bin/interleave-compiler"))
            .arg0(ROLE)
            .arg(tool.name())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match server {
            Ok(server) => std::mem::forget(server.stdin),
            Err(error) => tracing::warn!(%error, "{} is started for each cell", tool.name()),
        }
    }
}
