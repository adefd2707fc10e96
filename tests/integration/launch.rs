//! Kernels to test: in this process, or as the real program.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use interleave_kernel::{
    connection::{ConnectionInfo, Transport},
    evaluator::{Controls, Factory, scripted},
    server::{Config, Signal, serve},
    session::KernelInfo,
    sockets::Sockets,
};
use tempfile::TempDir;
use tokio::{
    sync::mpsc::{UnboundedSender, unbounded_channel},
    task::JoinHandle,
    time::timeout,
};

use crate::client::{Client, PATIENCE, RUNTIME};

/// A running kernel.
pub enum Kernel {
    /// Tasks of this process.
    Here {
        server: JoinHandle<anyhow::Result<()>>,
        signals: UnboundedSender<Signal>,
    },
    /// A process of its own, with a directory for its files.
    Process { child: Child, directory: TempDir },
    /// Somebody else waits for it.
    Shared,
}

/// A kernel in this process, and a client.
#[track_caller]
pub fn here() -> Client {
    here_with(scripted::start(), None)
}

/// The same, with a history file.
#[track_caller]
pub fn here_with_history(history: &Path) -> Client {
    here_with(scripted::start(), Some(history.into()))
}

/// The same, with another evaluator.
#[track_caller]
pub fn here_with(evaluator: (Controls, Factory), history: Option<PathBuf>) -> Client {
    let config = Config {
        info: KernelInfo {
            version: "1.2.3".into(),
            language_version: "1.95.0".into(),
            banner: "hello".into(),
            help_links: vec![("Book".into(), "https://doc.rust-lang.org/book/".into())],
        },
        history,
    };
    let bound = RUNTIME.block_on(Sockets::bind(&connection("127.0.0.1".into(), [0; 5])));
    let sockets = bound.expect("some ports are free");
    let connection = sockets.connection().clone();
    let (signals, receiver) = unbounded_channel();
    let server = RUNTIME.spawn(serve(sockets, evaluator, config, receiver));
    Client::connect(connection, Kernel::Here { server, signals })
}

/// The real program, and a client.
#[track_caller]
pub fn process() -> Client {
    process_with(|_| ())
}

/// The real program, started in a way of the test's own.
#[track_caller]
pub fn process_with(change: impl FnOnce(&mut Command)) -> Client {
    let directory = tempfile::tempdir().unwrap();
    let (connection, file) = write_connection_file(directory.path());
    let mut command = command(&file);
    change(&mut command);
    let child = command.spawn().unwrap();
    Client::connect(connection, Kernel::Process { child, directory })
}

/// The command that starts the real program.
pub fn command(connection_file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_interleave"));
    command
        .args(["kernel", "--evaluator", "scripted", "--connection-file"])
        .arg(connection_file)
        .arg("--history")
        .arg(connection_file.with_file_name("history.sqlite"))
        .env_remove("JPY_PARENT_PID")
        .stdin(Stdio::null());
    command
}

/// A connection file with free ports.
pub fn write_connection_file(directory: &Path) -> (ConnectionInfo, PathBuf) {
    // Each kernel gets a loopback address of its own (Linux has 2²⁴ of them), so that no other
    // test can take the ports before the kernel does.
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let [_, b, c, d] =
        (NEXT.fetch_add(1, Ordering::Relaxed) << 16 | std::process::id() & 0xffff).to_be_bytes();
    let ip = format!("127.{b}.{c}.{d}");
    let listeners: [TcpListener; 5] =
        std::array::from_fn(|_| TcpListener::bind((ip.as_str(), 0)).unwrap());
    let ports = listeners.map(|listener| listener.local_addr().unwrap().port());
    let connection = connection(ip, ports);
    let file = directory.join("connection.json");
    std::fs::write(&file, serde_json::to_vec(&connection).unwrap()).unwrap();
    (connection, file)
}

fn connection(ip: String, ports: [u16; 5]) -> ConnectionInfo {
    let [shell_port, iopub_port, stdin_port, control_port, hb_port] = ports;
    ConnectionInfo {
        ip,
        transport: Transport::TCP,
        shell_port,
        iopub_port,
        stdin_port,
        control_port,
        hb_port,
        key: "a0436f6c-1916-498b-8eb9-e81ab9368e84".into(),
        signature_scheme: "hmac-sha256".into(),
        kernel_name: Some("interleave".into()),
    }
}

impl Kernel {
    /// Waits until the kernel has ended, which must be a success.
    #[track_caller]
    pub fn wait(&mut self) {
        match self {
            Self::Here { server, .. } => {
                let ended = RUNTIME.block_on(async { timeout(PATIENCE, server).await });
                ended.expect("the kernel ends").unwrap().unwrap();
            }
            Self::Process { child, .. } => {
                let status = child.wait().unwrap();
                assert!(status.success(), "the kernel ended with {status}");
            }
            Self::Shared => {}
        }
    }

    /// Sends a signal to the process.
    #[track_caller]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let Self::Process { child, .. } = self else {
            panic!("only a process takes signals");
        };
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Sends a wish to a kernel in this process.
    #[track_caller]
    pub fn wish(&self, wish: Signal) {
        let Self::Here { signals, .. } = self else {
            panic!("a process takes signals");
        };
        signals.send(wish).unwrap();
    }
}

impl Drop for Kernel {
    fn drop(&mut self) {
        if let Self::Process { child, .. } = self {
            // A test that failed leaves its kernel running.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
