//! The ready queue: the only part of an event loop that other threads touch.
//!
//! A [`Waker`](std::task::Waker) may be called on any thread, but the tasks of the loop never
//! leave theirs. So the queue holds only numbers. What a number stands for, the loop knows.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::Wake,
    time::Instant,
};

use interleave_protocol::{TaskKind, TaskName};
use parking_lot::Mutex;

use crate::{trace, waits::Condvar};

/// The numbers of what can run now, in the order in which they became ready.
#[derive(Default)]
pub(crate) struct ReadyQueue {
    ids: Mutex<VecDeque<u64>>,
    changed: Condvar,
    is_driven: AtomicBool,
}

impl fmt::Debug for ReadyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyQueue").finish_non_exhaustive()
    }
}

impl ReadyQueue {
    pub(crate) fn push(&self, id: u64) {
        self.ids.lock().push_back(id);
        self.changed.notify_one();
    }

    /// Whether the loop runs.
    pub(crate) fn is_driven(&self) -> bool {
        self.is_driven.load(Ordering::Relaxed)
    }

    pub(super) fn set_driven(&self, is_driven: bool) {
        self.is_driven.store(is_driven, Ordering::Relaxed);
    }

    pub(super) fn pop(&self) -> Option<u64> {
        self.ids.lock().pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.ids.lock().len()
    }

    /// Sleeps until something is ready or the time has come. No deadline means for ever.
    pub(super) fn wait(&self, deadline: Option<Instant>) {
        let mut ids = self.ids.lock();
        while ids.is_empty() {
            match deadline {
                None => self.changed.wait(&mut ids),
                Some(deadline) => {
                    if self.changed.wait_until(&mut ids, deadline) {
                        return;
                    }
                }
            }
        }
    }
}

/// The waker of one task: it puts the task's number into the queue.
pub(super) struct LoopWaker {
    pub(super) id: u64,
    ready: Arc<ReadyQueue>,
    /// A task that is woken twice before it runs still runs once.
    queued: AtomicBool,
    /// The task will not run again.
    is_over: AtomicBool,
}

impl LoopWaker {
    pub(super) fn new(id: u64, ready: &Arc<ReadyQueue>) -> Arc<LoopWaker> {
        Arc::new(LoopWaker {
            id,
            ready: Arc::clone(ready),
            queued: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        })
    }

    /// Puts the task into the queue for the first time.
    pub(super) fn begin(&self) {
        self.queued.store(true, Ordering::Release);
        self.ready.push(self.id);
    }

    /// To be called before the task runs: being woken from now on means to run once more.
    pub(super) fn left_queue(&self) {
        self.queued.store(false, Ordering::Release);
    }

    /// The task is over: it needs no waker.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        trace::gone(work_name(self.id));
    }
}

/// What the future of a task has of its waker. When nobody keeps it any longer, and the task is
/// neither ready nor over, nobody can wake that task.
pub(super) struct Kept(pub(super) Arc<LoopWaker>);

impl Wake for Kept {
    fn wake(self: Arc<Self>) {
        self.0.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.wake_by_ref();
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let goes_on = [&self.0.queued, &self.0.is_over];
        if !goes_on.iter().any(|flag| flag.load(Ordering::Acquire)) {
            trace::lost(work_name(self.0.id));
        }
    }
}

impl Wake for LoopWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            trace::woken(work_name(self.id));
            self.ready.push(self.id);
        }
    }
}

/// A number that no other work has, in whatever loop, and that is greater than those before.
pub(super) fn new_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// What the lanes of a cell know the work by that has this number.
pub(super) fn work_name(id: u64) -> TaskName {
    TaskName {
        kind: TaskKind::Coroutine,
        id,
    }
}
