//! What happened while cells ran: the events from which the lanes of a cell are drawn.

use serde::{Deserialize, Serialize};

use crate::{CodeAddress, Stream, ThreadKind, ThreadState};

/// What threads have done since the batch before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TraceBatch {
    /// Places in cells, the innermost first: each of the ways that led to one of the events, once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stacks: Vec<Vec<CodeAddress>>,
    /// In the order in which it happened.
    pub events: Vec<TraceEvent>,
    /// How many more there were of the cell that the message is from, which are not told.
    #[serde(default)]
    pub lost: u64,
}

/// Something that a thread did.
///
/// `At` says where: on the way from the host to the kernel by one of [`TraceBatch::stacks`],
/// afterwards in lines of cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceEvent<At = Option<usize>> {
    /// When: nanoseconds of the system's monotonic clock.
    pub time: u64,
    /// The cell that the thread worked for, as the host counts cells; 0 for none.
    pub cell: u64,
    /// The thread: see [`Thread::number`](crate::Thread::number).
    pub thread: u64,
    /// The task that ran on it; the innermost one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskName>,
    /// Where in cells.
    pub at: At,
    /// What it did.
    pub what: What,
}

impl<At> TraceEvent<At> {
    /// The same, with its place told in another way.
    pub fn map_place<Other>(self, change: impl FnOnce(At) -> Other) -> TraceEvent<Other> {
        TraceEvent {
            time: self.time,
            cell: self.cell,
            thread: self.thread,
            task: self.task,
            at: change(self.at),
            what: self.what,
        }
    }
}

/// What a thread can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// A cell begins to run on it.
    CellBegan,
    /// That cell's function has returned.
    CellEnded,
    /// It starts a thread.
    Spawned {
        /// The new thread's number.
        thread: u64,
    },
    /// It is new, and runs now. Told again, with the other kind, when it turns out to be a pool's.
    ThreadBegan {
        /// Whose it is, as far as that is known by now.
        kind: ThreadKind,
    },
    /// It has a name now.
    Named {
        /// The name, at most 40 bytes.
        name: String,
    },
    /// It is over.
    ThreadEnded,
    /// It begins to wait; [`ThreadState::Running`] says that the wait is over.
    Is(ThreadState),
    /// It wakes whoever waits at a futex: gives a lock back, sends a message, unparks.
    Wakes {
        /// Where the futex is.
        address: u64,
    },
    /// It writes to one of its streams.
    Prints {
        /// Which of the two.
        stream: Stream,
        /// The beginning of what it writes.
        text: String,
    },
    /// It makes a task.
    TaskSpawned {
        /// The new one.
        task: TaskName,
    },
    /// It tells what to call a task, such as the name of its function. Not every task has a name.
    TaskNamed {
        /// The task.
        task: TaskName,
        /// The name.
        name: String,
    },
    /// It begins to run a task; [`TraceEvent::task`] is that one.
    TaskEntered {
        /// What it was given, such as the value sent to a generator.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        given: String,
    },
    /// It leaves the task that it ran, which [`TraceEvent::task`] still names.
    TaskLeft {
        /// Whether the task is over, rather than waiting to be entered again.
        is_over: bool,
        /// What came out, such as the value that a generator yields.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        gave: String,
        /// What it waits for, if that is known; [`TraceEvent::at`] is where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaits: Option<Awaited>,
    },
    /// It lets a task run again.
    TaskWoken {
        /// That one.
        task: TaskName,
    },
    /// A task waits, and nobody has its waker: this thread was the last to drop one, or has polled
    /// the task. Nothing but its cancellation can make it run again.
    TaskLost {
        /// That one.
        task: TaskName,
    },
    /// It is about to leave a task that waits, and that has taken a lock and keeps it.
    LockKept {
        /// Where the lock's futex is.
        address: u64,
        /// The call in a cell that took it.
        call: u32,
    },
    /// An object of the prelude, such as a future, is in another state now.
    State {
        /// What it is.
        kind: ObjectKind,
        /// Tells it from others of its kind.
        id: u64,
        /// The state, as its `Debug` says it: `pending`, `finished`, `tick 3`, `2 queued`.
        state: String,
    },
}

/// What a task can wait for, while its thread does something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// For some time to pass.
    Sleep,
    /// A message of a channel.
    Message,
    /// Room for a message in a channel.
    Room,
    /// A new value of a `watch` channel.
    Change,
    /// The end of another task.
    Task,
    /// The end of a job of an executor.
    Job,
    /// A lock.
    Lock,
    /// A permit of a semaphore.
    Permit,
    /// A notification.
    Notification,
    /// The others at a barrier.
    Barrier,
    /// Data, or a connection.
    Io,
}

/// Names something that runs now on one thread, now on another, now on none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskName {
    /// What it is.
    pub kind: TaskKind,
    /// Tells it from others of its kind.
    pub id: u64,
}

/// What a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A future that was spawned on a runtime of tokio.
    Tokio,
    /// A function on tokio's pool for blocking work.
    Blocking,
    /// A job of a pool: rayon's, or a `ThreadPoolExecutor`'s.
    Job,
    /// A coroutine in an event loop of the prelude.
    Coroutine,
    /// A generator of the prelude.
    Generator,
}

/// What an object of the prelude is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A `Future`, of `concurrent::futures` or of `asyncio`.
    Future,
    /// An event loop.
    EventLoop,
    /// A pool of threads, with its queue.
    Pool,
    /// A timer.
    Timer,
}
