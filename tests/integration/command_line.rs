//! The program's arguments and what it leaves behind.

use std::{fs, process::Command};

use interleave_kernel::connection::{ConnectionInfo, Transport};
use tempfile::TempDir;

use crate::{
    client::Client,
    launch::{self, Kernel},
};

#[test]
fn an_error_is_one_line_that_names_the_file() {
    let output = launch::command("/nowhere/kernel.json".as_ref())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("/nowhere/kernel.json"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
}

#[test]
fn the_connection_file_may_stand_alone() {
    let directory = tempfile::tempdir().unwrap();
    let (connection, file) = launch::write_connection_file(directory.path());
    let mut command = Command::new(env!("CARGO_BIN_EXE_interleave"));
    command
        .args(["kernel", "--evaluator", "scripted"])
        .arg(&file)
        .env("XDG_STATE_HOME", directory.path());
    run_and_end(command, connection);
    assert!(directory.path().join("interleave/history.sqlite").exists());
}

/// Starts a kernel, runs a cell in it, and ends it.
fn run_and_end(mut command: Command, connection: ConnectionInfo) {
    let mut child = Kernel::Process {
        child: command.spawn().unwrap(),
        directory: TempDir::new().unwrap(),
    };
    let mut client = Client::connect(connection, Kernel::Shared);
    client.execute("print hello");
    client.finish();
    child.wait();
}

#[test]
fn unix_sockets_serve_as_well_and_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (mut connection, file) = launch::write_connection_file(directory.path());
    connection.transport = Transport::IPC;
    connection.ip = directory.path().join("kernel").display().to_string();
    fs::write(&file, serde_json::to_vec(&connection).unwrap()).unwrap();
    run_and_end(launch::command(&file), connection);
    let left = fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("kernel"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
