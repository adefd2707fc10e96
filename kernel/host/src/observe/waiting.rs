//! What a thread waits for.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

use crate::{threads, trace};

use super::{
    frames::{Frame, Trace},
    registry::{self, NO_EPOLL, Slot},
};

/// What a thread is about to wait for. Times are nanoseconds of the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// For a time to come.
    Sleep {
        /// That time.
        until: u64,
    },
    /// At a futex: for a lock, a message, a wake-up.
    Futex {
        /// Where the futex is.
        address: u64,
        /// The end of its patience, if it has one.
        until: Option<u64>,
    },
    /// For the end of a thread.
    Join {
        /// What `pthread_self` says in that thread.
        handle: u64,
    },
    /// For data, or a connection.
    Io,
    /// For the end of another process.
    Process,
    /// For what the student types.
    Input,
}

/// Calls a function that may block, so that others can see what for.
///
/// A wait within a wait is not noted: a thread that waits for input does so at a futex of ours.
pub(crate) fn blocked<R>(waiting: Waiting, caller: Frame, call: impl FnOnce() -> R) -> R {
    let Some(slot) = registry::current() else {
        return call();
    };
    if slot.waiting.is_set() {
        return call();
    }
    // rayon's threads have no names, but know what they are once they look for work.
    if threads::is_shared() {
        registry::join_pool();
    }
    slot.waiting.set(waiting, caller);
    trace::waits(waiting, caller);
    slot.fate.wait();
    // Dropped also when the call does not return but unwinds.
    let _awake = Awake(slot);
    call()
}

/// The calling thread is about to wait at an epoll instance, without a limit if the time is negative.
pub(super) fn at_epoll(epoll: i32, timeout: i32) -> Waiting {
    if let Some(slot) = registry::current().filter(|slot| !slot.waiting.is_set()) {
        let endless = if timeout < 0 { epoll } else { NO_EPOLL };
        slot.epoll.store(endless, Relaxed);
    }
    Waiting::Io
}

struct Awake(&'static Slot);

impl Drop for Awake {
    fn drop(&mut self) {
        self.0.fate.go_on();
        self.0.epoll.store(NO_EPOLL, Relaxed);
        self.0.parks_at.store(0, Relaxed);
        self.0.waiting.clear();
        trace::runs();
    }
}

/// The time, in nanoseconds of the monotonic clock.
pub(crate) fn now() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable, and Linux has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    nanoseconds(time)
}

/// A span of time, or a point in it. What is negative counts as 0.
pub(super) fn nanoseconds(time: libc::timespec) -> u64 {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}

/// What one thread waits for, since when, and where. One thread writes it, any reads it.
#[derive(Debug)]
pub(super) struct Note {
    /// Odd while the rest is being changed.
    version: AtomicU64,
    kind: AtomicU64,
    subject: AtomicU64,
    /// [`NEVER`], or a time.
    until: AtomicU64,
    since: AtomicU64,
    at: Trace,
}

/// A note as it was at one moment.
#[derive(Debug)]
pub(super) struct Noted {
    /// `None` for a thread that runs.
    pub(super) waiting: Option<Waiting>,
    /// Since when it does so.
    pub(super) since: u64,
    /// The return addresses on its stack, innermost first, when it began to wait.
    pub(super) at: Vec<usize>,
}

const NEVER: u64 = u64::MAX;

const RUNS: u64 = 0;
const SLEEPS: u64 = 1;
const AT_FUTEX: u64 = 2;
const JOINS: u64 = 3;
const DOES_IO: u64 = 4;
const AWAITS_PROCESS: u64 = 5;
const READS_INPUT: u64 = 6;

impl Note {
    pub(super) const fn new() -> Self {
        Self {
            version: AtomicU64::new(0),
            kind: AtomicU64::new(RUNS),
            subject: AtomicU64::new(0),
            until: AtomicU64::new(NEVER),
            since: AtomicU64::new(0),
            at: Trace::new(),
        }
    }

    pub(super) fn is_set(&self) -> bool {
        self.kind.load(Relaxed) != RUNS
    }

    fn set(&self, waiting: Waiting, caller: Frame) {
        let (kind, subject, until) = match waiting {
            Waiting::Sleep { until } => (SLEEPS, 0, until),
            Waiting::Futex { address, until } => (AT_FUTEX, address, until.unwrap_or(NEVER)),
            Waiting::Join { handle } => (JOINS, handle, NEVER),
            Waiting::Io => (DOES_IO, 0, NEVER),
            Waiting::Process => (AWAITS_PROCESS, 0, NEVER),
            Waiting::Input => (READS_INPUT, 0, NEVER),
        };
        self.change(|| {
            self.kind.store(kind, Relaxed);
            self.subject.store(subject, Relaxed);
            self.until.store(until, Relaxed);
            self.since.store(now(), Relaxed);
            self.at.take(caller);
        });
    }

    /// The thread runs.
    pub(super) fn clear(&self) {
        self.change(|| {
            self.kind.store(RUNS, Relaxed);
            self.since.store(now(), Relaxed);
        });
    }

    fn change(&self, change: impl FnOnce()) {
        let version = self.version.load(Relaxed);
        self.version.store(version.wrapping_add(1), Relaxed);
        fence(Release);
        change();
        self.version.store(version.wrapping_add(2), Release);
    }

    /// Reads the note as it was at one moment; `None` when it changes too fast to be read.
    pub(super) fn read(&self) -> Option<Noted> {
        const TRIES: usize = 100;
        (0..TRIES).find_map(|_| {
            let version = self.version.load(Acquire);
            let noted = self.read_once();
            fence(Acquire);
            let is_whole = version.is_multiple_of(2) && self.version.load(Relaxed) == version;
            is_whole.then_some(noted)
        })
    }

    fn read_once(&self) -> Noted {
        let subject = self.subject.load(Relaxed);
        let until = self.until.load(Relaxed);
        let waiting = match self.kind.load(Relaxed) {
            SLEEPS => Some(Waiting::Sleep { until }),
            AT_FUTEX => Some(Waiting::Futex {
                address: subject,
                until: (until != NEVER).then_some(until),
            }),
            JOINS => Some(Waiting::Join { handle: subject }),
            DOES_IO => Some(Waiting::Io),
            AWAITS_PROCESS => Some(Waiting::Process),
            READS_INPUT => Some(Waiting::Input),
            _ => None,
        };
        Noted {
            at: if waiting.is_some() {
                self.at.addresses()
            } else {
                Vec::new()
            },
            waiting,
            since: self.since.load(Relaxed),
        }
    }
}
