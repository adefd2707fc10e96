//! Waiting for several futures at once.

use std::{
    collections::VecDeque,
    fmt,
    iter::FusedIterator,
    sync::Arc,
    task::{Wake, Waker},
    time::Instant,
};

use parking_lot::Mutex;

use super::Future;
use crate::{
    seconds::{Seconds, deadline},
    waits::Condvar,
};

/// When [`wait`] returns.
///
/// One future fails; there is no point in waiting for the third:
///
/// ```
/// use interleave::concurrent::futures::{Future, ReturnWhen, wait};
///
/// let (page, broken, slow) = (Future::new(), Future::new(), Future::new());
/// page.set_result("<html>");
/// broken.set_exception("no such host");
///
/// let finding = wait(&[page, broken, slow], ReturnWhen::FirstException);
/// assert_eq!(finding.done.len(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnWhen {
    /// As soon as one future is done, or was cancelled.
    FirstCompleted,
    /// As soon as one future fails. If none does, when all are done.
    FirstException,
    /// When all are done.
    AllCompleted,
}

/// What [`wait`] found, each list in the order of its argument.
///
/// ```
/// use interleave::concurrent::futures::{DoneAndNotDone, Future, ReturnWhen, wait};
///
/// let (fast, slow) = (Future::new(), Future::new());
/// fast.set_result("fast");
/// let futures = [fast, slow.clone()];
///
/// let DoneAndNotDone { done, not_done } = wait(&futures, ReturnWhen::FirstCompleted);
/// assert_eq!(done[0].result(), "fast");
/// not_done.iter().for_each(|future| assert!(future.cancel())); // Not needed any more.
/// assert!(slow.cancelled());
/// ```
pub struct DoneAndNotDone<T> {
    /// The futures that have a result or an error, or were cancelled.
    pub done: Vec<Future<T>>,
    /// The others.
    pub not_done: Vec<Future<T>>,
}

impl<T> fmt::Debug for DoneAndNotDone<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DoneAndNotDone")
            .field("done", &self.done)
            .field("not_done", &self.not_done)
            .finish()
    }
}

/// Waits for several futures, and says which are done.
///
/// Unlike asking each for its `result` in turn, it can stop at the *first* that is done.
///
/// ```
/// use interleave::concurrent::futures::{Future, ReturnWhen, wait};
///
/// let (fast, slow) = (Future::new(), Future::new());
/// fast.set_result("fast");
///
/// let finding = wait(&[slow, fast], ReturnWhen::FirstCompleted);
/// assert_eq!(finding.done[0].result(), "fast");
/// assert_eq!(finding.not_done.len(), 1);
/// ```
pub fn wait<T>(futures: &[Future<T>], return_when: ReturnWhen) -> DoneAndNotDone<T> {
    wait_until(futures, None, return_when)
}

/// Waits as [`wait`] does, but no longer than `seconds`. The time being over is no error: what is
/// not done then is in [`not_done`](DoneAndNotDone::not_done).
///
/// ```
/// use interleave::concurrent::futures::{Future, ReturnWhen, wait_timeout};
///
/// let never = Future::<i32>::new();
/// let finding = wait_timeout(&[never], 0.01, ReturnWhen::AllCompleted);
/// assert!(finding.done.is_empty());
/// ```
pub fn wait_timeout<T>(
    futures: &[Future<T>],
    seconds: impl Seconds,
    return_when: ReturnWhen,
) -> DoneAndNotDone<T> {
    wait_until(futures, deadline(seconds), return_when)
}

fn wait_until<T>(
    futures: &[Future<T>],
    deadline: Option<Instant>,
    return_when: ReturnWhen,
) -> DoneAndNotDone<T> {
    let watch = Watch::new(futures.to_vec());
    let mut missing = futures.len();
    while missing > 0 {
        let Some(index) = watch.next_done(deadline) else {
            break;
        };
        missing -= 1;
        match return_when {
            ReturnWhen::FirstCompleted => break,
            ReturnWhen::FirstException if futures[index].failed() => break,
            ReturnWhen::FirstException | ReturnWhen::AllCompleted => {}
        }
    }
    let (done, not_done) = futures.iter().cloned().partition(Future::done);
    DoneAndNotDone { done, not_done }
}

