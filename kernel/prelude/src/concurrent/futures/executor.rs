//! `ThreadPoolExecutor`: a fixed number of threads and a queue of jobs.

mod map_results;
mod pool;

use std::{fmt, sync::Arc};

use interleave_protocol::{TaskKind, TaskName};

use self::pool::Pool;
use super::{Exception, Future};
use crate::{
    names, panics,
    trace::{self, Entered},
};

pub use map_results::MapResults;

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
/// use std::sync::mpsc::{self, Receiver};
///
/// fn wait_and_return(message: Receiver<&str>) -> &str {
///     message.recv().unwrap()
/// }
///
/// let executor = ThreadPoolExecutor::new(3);
/// let (sender, message) = mpsc::channel();
/// let result = executor.submit(wait_and_return, message);
/// assert!(result.running());
/// sender.send("hello").unwrap();
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
        assert!(max_workers > 0, "max_workers must be greater than 0");
        let pool = Arc::new(Pool::new(max_workers));
        ThreadPoolExecutor {
            handle: Arc::new(Handle { pool }),
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
        // Saying so before it runs makes the state predictable.
        let begins = || _ = future.begin();
        self.handle.pool.add(job, &begins);
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
            assert!(!pool.has_this_thread(), "cannot join current thread");
            pool.join();
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
            self.handle.pool.max_workers()
        )
    }
}
