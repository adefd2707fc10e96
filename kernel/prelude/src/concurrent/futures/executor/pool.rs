//! The threads of an executor.

use std::{
    cell::Cell,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use interleave_protocol::ObjectKind;
use parking_lot::Mutex;

use crate::{host::Owner, trace, waits::Condvar};

/// What a thread of the pool runs.
pub(super) type Job = Box<dyn FnOnce() + Send>;

/// The threads of one executor, and what they have to do.
pub(super) struct Pool {
    number: usize,
    max_workers: usize,
    queue: Mutex<Queue>,
    /// A job came, or there will be no more.
    changed: Condvar,
    /// A thread ended.
    ended: Condvar,
}

#[derive(Default)]
struct Queue {
    /// Each with the cell that asked for it.
    jobs: VecDeque<(Owner, Job)>,
    threads: Vec<JoinHandle<()>>,
    /// Threads made so far. None ends before the shutdown.
    workers: usize,
    /// Threads that are in a job.
    busy: usize,
    /// Threads that have ended, after the shutdown.
    ended: usize,
    shutdown: bool,
}

thread_local! {
    /// The number of the pool that this thread works for.
    static WORKS_FOR: Cell<Option<usize>> = const { Cell::new(None) };
}

impl Pool {
    pub(super) fn new(max_workers: usize) -> Pool {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        Pool {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            max_workers,
            queue: Mutex::default(),
            changed: Condvar::new(),
            ended: Condvar::new(),
        }
    }

    pub(super) fn max_workers(&self) -> usize {
        self.max_workers
    }

    /// Whether the calling thread works for this pool.
    pub(super) fn has_this_thread(&self) -> bool {
        WORKS_FOR.get() == Some(self.number)
    }

    /// Queues a job. If a thread will take it in a moment, `begins` is called first.
    #[track_caller]
    pub(super) fn add(self: &Arc<Self>, job: Job, begins: &dyn Fn()) {
        let mut queue = self.queue.lock();
        assert!(
            !queue.shutdown,
            "cannot schedule new futures after shutdown"
        );
        if self.has_free_worker(&mut queue) {
            begins();
        }
        // What the job prints belongs to the cell that submits it, not to the one that started the
        // thread.
        queue.jobs.push_back((Owner::current(), job));
        self.tell_length(&queue);
        drop(queue);
        self.changed.notify_one();
    }

    /// Whether a thread has nothing to do but the job that comes next. Starts one if need be.
    fn has_free_worker(self: &Arc<Self>, queue: &mut Queue) -> bool {
        // The queue is first in, first out: the jobs in it have the first claim on idle threads.
        if queue.workers > queue.busy + queue.jobs.len() {
            return true;
        }
        if queue.workers == self.max_workers {
            return false;
        }
        let pool = Arc::clone(self);
        let thread = thread::Builder::new()
            .name(format!(
                "ThreadPoolExecutor-{}_{}",
                self.number, queue.workers
            ))
            .spawn(move || pool.work())
            .unwrap_or_else(|error| panic!("can't start new thread: {error}"));
        queue.threads.push(thread);
        queue.workers += 1;
        true
    }

    /// The life of a thread: one job after the other, until there are no more.
    fn work(&self) {
        WORKS_FOR.set(Some(self.number));
        // Between two jobs it is no part of any cell, and does not end with one that is stopped.
        Owner::NOBODY.enter();
        while let Some(job) = self.next_job() {
            // What the job itself panics with is in its future. This is for the rest, such as a
            // job whose future was completed by somebody else.
            let _ = catch_unwind(AssertUnwindSafe(job));
            Owner::NOBODY.enter();
            self.queue.lock().busy -= 1;
        }
        self.queue.lock().ended += 1;
        self.ended.notify_all();
    }

    fn next_job(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some((owner, job)) = queue.jobs.pop_front() {
                queue.busy += 1;
                owner.enter();
                self.tell_length(&queue);
                return Some(job);
            }
            if queue.shutdown {
                return None;
            }
            self.changed.wait(&mut queue);
        }
    }

    /// Tells how many jobs wait for a thread.
    fn tell_length(&self, queue: &Queue) {
        let state = format_args!("{} queued", queue.jobs.len());
        trace::state(ObjectKind::Pool, self.number as u64, state);
    }

    pub(super) fn refuse_jobs(&self) {
        self.queue.lock().shutdown = true;
        self.changed.notify_all();
    }

    pub(super) fn join(&self) {
        let threads = std::mem::take(&mut self.queue.lock().threads);
        for thread in threads {
            // A worker catches every panic of its jobs.
            let _ = thread.join();
        }
        // Another call of `shutdown` may have taken the threads, and still be waiting.
        let mut queue = self.queue.lock();
        while queue.ended < queue.workers {
            self.ended.wait(&mut queue);
        }
    }
}
