//! What the kernel and the process that runs the cells (the *host*) say to each other: plain data.
//!
//! They share one Unix socket, so that what a cell prints, shows and fails with arrives in the order
//! in which it happened. Each message is one line of JSON; before one from the host stands the cell
//! that caused it ([`from_cell`]), and behind [`HostEvent::Output`] the bytes that it announces.

mod build;
mod facts;
mod failures;
mod forkserver;
mod lines;
mod notes;
mod output;
mod places;
mod snapshot;
mod sockets;
mod stuck;
mod tasks;
mod threads;
mod times;
mod trace;
pub mod types;

use serde::{Deserialize, Serialize};

pub use build::BuildProgress;
pub use facts::CellFacts;
pub use failures::{Interrupted, Panic, QuestionMark};
pub use forkserver::{
    FORK_BEGINS, FORKSERVER_IDENTITY_ENV, FORKSERVER_SOCKET_ENV, ForkRequest, MOST_OF_REQUEST,
};
pub use lines::{from_cell, from_line, split_cell, to_line};
pub use notes::{CellNotes, EndReason, EndedVariable, unkept};
pub use output::{Display, DisplayRole, Stream};
pub use places::{CodeAddress, Location};
pub use snapshot::NoSnapshot;
pub use sockets::at_socket;
pub use stuck::{
    FutureWait, HolderFate, LockHolder, NamedWait, Stuck, StuckTask, StuckThread, TookPoisoned,
};
pub use tasks::{InLoop, Resting, TaskState, TaskStates};
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

/// Code of the error with which the compiler refuses a cell because it cannot learn the types of its
/// variables while it compiles; see [`CellFacts::learn`].
pub const TYPES_NOT_LEARNT: &str = "interleave_types_not_learnt";

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
    /// A cell has called `dbg!`, and standard error is what the host put there.
    Debug {
        /// Where in compiled source.
        location: Location,
        /// What it prints behind the place.
        text: String,
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
    /// Threads or tasks that the cell has started still live at its end.
    Left {
        /// The threads, without the places in them.
        threads: Vec<Thread>,
        /// How many tasks that go on.
        tasks: usize,
        /// What goes on when an event loop runs again.
        resting: Resting,
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
    /// Which tasks live, and what do they do?
    Tasks,
    /// Stop a cell, and the threads that it started, if it still runs.
    Interrupt {
        /// The cell, as the host counts them: the number before its [`HostEvent::CellStarted`].
        cell: u64,
    },
    /// Stop these threads and tasks, as soon as each comes to a place where it can be stopped.
    Stop {
        /// See [`Thread::number`].
        threads: Vec<u64>,
        /// Tasks of tokio; see [`TaskState::id`]. A list of names would be too long for the socket.
        tasks: Vec<u64>,
        /// What event loops have, likewise.
        in_loops: Vec<u64>,
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

#[cfg(test)]
mod tests;
