//! The process that runs the cells, through its changes.
//!
//! evcxr starts it and keeps a handle of it. Before a cell the process makes a copy of itself, which
//! is a child of this process, too; when the first ends within the cell, the copy takes its place
//! (see the host's `snapshot`). evcxr learns nothing of that, and its handle leads to a process that
//! has ended; so whoever wants to end the process of the cells, or to know how it ended, asks here.

use std::{
    collections::HashMap,
    os::{fd::OwnedFd, unix::process::ExitStatusExt},
    process::{Child, ExitStatus},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use interleave_protocol::NoSnapshot;
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, WaitOptions};

use super::memory::MemoryLimit;

/// Shared by the evaluator, what moves output on, and what interrupts.
#[derive(Debug, Clone, Default)]
pub(super) struct Lineage(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    /// evcxr's handle; evcxr puts each process that it starts into the same place.
    first: Option<Arc<Mutex<Child>>>,
    /// The process that evcxr has started, once it has connected: to end it while evcxr waits for
    /// its end and holds the handle.
    connected: Option<Connected>,
    /// What each of them may take.
    memory: MemoryLimit,
    /// The copy that has taken the place of the first.
    successor: Option<Pid>,
    /// Copies that were not reaped yet.
    copies: Vec<Copy>,
    /// The copy from before the cell that runs.
    snapshot: Option<Pid>,
    /// Why there is none.
    obstacle: Option<NoSnapshot>,
    /// How the latest successor ended, if evcxr has started a process since.
    last_end: Option<ExitStatus>,
    /// No copy may take over any more.
    is_closed: bool,
}

/// Never another process, even when it has ended and its number was used again.
#[derive(Debug)]
struct Connected {
    pid: Pid,
    descriptor: OwnedFd,
}

#[derive(Debug)]
struct Copy {
    pid: Pid,
    /// Readable when it has ended.
    end: OwnedFd,
}

impl Lineage {
    /// Takes evcxr's handle. An evaluator that is made anew has another one.
    pub(super) fn watch(&self, host: Arc<Mutex<Child>>) {
        self.lock().first = Some(host);
    }

    /// evcxr has started a process, and that has connected.
    pub(super) fn begins(&self, pid: i32) {
        let mut inner = self.lock();
        inner.connected = Connected::open(pid);
        inner.limit_memory();
        inner.snapshot = None;
        inner.end_successor();
        inner.end_copies();
    }

    /// The process has made a copy of itself.
    pub(super) fn was_copied(&self, pid: i32) {
        let mut inner = self.lock();
        inner.reap();
        let Some(pid) = Pid::from_raw(pid) else {
            return;
        };
        // It is our child, so the number is its own until we reap it.
        let Ok(end) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else {
            return;
        };
        inner.last_end = None;
        inner.snapshot = Some(pid);
        inner.obstacle = None;
        inner.copies.push(Copy { pid, end });
    }

    /// The process has made no copy of itself. It counts cells in its own way; `numbers` are those of
    /// the notebook.
    pub(super) fn was_not_copied(&self, mut reason: NoSnapshot, numbers: &HashMap<u64, usize>) {
        if let NoSnapshot::Threads { cells, .. } = &mut reason {
            let number = |cell: &u64| numbers.get(cell).map(|number| *number as u64);
            *cells = cells.iter().filter_map(number).collect();
        }
        let mut inner = self.lock();
        inner.last_end = None;
        inner.snapshot = None;
        inner.obstacle = Some(reason);
    }

    /// The copy takes over. Returns how the process before it ended, or `None` if it may not: then it
    /// ends.
    pub(super) fn succeed(&self, pid: i32) -> Option<ExitStatus> {
        let mut inner = self.lock();
        let pid = Pid::from_raw(pid);
        if pid.is_none() || inner.snapshot != pid || inner.is_closed {
            inner.end_copies();
            return None;
        }
        let status = inner.end_of_current();
        inner.successor = pid;
        inner.snapshot = None;
        Some(status.unwrap_or_default())
    }

    /// The cell is over. Returns why there was no snapshot of it, if so.
    pub(super) fn cell_ends(&self) -> Option<NoSnapshot> {
        let mut inner = self.lock();
        inner.snapshot = None;
        inner.end_copies();
        inner.reap();
        inner.obstacle.take()
    }

    /// How the process has ended, when evcxr's handle cannot tell because it was a successor.
    pub(super) fn end_of_successor(&self) -> Option<ExitStatus> {
        let mut inner = self.lock();
        inner.end_successor();
        inner.last_end.take()
    }

    /// How the process has ended that is to run the next cell, if it has.
    pub(super) fn has_ended(&self) -> Option<ExitStatus> {
        let mut inner = self.lock();
        let Some(successor) = inner.successor else {
            let first = inner.first.as_ref()?;
            let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
            return first.try_wait().ok().flatten();
        };
        let status = wait(successor, WaitOptions::NOHANG)?;
        inner.successor = None;
        inner.copies.retain(|copy| copy.pid != successor);
        Some(status)
    }

