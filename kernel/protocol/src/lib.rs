//! What the kernel and the process that runs the cells (the *host*) say to each other: plain data.
//!
//! They share one Unix socket, so that what a cell prints, shows and fails with arrives in the order
//! in which it happened. Each message is one line of JSON; before one from the host stands the cell
//! that caused it ([`from_cell`]), and behind [`HostEvent::Output`] the bytes that it announces.

mod build;
mod facts;
mod notes;
mod stuck;
mod threads;
mod times;
mod trace;
pub mod types;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use build::BuildProgress;
pub use facts::CellFacts;
pub use notes::{CellNotes, EndReason, EndedVariable, unkept};
pub use stuck::{HolderFate, LockHolder, Stuck, StuckThread, TookPoisoned};
pub use threads::{FutexUse, Thread, ThreadKind, ThreadState};
pub use times::RunTimes;
pub use trace::{Awaited, ObjectKind, TaskKind, TaskName, TraceBatch, TraceEvent, What};

/// Stands before what the compiler adds behind a student's code on a line.
pub const ADDED_TEXT_MARK: &str = "/*interleave*/";

/// So many threads may live at once in a host, unless it is told otherwise.
pub const DEFAULT_THREAD_LIMIT: usize = 1000;

/// Environment variable of the host: path of the kernel's listening socket.
pub const SOCKET_ENV: &str = "INTERLEAVE_SOCKET";

/// Environment variable of the host: path of the prelude's shared object, loaded before any cell.
pub const PRELUDE_ENV: &str = "INTERLEAVE_PRELUDE";

/// Environment variable of the kernel: with the value `off` no cell has a snapshot.
pub const SNAPSHOTS_ENV: &str = "INTERLEAVE_SNAPSHOTS";

/// Environment variable of the kernel and of its compilers: the kernel's own directory.
pub const WORKSPACE_ENV: &str = "INTERLEAVE_WORKSPACE";

/// The socket in that directory to which compilers send [`BuildProgress`], one datagram a step.
pub const PROGRESS_SOCKET: &str = "progress.sock";

/// Link in that directory: the prelude's shared object, as the host has loaded it or is to load it.
pub const PRELUDE_LINK: &str = "prelude.so";

/// Code of the error with which the compiler refuses a cell because it would link another build of
/// the prelude than the host has loaded. The link leads to the new build by then.
pub const PRELUDE_CHANGED: &str = "interleave_prelude_changed";

