//! A kernel whose parent is gone ends, however the parent went.

use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

use crate::{client::Client, launch, launch::Kernel};

/// Kills a process when a test ends, whatever happens.
struct Victim(Child);

impl Victim {
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_kernel_ends_with_the_process_that_jupyter_names() {
    let mut watched = Victim(Command::new("sleep").arg("3600").spawn().unwrap());
    let directory = tempfile::tempdir().unwrap();
    let (connection, file) = launch::write_connection_file(directory.path());
    let child = launch::command(&file)
        .env("JPY_PARENT_PID", watched.0.id().to_string())
        .spawn()
        .unwrap();
    let mut client = Client::connect(connection, Kernel::Process { child, directory });
    let cell = client.spin();
    watched.kill();
    client.expect(&cell, "error Interrupted");
    client.expect(&cell, "status idle");
    client.reply(crate::client::Channel::Shell, &cell);
    client.ended();
}

#[test]
fn the_kernel_ends_with_the_process_that_started_it() {
    let directory = tempfile::tempdir().unwrap();
    let (connection, file) = launch::write_connection_file(directory.path());
    let kernel = launch::command(&file);
    let mut shell = Command::new("sh");
    // The shell stays: it waits for the kernel, whose output is the pipe below.
    shell.args(["-c", "\"$0\" \"$@\" & wait"]);
    shell.arg(kernel.get_program()).args(kernel.get_args());
    shell.env_remove("JPY_PARENT_PID").stdout(Stdio::piped());
    let mut shell = Victim(shell.spawn().unwrap());
    let mut output = shell.0.stdout.take().unwrap();
    let client = Client::connect(connection, Kernel::Shared);
    shell.kill();
    // The kernel holds the pipe's other end until its own end.
    let mut rest = Vec::new();
    output.read_to_end(&mut rest).unwrap();
    client.ended();
}

#[test]
fn the_kernel_does_not_begin_when_the_parent_is_gone_already() {
    let mut gone = Command::new("true").spawn().unwrap();
    gone.wait().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (_, file) = launch::write_connection_file(directory.path());
    let mut kernel = launch::command(&file);
    let status = kernel.env("JPY_PARENT_PID", gone.id().to_string()).status();
    assert!(status.unwrap().success());
}
