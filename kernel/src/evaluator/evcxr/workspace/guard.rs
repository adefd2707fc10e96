//! The process that outlives the kernel, and removes its directory and ends its processes.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use anyhow::{Context, Result};
use interleave_compiler::installation::Installation;

/// So many are started, if somebody ends one after the other.
const MOST_GUARDS: usize = 10;

/// Sees to it that there is a guard for as long as this process lives.
pub(super) fn keep(installation: &Installation, root: &Path) -> Result<()> {
    let mut guard = start(installation, root)?;
    let (installation, root) = (installation.clone(), root.to_owned());
    let thread = thread::Builder::new().name("interleave-guard".into());
    let watch = move || {
        for _ in 1..MOST_GUARDS {
            wait_for(guard);
            match start(&installation, &root) {
                Ok(next) => guard = next,
                Err(_) => return complain(&root),
            }
        }
        wait_for(guard);
        complain(&root);
    };
    thread.spawn(watch).context("cannot watch the guard")?;
    Ok(())
}

fn complain(root: &Path) {
    let root = root.display();
    tracing::error!("the guard was ended: {root} will stay when this kernel ends");
}

/// Waits until it has ended. It lives as long as somebody holds the pipe to it, which `wait` would close.
fn wait_for(mut guard: Child) {
    let pipe = guard.stdin.take();
    // An error means that there is no such child.
    let _ = guard.wait();
    drop(pipe);
}

fn start(installation: &Installation, root: &Path) -> Result<Child> {
    let mut command = Command::new(installation.home.join("bin/interleave-host"));
    command.arg("guard").arg(root);
    let process = rustix::process::getpid();
    if rustix::process::getpgrp() == process {
        // Jupyter starts each kernel in a group of its own, so everything in it is ours.
        command.arg(process.as_raw_nonzero().to_string());
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start interleave-host: run install.sh again to repair it")
}