/// Hands out the futures in the order in which they get done: those done already, then the others.
///
/// ```
/// use interleave::concurrent::futures::{Future, as_completed};
///
/// let (first, second) = (Future::new(), Future::new());
/// let mut completed = as_completed([first.clone(), second.clone()]);
/// second.set_result("second");
/// first.set_result("first");
/// assert_eq!(completed.next().unwrap().result(), "second");
/// assert_eq!(completed.next().unwrap().result(), "first");
/// assert!(completed.next().is_none());
/// ```
pub fn as_completed<T>(futures: impl IntoIterator<Item = Future<T>>) -> AsCompleted<T> {
    let watch = Watch::new(futures.into_iter().collect());
    AsCompleted {
        missing: watch.watched.len(),
        watch,
    }
}

/// The iterator that [`as_completed`] returns. Its `next` blocks until another future is done.
///
/// ```
/// use interleave::concurrent::futures::{ThreadPoolExecutor, as_completed};
///
/// let executor = ThreadPoolExecutor::new(3);
/// let futures = [2, 3, 4].map(|n| executor.submit(|n: u64| n * n, n));
/// let mut squares: Vec<u64> = as_completed(futures).map(|done| done.result()).collect();
/// squares.sort(); // Which one is first, nobody knows.
/// assert_eq!(squares, [4, 9, 16]);
/// ```
#[derive(Debug)]
pub struct AsCompleted<T> {
    watch: Watch<T>,
    missing: usize,
}

impl<T> Iterator for AsCompleted<T> {
    type Item = Future<T>;

    fn next(&mut self) -> Option<Future<T>> {
        self.missing = self.missing.checked_sub(1)?;
        let index = self.watch.next_done(None)?;
        Some(self.watch.watched[index].0.clone())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.missing, Some(self.missing))
    }
}

impl<T> ExactSizeIterator for AsCompleted<T> {}
impl<T> FusedIterator for AsCompleted<T> {}

/// Says which of some futures are done, in order.
#[derive(Debug)]
struct Watch<T> {
    watched: Vec<(Future<T>, Waker)>,
    done: Arc<Done>,
}

/// The indexes of those that nobody has heard of yet.
#[derive(Default)]
struct Done {
    indexes: Mutex<VecDeque<usize>>,
    changed: Condvar,
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.indexes.lock().iter()).finish()
    }
}

impl<T> Watch<T> {
    fn new(futures: Vec<Future<T>>) -> Watch<T> {
        let done = Arc::new(Done::default());
        let watch = |(index, future): (usize, Future<T>)| {
            let bell = Bell {
                index,
                done: Arc::clone(&done),
            };
            let waker = Waker::from(Arc::new(bell));
            if future.watch(&waker) {
                waker.wake_by_ref();
            }
            (future, waker)
        };
        let watched = futures.into_iter().enumerate().map(watch).collect();
        Watch { watched, done }
    }

    /// The index of the next one, or `None` if the time is over first.
    fn next_done(&self, deadline: Option<Instant>) -> Option<usize> {
        let mut indexes = self.done.indexes.lock();
        loop {
            if let Some(index) = indexes.pop_front() {
                return Some(index);
            }
            match deadline {
                None => self.done.changed.wait(&mut indexes),
                Some(deadline) if Instant::now() >= deadline => return None,
                Some(deadline) => {
                    self.done.changed.wait_until(&mut indexes, deadline);
                }
            }
        }
    }
}

impl<T> Drop for Watch<T> {
    fn drop(&mut self) {
        for (future, waker) in &self.watched {
            future.unwatch(waker);
        }
    }
}

/// A waker is anything that can be told "look again". This one passes it on as a number.
struct Bell {
    index: usize,
    done: Arc<Done>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.done.indexes.lock().push_back(self.index);
        self.done.changed.notify_all();
    }
}
