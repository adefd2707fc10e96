//! The threads that this program has for itself, beside those of the cells.
//!
//! A copy of the process ([`crate::snapshot`]) has none of them, and what one of them held at that
//! moment, such as the lock of the allocator, would stay held for ever. So each of them says when it
//! is [at work](at_work); the rest of the time it waits for the system and holds nothing. A copy is
//! made while none of them is at work.

use std::{
    io,
    sync::{Condvar, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    thread,
    time::Duration,
};

/// Read by whoever is at work, written by whoever wants none to be.
static WORK: RwLock<()> = RwLock::new(());

/// How many of these threads have begun. The first is the process's first, which is parked while a
/// cell is handed over (`cells::runner`).
static BEGUN: Mutex<usize> = Mutex::new(1);
static CHANGED: Condvar = Condvar::new();

/// Starts such a thread; it never ends. Returns once it has begun: what libstd does before that is
/// not marked as work.
pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let before = count();
    thread::Builder::new().name(name.into()).spawn(|| {
        *BEGUN.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        CHANGED.notify_all();
        body();
    })?;
    let mut begun = BEGUN.lock().unwrap_or_else(PoisonError::into_inner);
    while *begun == before {
        begun = CHANGED.wait(begun).unwrap_or_else(PoisonError::into_inner);
    }
    Ok(())
}

/// How many of these threads there are.
pub(crate) fn count() -> usize {
    *BEGUN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In a copy of the process there are none yet.
pub(crate) fn forget_all() {
    *BEGUN.lock().unwrap_or_else(PoisonError::into_inner) = 0;
}

/// Held by such a thread whenever it does more than wait for the system.
pub(crate) fn at_work() -> RwLockReadGuard<'static, ()> {
    WORK.read().unwrap_or_else(PoisonError::into_inner)
}

/// While this is held, no such thread is at work. `None` when one does not come to rest, such as the
/// one that flushes standard output while a cell keeps its lock in a variable.
pub(crate) fn stand_still() -> Option<RwLockWriteGuard<'static, ()>> {
    /// What they do takes microseconds.
    const LOOKS: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(1);
    for _ in 0..LOOKS {
        if let Ok(stillness) = WORK.try_write() {
            return Some(stillness);
        }
        thread::sleep(PAUSE);
    }
    None
}
