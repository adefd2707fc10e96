//! Waiting in a way that an interrupt can end.

use std::{
    sync::{self, PoisonError},
    time::Instant,
};

use parking_lot::MutexGuard;

use crate::private::checkpoint;

/// As `parking_lot::Condvar`, but a thread that is to stop does not go on waiting: it unwinds.
///
/// parking_lot's own waits again until somebody has notified it. libstd's returns whenever the
/// system wakes its thread, as the host does to one that is to stop.
#[derive(Default)]
pub(crate) struct Condvar {
    /// How often somebody was notified.
    notified: sync::Mutex<u64>,
    changed: sync::Condvar,
}

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self {
            notified: sync::Mutex::new(0),
            changed: sync::Condvar::new(),
        }
    }

    /// Wakes all who wait.
    pub(crate) fn notify_all(&self) {
        let mut notified = self.notified.lock().unwrap_or_else(PoisonError::into_inner);
        *notified = notified.wrapping_add(1);
        drop(notified);
        self.changed.notify_all();
    }

    /// Wakes one who waits, at least.
    pub(crate) fn notify_one(&self) {
        self.notify_all();
    }

    /// Unlocks the mutex, waits until somebody notifies, and locks it again.
    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.wait_for_notification(guard, None);
    }

    /// As [`wait`](Self::wait), but no longer than until then. Returns whether the time is over.
    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, deadline: Instant) -> bool {
        self.wait_for_notification(guard, Some(deadline))
    }

    fn wait_for_notification<T>(
        &self,
        guard: &mut MutexGuard<'_, T>,
        deadline: Option<Instant>,
    ) -> bool {
        // Locked before the other is unlocked, so that no notification is missed in between; and
        // unlocked before the other is locked again, since who notifies may hold that one.
        let mut notified = self.notified.lock().unwrap_or_else(PoisonError::into_inner);
        let before = *notified;
        MutexGuard::unlocked(guard, move || {
            while *notified == before {
                checkpoint();
                notified = match deadline {
                    None => {
                        let woken = self.changed.wait(notified);
                        woken.unwrap_or_else(PoisonError::into_inner)
                    }
                    Some(deadline) => {
                        let left = deadline.saturating_duration_since(Instant::now());
                        if left.is_zero() {
                            return true;
                        }
                        let woken = self.changed.wait_timeout(notified, left);
                        woken.unwrap_or_else(PoisonError::into_inner).0
                    }
                };
            }
            checkpoint();
            false
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{thread, time::Duration};

    use parking_lot::Mutex;

    use super::*;

    #[test]
    fn a_notification_ends_the_wait_of_all() {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut is_ready = ready.lock();
                    while !*is_ready {
                        changed.wait(&mut is_ready);
                    }
                });
            }
            *ready.lock() = true;
            changed.notify_all();
        });
    }

    #[test]
    fn a_wait_ends_with_its_time_and_has_the_lock_then() {
        let (never, changed) = (Mutex::new(()), Condvar::new());
        let mut guard = never.lock();
        let deadline = Instant::now() + Duration::from_millis(5);
        while !changed.wait_until(&mut guard, deadline) {}
        assert!(Instant::now() >= deadline);
        assert!(never.is_locked());
    }
}
