//! The program's arguments and what it leaves behind.

use std::{fs, process::Command};

use interleave_kernel::connection::Transport;

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
    let child = Command::new(env!("CARGO_BIN_EXE_interleave"))
        .args(["kernel", "--evaluator", "scripted"])
        .arg(&file)
        .env("XDG_STATE_HOME", directory.path())
        .spawn()
        .unwrap();
    let history = directory.path().join("interleave/history.sqlite");
    let mut client = Client::connect(connection, Kernel::Shared);
    let mut child = Kernel::Process {
        child,
        _directory: directory,
    };
    client.execute("print hello");
    client.finish();
    child.wait();
    assert!(history.exists());
}

#[test]
fn unix_sockets_serve_as_well_and_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (mut connection, file) = launch::write_connection_file(directory.path());
    connection.transport = Transport::IPC;
    connection.ip = directory.path().join("kernel").display().to_string();
    fs::write(&file, serde_json::to_vec(&connection).unwrap()).unwrap();
    let child = launch::command(&file).spawn().unwrap();
    let path = directory.path().to_owned();
    let mut client = Client::connect(connection, Kernel::Shared);
    let mut child = Kernel::Process {
        child,
        _directory: directory,
    };
    client.execute("print hello");
    client.finish();
    child.wait();
    let left = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("kernel"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
