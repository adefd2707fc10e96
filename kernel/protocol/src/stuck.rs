//! Threads that cannot go on by themselves.

use serde::{Deserialize, Serialize};

use crate::Thread;

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
    /// How many threads of earlier cells wait, too, and are not among these.
    pub others: usize,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StuckThread {
    /// What it does.
    pub thread: Thread,
    /// Who has the lock that it waits for, if it waits for one and that is known.
    pub holder: Option<LockHolder>,
}

/// Who has a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// See [`Thread::number`].
    pub number: u64,
    /// The name of the thread.
    pub name: Option<String>,
    /// What has become of it.
    pub fate: HolderFate,
    /// The call that took the lock: the number that the compiler wrote there.
    pub site: u32,
    /// Several may read at the same time, and only the last one is known.
    pub is_one_of_many: bool,
}

impl LockHolder {
    /// Set in the number of a call that took a lock to read.
    pub const SHARED: u32 = 0x8000;
}

/// What has become of a thread that holds a lock.
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
