//! Threads that cannot go on by themselves.

use serde::{Deserialize, Serialize};

use crate::{Awaited, CodeAddress, TaskName, TaskState, Thread};

/// Threads that wait, each for what only another one could do, so that none of them ever goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stuck {
    /// The cell that they work for, as the host counts cells.
    pub cell: u64,
    /// Whether no thread of the process can act. Otherwise others run, but cannot help these: they
    /// wait in a circle, or for a lock that nobody gives back.
    pub everyone: bool,
    /// The threads; each before the one that it waits for, as far as possible.
    pub threads: Vec<StuckThread>,
    /// Likewise the tasks that the cell has spawned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<StuckTask>,
    /// How many more such tasks there are.
    #[serde(default)]
    pub other_tasks: usize,
    /// How many threads of earlier cells wait, too, and are not among these.
    pub others: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StuckThread {
    /// What it does.
    pub thread: Thread,
    /// What the future waits for that it awaits, if it awaits one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaits: Vec<FutureWait>,
    /// What it was about to wait for at some of the calls that it has come by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited: Vec<NamedWait>,
    /// Who has the lock that it waits for, if it waits for one and that is known.
    pub holder: Option<LockHolder>,
}

impl StuckThread {
    /// Where in cells it is, and where the future waits that it awaits.
    pub fn at_all(&self) -> impl Iterator<Item = &CodeAddress> {
        let awaits = self.awaits.iter().flat_map(|wait| &wait.at);
        awaits.chain(&self.thread.at)
    }
}

/// A task that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StuckTask {
    /// Which one.
    pub name: TaskName,
    /// What tokio knows of it, if it is one of tokio's.
    pub state: Option<TaskState>,
    /// What it waits for. Nothing for one that has not run yet, or that was woken since: nobody runs it.
    pub awaits: Vec<FutureWait>,
    /// What it was about to wait for at some of the calls that it has come by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub awaited: Vec<NamedWait>,
}

/// Something that a future waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FutureWait {
    /// What it is, as the functions tell that are to wake it.
    pub what: Option<Awaited>,
    /// Where in cells it is awaited, innermost first.
    pub at: Vec<CodeAddress>,
    /// The task for whose end it waits, by tokio's number, if it does.
    pub task: Option<u64>,
    /// Who has the lock that it waits for, if it waits for one and that is known.
    pub holder: Option<LockHolder>,
}

/// What a thread was about to wait for at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedWait {
    /// The call: the number that the compiler wrote there.
    pub site: u32,
    /// Where in memory the channel or the barrier is.
    pub object: u64,
    /// The call that made the channel.
    pub made: Option<u32>,
    /// How many senders the channel has now, or for how many threads the barrier waits.
    pub count: Option<u64>,
}

/// Who has a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// See [`Thread::number`]; 0 for a task.
    pub number: u64,
    /// The task, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskName>,
    /// The name of the thread.
    pub name: Option<String>,
    /// What has become of it.
    pub fate: HolderFate,
    /// The call that took the lock: the number that the compiler wrote there; 0 if that is not known.
    pub site: u32,
    /// Whether nobody else can have it: it is not one of several readers, and every lock that cells take
    /// is noted.
    pub is_certain: bool,
}

impl LockHolder {
    /// Set in the number of a call that took a lock to read.
    pub const SHARED: u32 = 0x8000;
    /// Set in the number of a call that took a lock which a panic had poisoned.
    pub const POISONED: u32 = 0x4000;
    /// The number of the call alone.
    pub fn call(site: u32) -> u32 {
        site & !(Self::SHARED | Self::POISONED)
    }
}

/// A thread has taken a poisoned lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TookPoisoned {
    /// Its name.
    pub thread: Option<String>,
    /// The call that took the lock.
    pub site: u32,
    /// Who had the lock when it was poisoned.
    pub culprit: LockHolder,
}

/// What has become of a thread, or of a task, that holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderFate {
    /// It lives, and runs cells.
    Cells,
    /// It lives.
    Lives,
    /// It has ended without giving the lock back.
    Ended,
    /// It was left behind by an interrupt, and never runs again.
    Left,
}
