//! `TimerHandle`: what `call_later` returns.

use std::{cell::Cell, fmt, time::Instant};

use super::EventLoop;

/// A call that [`EventLoop::call_later`] arranged. Dropping the handle does not cancel the call.
///
/// ```
/// use interleave::asyncio;
///
/// let event_loop = asyncio::get_event_loop();
/// let reminder = event_loop.call_later(60, || println!("no answer yet"));
/// assert!(format!("{reminder:?}").starts_with("<TimerHandle when="));
///
/// reminder.cancel(); // The answer has come.
/// assert!(format!("{reminder:?}").starts_with("<TimerHandle cancelled when="));
/// ```
pub struct TimerHandle {
    event_loop: EventLoop,
    id: u64,
    due: Option<Instant>,
    cancelled: Cell<bool>,
}

impl TimerHandle {
    pub(super) fn new(event_loop: &EventLoop, id: u64, due: Option<Instant>) -> TimerHandle {
        TimerHandle {
            event_loop: event_loop.clone(),
            id,
            due,
            cancelled: Cell::new(false),
        }
    }

    /// Takes the call back. Does nothing if it was made already.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let handle = event_loop.call_later(0.01, || unreachable!());
    /// handle.cancel();
    /// event_loop.run_until_complete(asyncio::sleep(0.02));
    /// ```
    pub fn cancel(&self) {
        self.cancelled.set(true);
        // Bound to a name, so that what the closure owns is dropped when the map is free again.
        let _callback = self.event_loop.inner.work.borrow_mut().remove(&self.id);
    }

    /// Whether [`cancel`](TimerHandle::cancel) was called.
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let alarms = [60, 120].map(|seconds| event_loop.call_later(seconds, || println!("ring")));
    /// alarms[0].cancel();
    /// assert_eq!(alarms.iter().filter(|alarm| !alarm.cancelled()).count(), 1);
    /// ```
    pub fn cancelled(&self) -> bool {
        self.cancelled.get()
    }

    /// When the call is due, in seconds on the clock of [`EventLoop::time`].
    ///
    /// ```
    /// use interleave::asyncio;
    ///
    /// let event_loop = asyncio::get_event_loop();
    /// let alarm = event_loop.call_later(3600, || println!("one hour"));
    /// let seconds_left = alarm.when() - event_loop.time();
    /// assert_eq!((seconds_left / 60.0).round(), 60.0);
    /// ```
    pub fn when(&self) -> f64 {
        let started = self.event_loop.inner.started;
        self.due.map_or(f64::INFINITY, |due| {
            due.duration_since(started).as_secs_f64()
        })
    }
}

/// As Python shows it: `<TimerHandle when=1.5>`, or `<TimerHandle cancelled when=1.5>`.
impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancelled = if self.cancelled() { "cancelled " } else { "" };
        write!(f, "<TimerHandle {cancelled}when={:.3}>", self.when())
    }
}
