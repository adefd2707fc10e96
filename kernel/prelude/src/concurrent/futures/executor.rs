//! `ThreadPoolExecutor`: a fixed number of threads and a queue of jobs.

mod map_results;

use std::{
    cell::Cell,
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use interleave_protocol::{ObjectKind, TaskKind, TaskName};
use parking_lot::Mutex;

use super::{Exception, Future};
use crate::{
    host::Owner,
    names, panics,
    trace::{self, Entered},
    waits::Condvar,
};

pub use map_results::MapResults;

type Job = Box<dyn FnOnce() + Send>;

/// A number of threads that work off a queue of jobs. Each job has a [`Future`] for its result.
///
/// This is where blocking code goes, so that the thread that needs its result can go on. Unlike
/// [`std::thread::spawn`], which makes a thread for every call, the threads are made when they are
/// first needed, up to `max_workers`, and used again; one job more has to wait for a free thread.
///
/// A clone is another handle of the same pool. Dropping the last handle lets the jobs that are
/// queued finish; nobody waits for them.
///
/// # Examples
///
/// ```
/// use interleave::concurrent::futures::ThreadPoolExecutor;
/// use std::{thread, time::Duration};
///
/// fn wait_and_return(msg: &str) -> &str {
///     thread::sleep(Duration::from_millis(20));
///     msg
/// }
///
/// let executor = ThreadPoolExecutor::new(3);
/// let result = executor.submit(wait_and_return, "hello");
/// assert!(result.running());
/// assert_eq!(result.result(), "hello");
/// ```
#[derive(Clone)]
pub struct ThreadPoolExecutor {
    handle: Arc<Handle>,
}

/// What the user's handles share. The threads hold only the [`Pool`], so they do not keep it alive.
struct Handle {
    pool: Arc<Pool>,
}

struct Pool {
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

impl ThreadPoolExecutor {
    /// Makes a pool of at most `max_workers` threads. None is started yet.
    ///
    /// They will be named `ThreadPoolExecutor-0_0`: the pool's number, and the thread's.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    /// use std::thread;
    ///
    /// let executor = ThreadPoolExecutor::new(2);
    /// assert_eq!(format!("{executor:?}"), "<ThreadPoolExecutor max_workers=2>");
    ///
    /// let name = executor.submit_fn(|| thread::current().name().map(str::to_owned));
    /// assert!(name.result().unwrap().ends_with("_0")); // The first thread of this pool.
    /// ```
    ///
    /// # Panics
    ///
    /// When `max_workers` is 0: no job would ever run.
    #[track_caller]
    pub fn new(max_workers: usize) -> ThreadPoolExecutor {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        assert!(max_workers > 0, "max_workers must be greater than 0");
        let pool = Pool {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            max_workers,
            queue: Mutex::default(),
            changed: Condvar::new(),
            ended: Condvar::new(),
        };
        ThreadPoolExecutor {
            handle: Arc::new(Handle {
                pool: Arc::new(pool),
            }),
        }
    }

    /// Calls `f(arg)` on a thread of the pool. Returns at once, with a future for the result.
    ///
    /// The future is already running if a thread is free for it, and pending if it has to queue.
    /// If the job panics, the future fails with an [`Exception`] of type `panic`, and the thread
    /// goes on with the next job. For several arguments take a tuple, or
    /// [`submit_fn`](Self::submit_fn).
    ///
    /// Two jobs for one thread:
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    /// use std::sync::mpsc::{self, Receiver};
    ///
    /// fn wait_for_message(receiver: Receiver<u64>) -> u64 {
    ///     receiver.recv().unwrap()
    /// }
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let (sender, receiver) = mpsc::channel();
    /// let first = executor.submit(wait_for_message, receiver);
    /// let second = executor.submit(|n: u64| n * n, 7);
    /// assert!(first.running());
    /// assert!(!second.running()); // In the queue.
    ///
    /// sender.send(16).unwrap();
    /// assert_eq!((first.result(), second.result()), (16, 49));
    /// ```
    ///
    /// # Panics
    ///
    /// After [`shutdown`](Self::shutdown).
    #[track_caller]
    pub fn submit<A, T>(&self, f: impl FnOnce(A) -> T + Send + 'static, arg: A) -> Future<T>
    where
        A: Send + 'static,
        T: Send + 'static,
    {
        let name = names::job(&f);
        self.submit_named(name, move || f(arg))
    }

    /// Calls a closure on a thread of the pool, as [`submit`](Self::submit) does.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    ///
    /// let executor = ThreadPoolExecutor::new(1);
    /// let (base, exponent) = (2_u64, 10);
    /// assert_eq!(executor.submit_fn(move || base.pow(exponent)).result(), 1024);
    /// ```
    ///
    /// # Panics
    ///
    /// After [`shutdown`](Self::shutdown).
    #[track_caller]
    pub fn submit_fn<T: Send + 'static>(
        &self,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> Future<T> {
        let name = names::job(&f);
        self.submit_named(name, f)
    }

    #[track_caller]
    fn submit_named<T: Send + 'static>(
        &self,
        name: String,
        f: impl FnOnce() -> T + Send + 'static,
    ) -> Future<T> {
        let future = Future::new();
        let task = TaskName {
            kind: TaskKind::Job,
            id: future.id(),
        };
        let to_fill = future.clone();
        let job = Box::new(move || {
            let mut entered = Entered::new(task);
            entered.set_over(true);
            if to_fill.begin() {
                let outcome = panics::hand_on(f);
                to_fill.set_outcome(outcome.map_err(Exception::from_panic));
            }
        });
        trace::spawned(task, || name);
        let mut queue = self.handle.pool.queue.lock();
        assert!(
            !queue.shutdown,
            "cannot schedule new futures after shutdown"
        );
        if self.handle.pool.has_free_worker(&mut queue) {
            // A thread will take it in a moment. Saying so now makes the state predictable.
            future.begin();
        }
        // What the job prints belongs to the cell that submits it, not to the one that started the
        // thread.
        queue.jobs.push_back((Owner::current(), job));
        self.handle.pool.tell_length(&queue);
        drop(queue);
        self.handle.pool.changed.notify_one();
        future
    }

    /// Calls `f` for every item, on the threads of the pool; gives the results in the order of the
    /// items.
    ///
    /// All jobs are submitted now. It is the iterator's `next` that waits.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    ///
    /// let executor = ThreadPoolExecutor::new(3);
    /// let squares: Vec<u64> = executor.map(|n| n * n, [2, 3, 4]).collect();
    /// assert_eq!(squares, [4, 9, 16]);
    /// ```
    ///
    /// # Panics
    ///
    /// After [`shutdown`](Self::shutdown). The iterator panics where the job did.
    #[track_caller]
    pub fn map<A, T>(
        &self,
        f: impl Fn(A) -> T + Send + Sync + 'static,
        items: impl IntoIterator<Item = A>,
    ) -> MapResults<T>
    where
        A: Send + 'static,
        T: Send + 'static,
    {
        let f = Arc::new(f);
        let mut futures = Vec::new();
        for item in items {
            let f = Arc::clone(&f);
            futures.push(self.submit_fn(move || f(item)));
        }
        MapResults::new(futures)
    }

    /// Takes no more jobs; those that are queued still run. With `wait`, returns when all threads
    /// have ended.
    ///
    /// ```
    /// use interleave::concurrent::futures::ThreadPoolExecutor;
    ///
    /// let executor = ThreadPoolExecutor::new(2);
    /// let futures = [2, 3, 4].map(|n| executor.submit(|n: u64| n * n, n));
    /// executor.shutdown(true);
    /// assert!(futures.iter().all(|future| future.done()));
    /// ```
    ///
    /// # Panics
    ///
    /// When a job waits for the end of its own pool, which would never come.
    #[track_caller]
    pub fn shutdown(&self, wait: bool) {
        let pool = &self.handle.pool;
        pool.refuse_jobs();
        if wait {
            let own = WORKS_FOR.get() == Some(pool.number);
            assert!(!own, "cannot join current thread");
            pool.join();
        }
    }
}

impl Pool {
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

    fn refuse_jobs(&self) {
        self.queue.lock().shutdown = true;
        self.changed.notify_all();
    }

    fn join(&self) {
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

impl Drop for Handle {
    fn drop(&mut self) {
        self.pool.refuse_jobs();
    }
}

/// As Python might show it: `<ThreadPoolExecutor max_workers=3>`.
impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "<ThreadPoolExecutor max_workers={}>",
            self.handle.pool.max_workers
        )
    }
}
