//! Durations as Python writes them: a number of seconds.

use std::time::{Duration, Instant};

/// A length of time: a number is in seconds, a [`Duration`] is itself.
///
/// A negative number and `NaN` count as zero, as a moment that has already come. Infinity, and
/// whatever is too long for a [`Duration`], counts as [`Duration::MAX`].
///
/// ```
/// use interleave::Seconds;
/// use std::time::Duration;
///
/// assert_eq!(0.5.into_duration(), Duration::from_millis(500));
/// assert_eq!(2.into_duration(), Duration::from_secs(2));
/// assert_eq!((-1.0).into_duration(), Duration::ZERO);
/// ```
pub trait Seconds {
    /// The same length of time, in the type that std uses.
    ///
    /// For a function of your own that takes seconds, as all of this crate do:
    ///
    /// ```
    /// use interleave::Seconds;
    /// use std::time::Duration;
    ///
    /// fn in_milliseconds(time: impl Seconds) -> u128 {
    ///     time.into_duration().as_millis()
    /// }
    ///
    /// assert_eq!(in_milliseconds(0.25), 250);
    /// assert_eq!(in_milliseconds(Duration::from_secs(2)), 2000);
    /// ```
    fn into_duration(self) -> Duration;
}

impl Seconds for f64 {
    fn into_duration(self) -> Duration {
        let too_long_or_not_positive = if self > 0.0 {
            Duration::MAX
        } else {
            Duration::ZERO
        };
        Duration::try_from_secs_f64(self).unwrap_or(too_long_or_not_positive)
    }
}

impl Seconds for i32 {
    fn into_duration(self) -> Duration {
        Duration::from_secs(u64::try_from(self).unwrap_or(0))
    }
}

impl Seconds for u64 {
    fn into_duration(self) -> Duration {
        Duration::from_secs(self)
    }
}

impl Seconds for Duration {
    fn into_duration(self) -> Duration {
        self
    }
}

/// The moment that is so far from now, or `None` if the clock does not reach it: wait for ever.
pub(crate) fn deadline(after: impl Seconds) -> Option<Instant> {
    Instant::now().checked_add(after.into_duration())
}
