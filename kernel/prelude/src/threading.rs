//! Threads that start later, as in Python's module `threading`.
//!
//! For everything else there is [`std::thread`].

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, ThreadId},
    time::{Duration, Instant},
};

use interleave_protocol::ObjectKind;
use parking_lot::Mutex;

use crate::{
    seconds::{Seconds, deadline},
    trace,
    waits::Condvar,
};

type Job = Box<dyn FnOnce() + Send>;

/// Calls a function once, after a number of seconds, on a thread of its own.
///
/// [`start`](Timer::start) returns at once: the call is *submitted*, not executed. That is the
/// difference from [`thread::sleep`], which keeps the current thread waiting. The function cannot
/// return a value to anyone; give it a channel or a
/// [`Future`](crate::concurrent::futures::Future) to report through.
///
/// Dropping a `Timer` does not cancel it.
///
/// # Examples
///
/// Three waits at the same time:
///
/// ```
/// use interleave::threading::Timer;
/// use std::sync::mpsc;
///
/// let (sender, receiver) = mpsc::channel();
/// for msg in ["First", "Second", "Third"] {
///     let sender = sender.clone();
///     Timer::new(0.02, move || sender.send(msg).unwrap()).start();
/// }
///
/// let mut arrived: Vec<&str> = receiver.iter().take(3).collect();
/// arrived.sort(); // Which thread is first, nobody knows.
/// assert_eq!(arrived, ["First", "Second", "Third"]);
/// ```
///
/// The function runs on another thread, after this one has gone on. So it must own what it uses;
/// without `move` this does not compile:
///
/// ```compile_fail,E0373
/// use interleave::threading::Timer;
///
/// fn wait_and_print(msg: String) {
///     Timer::new(0.02, || println!("{msg}")).start();
/// }
/// ```
///
/// And what it owns must be safe to send to another thread. An `Rc` is not, an `Arc` is:
///
/// ```compile_fail,E0277
/// use interleave::threading::Timer;
/// use std::rc::Rc;
///
/// let msg = Rc::new("hello");
/// Timer::new(0.02, move || println!("{msg}")).start();
/// ```
pub struct Timer {
    shared: Arc<Shared>,
}

struct Shared {
    number: usize,
    name: String,
    interval: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    phase: Phase,
    cancelled: bool,
    due: Option<Instant>,
    job: Option<Job>,
    thread: Option<ThreadId>,
}

#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Initial,
    Started,
    Stopped,
}

impl Timer {
    /// Prepares a call of `f`, to be made `interval` seconds after [`start`](Timer::start).
    ///
    /// Nothing runs yet, and no thread exists. An interval that is negative or `NaN` counts as 0.
    ///
    /// ```
    /// use interleave::threading::Timer;
    ///
    /// let timer = Timer::new(0.02, || unreachable!());
    /// assert!(!timer.is_alive());
    /// assert!(format!("{timer:?}").ends_with(", initial)>"));
    /// ```
    pub fn new(interval: impl Seconds, f: impl FnOnce() + Send + 'static) -> Timer {
        static COUNT: AtomicUsize = AtomicUsize::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("Timer-{number}");
        let interval = interval.into_duration();
        let state = State {
            phase: Phase::Initial,
            cancelled: false,
            due: None,
            job: Some(Box::new(f)),
            thread: None,
        };
        Timer {
            shared: Arc::new(Shared {
                number,
                name,
                interval,
                state: Mutex::new(state),
                changed: Condvar::new(),
            }),
        }
    }

    /// Starts the thread, named `Timer-1`, `Timer-2`, …, and the time.
    ///
    /// A panic in the function ends its thread only; the others do not notice.
    ///
    /// ```
    /// use interleave::threading::Timer;
    /// use std::{sync::mpsc, thread};
    ///
    /// let (sender, receiver) = mpsc::channel();
    /// Timer::new(0.01, move || sender.send(thread::current().id()).unwrap()).start();
    /// assert_ne!(receiver.recv().unwrap(), thread::current().id());
    /// ```
    ///
    /// # Panics
    ///
    /// When the timer was started before, or the system has no thread to give.
    #[track_caller]
    pub fn start(&self) {
        let mut state = self.shared.state.lock();
        assert!(
            state.phase == Phase::Initial,
            "threads can only be started once"
        );
        let shared = Arc::clone(&self.shared);
        state.due = deadline(shared.interval);
        let thread = thread::Builder::new()
            .name(shared.name.clone())
            .spawn(move || shared.run())
            .unwrap_or_else(|error| panic!("can't start new thread: {error}"));
        state.phase = Phase::Started;
        self.shared.tell("started");
        state.thread = Some(thread.thread().id());
    }