/// From the host to the kernel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum HostEvent {
    /// The first message; the read ends of the output pipes travel with it.
    Hello {
        /// Process id of the host.
        pid: i32,
        /// Whether it is a copy that takes the place of a host which has ended. The cell is given up.
        #[serde(default)]
        is_copy: bool,
    },
    /// The host has copied itself, before it runs a cell.
    Snapshot {
        /// Process id of the copy.
        pid: i32,
    },
    /// The host runs a cell without a copy of itself.
    NoSnapshot {
        /// Why there is none.
        reason: NoSnapshot,
    },
    /// Bytes for standard output or standard error; they follow the line.
    Output {
        /// Which of the two.
        stream: Stream,
        /// How many bytes follow.
        length: usize,
    },
    /// evcxr's instruction was carried out so far that the cell runs now.
    CellStarted,
    /// The compiled cell cannot be loaded; the host ends.
    CannotLoad {
        /// What the system says.
        reason: String,
    },
    /// The cell's function has returned.
    CellEnded(RunTimes),
    /// Something to show beside the text that a cell prints.
    Display(Display),
    /// Remove what the cell has shown so far.
    ClearOutput {
        /// Wait for the next output, so that the page does not flicker.
        wait: bool,
    },
    /// A thread panicked. Whether that ends its cell is told by [`HostEvent::CellPanicked`].
    Panic(Panic),
    /// The last panic of the cell's own thread was not caught: it is the outcome of the cell.
    CellPanicked,
    /// A `?` at the top level of a cell met an `Err`.
    QuestionMark(QuestionMark),
    /// Where the thread of the cells was when it obeyed an interrupt. The first one counts.
    StoppedAt(Location),
    /// A cell was left behind, and has taken variables with it.
    VariablesLost {
        /// Their names.
        names: Vec<String>,
    },
    /// The cell is over because of an interrupt.
    Interrupted(Interrupted),
    /// The cell reads standard input. The host waits for [`HostRequest::Input`].
    InputRequest {
        /// Text to show beside the input box.
        prompt: String,
        /// Whether to hide what is typed.
        password: bool,
    },
    /// The answer to [`HostRequest::Tasks`].
    Tasks(TaskStates),
    /// Threads that the cell has started still live at its end.
    ThreadsLeft {
        /// These, without the places in them.
        threads: Vec<Thread>,
    },
    /// A cell may start no more threads.
    ThreadRefused {
        /// So many live at once.
        limit: usize,
        /// Where in cells it wanted one more, innermost first.
        at: Vec<CodeAddress>,
    },
    /// The answer to [`HostRequest::Threads`].
    Threads {
        /// The threads that live, oldest first.
        threads: Vec<Thread>,
        /// How many more there are than the host tells apart.
        unseen: usize,
    },
    /// Threads of the cell that this is from are stuck.
    Stuck(Stuck),
    /// They are not any more.
    StuckNoMore,
    /// A thread has taken a lock that a panic has poisoned, and may panic in turn.
    TookPoisoned(TookPoisoned),
    /// The answer to [`HostRequest::Stuck`].
    AllStuck {
        /// All threads that are stuck now, by the cell that started them.
        stuck: Vec<Stuck>,
    },
    /// What threads have done since the last message of this kind.
    Trace(TraceBatch),
}

/// From the kernel to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub enum HostRequest {
    /// The answer to [`HostEvent::InputRequest`].
    Input {
        /// What was typed, without a line end; `None` when nobody can be asked.
        value: Option<String>,
    },
    /// Which threads live, and what do they do?
    Threads,
    /// Which tasks of tokio live, and what do they do?
    Tasks,
    /// Stop a cell, and the threads that it started, if it still runs.
    Interrupt {
        /// The cell, as the host counts them: the number before its [`HostEvent::CellStarted`].
        cell: u64,
    },
    /// Stop these threads, as soon as each comes to a place where it can be stopped.
    StopThreads {
        /// See [`Thread::number`].
        numbers: Vec<u64>,
    },
    /// From now on so many threads may live at once; [`DEFAULT_THREAD_LIMIT`] until then.
    LimitThreads {
        /// So many.
        limit: usize,
    },
    /// Which threads are stuck?
    Stuck,
    /// From now on tell, or do not tell, what threads do ([`HostEvent::Trace`]); told until then.
    Trace {
        /// Whether to tell it.
        is_on: bool,
    },
}

/// Why the host could not copy itself before a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum NoSnapshot {
    /// Nobody wants it.
    Off,
    /// The process has run no cell yet, so there is nothing to keep.
    Fresh,
    /// Threads of cells would be missing in the copy.
    Threads {
        /// How many.
        count: usize,
        /// The cells that started them, as the host counts cells.
        cells: Vec<u64>,
    },
    /// Programs that cells started are no children of the copy.
    Programs,
    /// The copy would keep open what a cell closes: a pipe, a socket, the lock of a file.
    Descriptors,
    /// Copying would take too long.
    Memory {
        /// What the cells have taken.
        bytes: u64,
    },
    /// A thread of the host's own did not come to rest.
    Busy,
    /// The system does not make it.
    System {
        /// In its words.
        error: String,
    },
}

/// One of the two text streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A value in one or more representations, keyed by MIME type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Display {
    /// What becomes of it.
    pub role: DisplayRole,
    /// The representations. Text for text types, base64 for images, a JSON value for JSON types.
    pub data: BTreeMap<String, Value>,
    /// Hints for the front end, keyed by MIME type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Name by which the output can be updated later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_id: Option<String>,
}