    /// What the process of the cells may take.
    pub(super) fn memory_limit(&self) -> MemoryLimit {
        self.lock().memory
    }

    /// Sets what this process of the cells and every later one may take.
    pub(super) fn limit_memory(&self, limit: MemoryLimit) {
        let mut inner = self.lock();
        inner.memory = limit;
        inner.limit_memory();
    }

    /// Whether ending the process that runs the cell brings its variables back.
    pub(super) fn has_snapshot(&self) -> bool {
        self.lock().snapshot.is_some()
    }

    /// Ends the process of the cells. If it has a snapshot, that takes over.
    pub(super) fn kill(&self) {
        self.lock().kill_current();
    }

    /// Ends the process of the cells and its snapshot.
    pub(super) fn kill_all(&self) {
        let mut inner = self.lock();
        inner.snapshot = None;
        inner.end_copies();
        inner.kill_current();
    }

    /// Ends the process of the cells for good.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.kill_all();
    }

    /// What becomes readable when a copy has ended that has not taken over.
    pub(super) fn ends(&self) -> Vec<std::io::Result<OwnedFd>> {
        let inner = self.lock();
        let copies = inner.copies.iter();
        copies
            .filter(|copy| inner.successor != Some(copy.pid))
            .map(|copy| copy.end.try_clone())
            .collect()
    }

    /// Takes note of copies that have ended.
    pub(super) fn reap(&self) {
        self.lock().reap();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Ends every copy but the one that runs the cells.
    fn end_copies(&self) {
        for copy in &self.copies {
            if Some(copy.pid) != self.successor {
                // An error means that it has ended.
                let _ = rustix::process::kill_process(copy.pid, Signal::KILL);
            }
        }
    }

    /// Takes note of copies that have ended; of the one that runs the cells,
    /// [`Inner::end_of_current`] does, so that it can be asked how it ended.
    fn reap(&mut self) {
        let copies = std::mem::take(&mut self.copies);
        let left = copies.into_iter().filter(|copy| {
            self.successor == Some(copy.pid) || wait(copy.pid, WaitOptions::NOHANG).is_none()
        });
        self.copies = left.collect();
        // What has ended takes nobody's place, and its number may be used again.
        let lives = |pid: &Pid| self.copies.iter().any(|copy| copy.pid == *pid);
        self.snapshot = self.snapshot.filter(lives);
    }

    /// Ends the process of the cells, which evcxr takes for ended, if it is a successor.
    fn end_successor(&mut self) {
        if self.successor.is_some() {
            self.kill_current();
            self.last_end = self.end_of_current();
            self.successor = None;
        }
    }

    /// Waits for the end of the process that runs the cells, which has come or is near.
    fn end_of_current(&mut self) -> Option<ExitStatus> {
        let Some(successor) = self.successor else {
            let first = self.first.as_ref()?;
            let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
            return first.wait().ok();
        };
        let status = wait(successor, WaitOptions::empty());
        self.copies.retain(|copy| copy.pid != successor);
        status
    }

    /// A copy has the limit of the process that it was made of.
    fn limit_memory(&self) {
        let process = self.successor.or(self.connected.as_ref().map(|it| it.pid));
        let new = Rlimit {
            current: self.memory.bytes(),
            // Only a soft limit can be raised again by a user without privileges.
            maximum: rustix::process::getrlimit(Resource::Data).maximum,
        };
        let limited = |pid| rustix::process::prlimit(Some(pid), Resource::Data, new);
        if let Some(Err(error)) = process.map(limited) {
            tracing::warn!(%error, "the memory of the cells cannot be limited");
        }
    }

    fn kill_current(&self) {
        if let Some(successor) = self.successor {
            // An error means that it has ended by itself. It was not reaped, so the number is its own.
            let _ = rustix::process::kill_process(successor, Signal::KILL);
        } else if let Some(connected) = &self.connected {
            // As above.
            let _ = rustix::process::pidfd_send_signal(&connected.descriptor, Signal::KILL);
        // When the handle cannot be locked, evcxr is waiting for the end already.
        } else if let Some(Ok(mut first)) = self.first.as_ref().map(|first| first.try_lock()) {
            // As above.
            let _ = first.kill();
        }
    }
}

impl Connected {
    fn open(pid: i32) -> Option<Self> {
        let pid = Pid::from_raw(pid)?;
        let descriptor = rustix::process::pidfd_open(pid, PidfdFlags::empty());
        let descriptor =
            descriptor.inspect_err(|error| tracing::warn!(%error, "the host cannot be watched"));
        Some(Self {
            pid,
            descriptor: descriptor.ok()?,
        })
    }
}

/// How a child has ended; `None` when it has not, or is no child of ours.
fn wait(pid: Pid, options: WaitOptions) -> Option<ExitStatus> {
    loop {
        match rustix::process::waitpid(Some(pid), options) {
            Ok(ended) => {
                let (_, status) = ended?;
                return Some(ExitStatus::from_raw(status.as_raw()));
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Some(ExitStatus::default()),
        }
    }
}