    /// Gives the call up, if it has not begun. The sleeping thread ends at once.
    ///
    /// A function that runs already is not stopped: no thread can be stopped from outside. A timer
    /// that is cancelled first and started later never calls its function.
    ///
    /// ```
    /// use interleave::threading::Timer;
    ///
    /// let timer = Timer::new(3600, || unreachable!());
    /// timer.start();
    /// timer.cancel();
    /// timer.join(); // Does not take an hour.
    /// assert!(!timer.is_alive());
    /// ```
    pub fn cancel(&self) {
        self.shared.state.lock().cancelled = true;
        self.shared.tell("cancelled");
        self.shared.changed.notify_all();
    }

    /// Waits until the thread has ended: the function has returned, has panicked, or was cancelled.
    ///
    /// Unlike [`thread::JoinHandle::join`] it may be called often, and does not report a panic.
    ///
    /// ```
    /// use interleave::threading::Timer;
    /// use std::sync::{Arc, atomic::{AtomicU32, Ordering}};
    ///
    /// let count = Arc::new(AtomicU32::new(0));
    /// let timers = [0.02, 0.01].map(|seconds| {
    ///     let count = Arc::clone(&count);
    ///     Timer::new(seconds, move || _ = count.fetch_add(1, Ordering::Relaxed))
    /// });
    /// timers.iter().for_each(Timer::start);
    /// timers.iter().for_each(Timer::join);
    /// assert_eq!(count.load(Ordering::Relaxed), 2);
    /// ```
    ///
    /// # Panics
    ///
    /// When the timer was not started, or when its own function calls this: both would wait for
    /// ever.
    #[track_caller]
    pub fn join(&self) {
        let mut state = self.shared.state.lock();
        assert!(
            state.phase != Phase::Initial,
            "cannot join thread before it is started"
        );
        assert!(
            state.thread != Some(thread::current().id()),
            "cannot join current thread"
        );
        while state.phase != Phase::Stopped {
            self.shared.changed.wait(&mut state);
        }
    }

    /// Whether the thread exists: from [`start`](Timer::start) until the function has returned.
    ///
    /// ```
    /// use interleave::threading::Timer;
    /// use std::sync::mpsc;
    ///
    /// let (sender, receiver) = mpsc::channel::<()>();
    /// let timer = Timer::new(0, move || receiver.recv().unwrap());
    /// timer.start();
    /// assert!(timer.is_alive()); // It waits for the message.
    /// sender.send(()).unwrap();
    /// timer.join();
    /// assert!(!timer.is_alive());
    /// ```
    pub fn is_alive(&self) -> bool {
        self.shared.state.lock().phase == Phase::Started
    }
}

impl Shared {
    fn run(&self) {
        // Dropped last, also when the function panics, so that `join` always returns.
        let _stopped = StopOnDrop(self);
        if let Some(job) = self.wait() {
            self.tell("calls its function");
            job();
        }
    }

    fn tell(&self, state: &str) {
        trace::state(ObjectKind::Timer, self.number as u64, state);
    }

    /// Sleeps until the time has come. A cancelled job is not handed out, but dropped here.
    fn wait(&self) -> Option<Job> {
        let mut state = self.state.lock();
        while !state.cancelled {
            match state.due {
                None => self.changed.wait(&mut state),
                Some(due) if Instant::now() < due => {
                    self.changed.wait_until(&mut state, due);
                }
                Some(_) => return state.job.take(),
            }
        }
        let cancelled = state.job.take();
        // What the closure owns may have a `drop` that asks this very timer something.
        drop(state);
        drop(cancelled);
        None
    }
}

struct StopOnDrop<'a>(&'a Shared);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.state.lock().phase = Phase::Stopped;
        self.0.tell("stopped");
        self.0.changed.notify_all();
    }
}

/// As Python shows it: `<Timer(Timer-1, started)>`, or `initial`, or `stopped`.
impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match self.shared.state.lock().phase {
            Phase::Initial => "initial",
            Phase::Started => "started",
            Phase::Stopped => "stopped",
        };
        write!(f, "<Timer({}, {phase})>", self.shared.name)
    }
}