/// What becomes of a [`Display`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisplayRole {
    /// An output of its own (`display_data`).
    #[default]
    Show,
    /// Replaces every output with the same `display_id` (`update_display_data`).
    Update,
    /// The value of the cell (`execute_result`).
    Result,
}

/// A panic, as the panic hook saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panic {
    /// What the code said.
    pub message: String,
    /// Where in the generated source, if known.
    pub location: Option<Location>,
    /// Name of the thread, if it has one.
    pub thread: Option<String>,
    /// Whether it is the thread that runs the cells.
    pub on_cell_thread: bool,
    /// Whether a panic hook that a cell has installed was told: then that hook prints, or does not.
    #[serde(default)]
    pub told: bool,
    /// Whether somebody waits for it: who asked for a job of an executor, or of rayon, gets the
    /// panic with its result.
    #[serde(default)]
    pub is_awaited: bool,
    /// The task that ran, when it was one of tokio's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskState>,
}

/// The tasks of tokio that have not ended, as the prelude's `interleave_prelude_tasks` tells them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskStates {
    /// The oldest ones first.
    pub tasks: Vec<TaskState>,
    /// How many more there are: the list is bounded.
    pub unlisted: usize,
}

/// A task of tokio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskState {
    /// tokio's name for it, `tokio::task::Id`.
    pub id: u64,
    /// Whether it is a function on the pool for blocking work, as opposed to a future.
    pub is_blocking: bool,
    /// The cell whose code spawned it, by the host's count.
    pub cell: u64,
    /// Where it was spawned.
    pub spawned_at: Location,
    /// Whether a thread runs it now; otherwise it waits to be woken, or for a thread.
    pub is_running: bool,
    /// Microseconds since it began or ended to run.
    pub since: u64,
    /// Microseconds that it has run in all.
    pub busy: u64,
}

/// An `Err` that left the cell through `?`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionMark {
    /// The error's type, as [`std::any::type_name`] gives it.
    pub type_name: String,
    /// The error's `Display` text.
    pub message: String,
    /// Where in the generated source.
    pub location: Option<Location>,
}

/// How a cell ended that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Interrupted {
    /// It did not end: its thread waits for ever, and another one runs the next cells.
    pub left_behind: bool,
    /// Where it was when it was asked to stop, innermost first: what of that is code of cells.
    pub at: Vec<CodeAddress>,
}

/// A place in the source that rustc saw, not yet in a cell.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Path as rustc wrote it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A place in loaded machine code.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CodeAddress {
    /// Path of the shared object.
    pub object: String,
    /// Bytes from where the object begins in memory. Of a call that has not returned, the address
    /// to return to is behind it, so that one less is in the call.
    pub offset: u64,
}

/// Writes a message as one line, line end included.
///
/// # Panics
///
/// Never for the types of this crate: they are all representable as JSON.
pub fn to_line<T: Serialize>(message: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(message).expect("plain data is representable as JSON");
    line.push(b'\n');
    line
}

/// Puts the cell that caused it before a line of the host's: `3 {"event":…}`. The host counts the
/// cells that it runs from 1; 0 is for what no cell caused.
pub fn from_cell(cell: u64, line: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{cell} ").into_bytes();
    bytes.extend_from_slice(line);
    bytes
}

/// The cell that caused a line, and the rest of the line; `None` when it names none.
pub fn split_cell(line: &[u8]) -> Option<(u64, &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let cell = std::str::from_utf8(line.get(..space)?).ok()?.parse().ok()?;
    Some((cell, line.get(space + 1..)?))
}

/// Reads a message from one line.
///
/// # Errors
///
/// When the line is not JSON, or not this kind of message.
pub fn from_line<T: DeserializeOwned>(line: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(line)
}

#[cfg(test)]
mod tests;
