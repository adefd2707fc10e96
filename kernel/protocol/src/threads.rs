//! What the host knows of its threads.

use serde::{Deserialize, Serialize};

use crate::CodeAddress;

/// A thread of the host. Times are in seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Counts the threads of a process, from 1.
    pub number: u64,
    /// Whose it is.
    pub kind: ThreadKind,
    /// The name that it gave itself, at most 15 bytes, as the system keeps it.
    pub name: Option<String>,
    /// The cell that started it, as the host counts cells; 0 for none.
    pub cell: u64,
    /// Where in cells it was started, innermost first: addresses inside calls.
    pub birth: Vec<CodeAddress>,
    /// What it does.
    pub state: ThreadState,
    /// Where in cells it waits, innermost first; nothing for one that runs.
    pub at: Vec<CodeAddress>,
    /// For how long it has done so.
    pub since: f64,
    /// Processor time that it has used.
    pub cpu: f64,
}

/// Whose a thread is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThreadKind {
    /// Runs the cells.
    Cells,
    /// Started by code of a cell.
    Student,
    /// Works for whoever comes: tokio's, rayon's, an executor's.
    Pool,
    /// Of Interleave itself.
    Own,
}

/// What a thread does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ThreadState {
    /// Runs, or would if a processor were free.
    Running,
    /// Sleeps.
    Sleeping {
        /// For so long from now.
        seconds: f64,
    },
    /// Waits at a futex.
    Futex {
        /// Where in memory; threads that wait for the same thing name the same place.
        address: u64,
        /// What for, if it can be told.
        used_by: FutexUse,
        /// At most so long from now.
        seconds: Option<f64>,
    },
    /// Waits for the end of a thread.
    Joining {
        /// Its number; `None` when it is ending just now.
        thread: Option<u64>,
    },
    /// Waits for data or for a connection.
    Io,
    /// Waits for the end of another process.
    Process,
    /// Waits for what the student types.
    Input,
}

/// What a futex is a part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FutexUse {
    /// A mutex, or a lock for readers and writers.
    Lock,
    /// A condition variable.
    Condvar,
    /// A parked thread: by `thread::park`, or in a channel.
    Park,
    /// What is initialized once: `Once`, `OnceLock`, `LazyLock`.
    Once,
    /// Something else.
    Unknown,
}
