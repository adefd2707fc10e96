//! Notes who has taken a lock.
//!
//! `interleave-compiler` writes `Taken(&value).note(site)` behind each call in a cell that may take a
//! lock. Method look-up finds the `note` that fits the type, at compile time and without a trait in
//! scope: those of [`Taken`] itself are for guards, and what it derefs to has one that does nothing.

use std::{
    mem::size_of_val,
    ops::Deref,
    sync::{
        LockResult, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard,
        RwLockWriteGuard, TryLockError, TryLockResult, WaitTimeoutResult,
    },
};

use interleave_protocol::LockHolder;
use parking_lot::lock_api::{self, RawMutex, RawRwLock};

use crate::host;

type Took = unsafe extern "C" fn(usize, u32);

/// A value that may be a guard, or a result with one.
#[allow(missing_debug_implementations, reason = "nobody keeps one")]
pub struct Taken<'a, T: ?Sized>(pub &'a T);

/// A value that is none.
#[derive(Debug)]
pub struct Other;

impl Other {
    /// Does nothing.
    #[inline(always)]
    pub fn note(&self, _site: u32) {}
}

impl<T: ?Sized> Deref for Taken<'_, T> {
    type Target = Other;

    #[inline(always)]
    fn deref(&self) -> &Other {
        &Other
    }
}

/// The host's functions, once it is known that guards of std look as expected here.
static HOST: OnceLock<Host> = OnceLock::new();

#[derive(Clone, Copy)]
struct Host {
    took: Took,
    took_poisoned: Took,
    took_permits: unsafe extern "C" fn(u32),
}

/// Finds that out. What a guard of std guards is not to be had otherwise on stable Rust.
pub(super) fn look_at_guards() {
    // SAFETY: the host defines the symbols with this signature.
    let found = unsafe {
        (
            host::lookup(c"interleave_host_took_lock"),
            host::lookup(c"interleave_host_took_poisoned_lock"),
            host::lookup(c"interleave_host_took_permits"),
        )
    };
    if let (Some(took), Some(took_poisoned), Some(took_permits)) = found
        && are_as_expected()
    {
        HOST.get_or_init(|| Host {
            took,
            took_poisoned,
            took_permits,
        });
    }
}

/// A cell takes locks where nothing can be noted: the newest note of a lock may be out of date.
pub fn takes_locks_unseen() {
    // SAFETY: the host defines the symbol with this signature.
    let tell: Option<unsafe extern "C" fn()> =
        unsafe { host::lookup(c"interleave_host_takes_locks_unseen") };
    if let Some(tell) = tell {
        // SAFETY: it only sets a flag.
        unsafe { tell() };
    }
}

/// A guard of std's mutex begins with the reference to it, and std's locks with the futex.
fn are_as_expected() -> bool {
    let wide: Box<Mutex<[u8]>> = Box::new(Mutex::new([7; 3]));
    let narrow = Mutex::new(7_u64);
    let shared = RwLock::new(7_u8);
    let wide_guard = locked(&wide);
    let narrow_guard = locked(&narrow);
    let reader = shared.read().unwrap_or_else(PoisonError::into_inner);
    let guards = [
        (first_word(&raw const wide_guard), address(&*wide)),
        (first_word(&raw const narrow_guard), address(&narrow)),
        (reader_address(&reader), address(&shared)),
    ];
    let written = RwLock::new(7_u8);
    let writer = written.write().unwrap_or_else(PoisonError::into_inner);
    let is_writer_right = first_word(&raw const writer) == address(&written);
    let are_right = is_writer_right && guards.iter().all(|(found, right)| found == right);
    // SAFETY: the three are locks, of at least four bytes, on this thread's stack and in its box.
    let are_futexes = || unsafe { guards.map(|(_, lock)| (lock as *const u32).read_volatile()) };
    let while_held = are_futexes();
    drop((wide_guard, narrow_guard, reader));
    are_right && while_held == [1; 3] && are_futexes() == [0; 3]
}

fn locked<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn address<T: ?Sized>(value: &T) -> usize {
    std::ptr::from_ref(value).addr()
}

fn first_word<T>(guard: *const T) -> usize {
    const { assert!(size_of::<T>() >= size_of::<usize>()) };
    // SAFETY: the guard is initialised at least where it has a reference, which it begins with; if
    // it began with a flag instead, that would be a word in which some bytes are padding: they are
    // read, compared, and thrown away.
    unsafe { guard.cast::<usize>().read_volatile() }
}

/// A reader of std's holds two pointers, to the data and to the lock around it; one of them may be
/// wide. The lock is the one that begins a little before the data.
fn reader_address<T: ?Sized>(guard: &RwLockReadGuard<'_, T>) -> usize {
    let data = address::<T>(guard);
    let farthest = 16.max(std::mem::align_of_val::<T>(guard));
    let words = size_of_val(guard) / size_of::<usize>();
    let first = std::ptr::from_ref(guard).cast::<usize>();
    // SAFETY: the words are those of the guard, which consists of pointers.
    let mut words = (0..words).map(|index| unsafe { first.add(index).read_volatile() });
    let is_lock = |word: &usize| *word < data && data - *word <= farthest;
    words.find(is_lock).unwrap_or_default()
}

/// Notes a lock at an address; 0 is none.
fn took(lock: usize, site: u32) {
    if let Some(host) = HOST.get().filter(|_| lock != 0) {
        // SAFETY: it takes the two numbers, and nothing else.
        unsafe { (host.took)(lock, site) };
    }
}

/// The same of one in whose guard's way a panic has been.
#[cold]
#[inline(never)]
fn took_poisoned(lock: usize, site: u32) {
    if let Some(host) = HOST.get().filter(|_| lock != 0) {
        // SAFETY: as above.
        unsafe { (host.took_poisoned)(lock, site) };
    }
}

/// Notes the lock that a guard of std's mutex begins with the address of. Compiled here, so that it
/// is optimised, and has none of the checks that a cell has.
fn took_mutex(guard: *const usize, site: u32) {
    if let Some(host) = HOST.get() {
        // SAFETY: `guard` leads to a guard, and such begin so: that was tried out.
        unsafe { (host.took)(guard.read(), site) };
    }
}

/// A guard from which the address of its lock can be had.
trait Guard {
    /// Set in the numbers of sites.
    const FLAGS: u32 = 0;

    fn lock(&self) -> usize;

    fn note(&self, site: u32) {
        took(self.lock(), site | Self::FLAGS);
    }

    fn note_poisoned(&self, site: u32) {
        took_poisoned(self.lock(), site | Self::FLAGS);
    }
}

impl<T: ?Sized> Guard for MutexGuard<'_, T> {
    fn lock(&self) -> usize {
        first_word(self)
    }
}

impl<T: ?Sized> Guard for RwLockReadGuard<'_, T> {
    const FLAGS: u32 = LockHolder::SHARED;

    fn lock(&self) -> usize {
        reader_address(self)
    }
}

impl<T: ?Sized> Guard for RwLockWriteGuard<'_, T> {
    fn lock(&self) -> usize {
        first_word(self)
    }
}

impl<R: RawMutex, T: ?Sized> Guard for lock_api::MutexGuard<'_, R, T> {
    fn lock(&self) -> usize {
        // SAFETY: only its address is taken.
        address(unsafe { Self::mutex(self).raw() })
    }
}

impl<R: RawRwLock, T: ?Sized> Guard for lock_api::RwLockReadGuard<'_, R, T> {
    const FLAGS: u32 = LockHolder::SHARED;

    fn lock(&self) -> usize {
        // SAFETY: as above.
        address(unsafe { Self::rwlock(self).raw() })
    }
}

impl<R: RawRwLock, T: ?Sized> Guard for lock_api::RwLockWriteGuard<'_, R, T> {
    fn lock(&self) -> usize {
        // SAFETY: as above.
        address(unsafe { Self::rwlock(self).raw() })
    }
}

/// The most common of all is as short as can be: cells are seldom optimised.
impl<T: ?Sized> Taken<'_, LockResult<MutexGuard<'_, T>>> {
    /// Notes that the lock is taken.
    #[inline(always)]
    pub fn note(&self, site: u32) {
        match self.0 {
            Ok(guard) => took_mutex(guard as *const MutexGuard<'_, T> as *const usize, site),
            Err(poisoned) => poisoned.get_ref().note_poisoned(site),
        }
    }
}

/// Implements `note` for results with a guard.
macro_rules! notes {
    ($([$($generics:tt)*] $guard:ty;)*) => { $(
        impl<$($generics)*> Taken<'_, TryLockResult<$guard>> {
            /// Notes that the lock is taken, if it is.
            pub fn note(&self, site: u32) {
                match self.0 {
                    Ok(guard) => guard.note(site),
                    Err(TryLockError::Poisoned(poisoned)) => {
                        poisoned.get_ref().note_poisoned(site);
                    }
                    Err(TryLockError::WouldBlock) => {}
                }
            }
        }
    )* };
}

notes! {
    [T: ?Sized] MutexGuard<'_, T>;
    [T: ?Sized] RwLockReadGuard<'_, T>;
    [T: ?Sized] RwLockWriteGuard<'_, T>;
}

/// The same for those that wait.
macro_rules! waiting_notes {
    ($($result:ty, $value:ident => $guard:expr;)*) => { $(
        impl<T: ?Sized> Taken<'_, LockResult<$result>> {
            /// Notes that the lock is taken.
            pub fn note(&self, site: u32) {
                match self.0 {
                    Ok($value) => $guard.note(site),
                    Err(poisoned) => {
                        let $value = poisoned.get_ref();
                        $guard.note_poisoned(site);
                    }
                }
            }
        }
    )* };
}

waiting_notes! {
    RwLockReadGuard<'_, T>, guard => guard;
    RwLockWriteGuard<'_, T>, guard => guard;
    // Of a condition variable, which takes the lock again.
    (MutexGuard<'_, T>, WaitTimeoutResult), waited => waited.0;
}

/// The same for the locks of parking_lot, which cannot be poisoned.
macro_rules! plain_notes {
    ($($raw:ident, $guard:ident;)*) => { $(
        impl<R: $raw, T: ?Sized> Taken<'_, lock_api::$guard<'_, R, T>> {
            /// Notes that the lock is taken.
            pub fn note(&self, site: u32) {
                self.0.note(site);
            }
        }

        impl<R: $raw, T: ?Sized> Taken<'_, Option<lock_api::$guard<'_, R, T>>> {
            /// Notes that the lock is taken, if it is.
            pub fn note(&self, site: u32) {
                if let Some(guard) = self.0 {
                    guard.note(site);
                }
            }
        }
    )* };
}

plain_notes! {
    RawMutex, MutexGuard;
    RawRwLock, RwLockReadGuard;
    RawRwLock, RwLockWriteGuard;
}

/// Notes which call has just taken a lock of tokio. Which lock that is, and who has it, tokio has told
/// the host (`seams/permits.rs.in` of the compiler).
fn took_permits(site: u32) {
    if let Some(host) = HOST.get() {
        // SAFETY: it takes a number, and nothing else.
        unsafe { (host.took_permits)(site) };
    }
}

/// The same for the locks of tokio. Some may have several holders, or be moved to another task.
macro_rules! permit_notes {
    ($([$($generics:tt)*] $guard:ty, $flags:expr;)*) => { $(
        impl<$($generics)*> Taken<'_, $guard> {
            /// Notes that the lock is taken.
            pub fn note(&self, site: u32) {
                took_permits(site | $flags);
            }
        }

        impl<$($generics)* E> Taken<'_, Result<$guard, E>> {
            /// Notes that the lock is taken, if it is.
            pub fn note(&self, site: u32) {
                if self.0.is_ok() {
                    took_permits(site | $flags);
                }
            }
        }
    )* };
}

permit_notes! {
    ['a, T: ?Sized,] tokio::sync::MutexGuard<'a, T>, 0;
    ['a, T: ?Sized,] tokio::sync::RwLockWriteGuard<'a, T>, 0;
    ['a, T: ?Sized,] tokio::sync::RwLockReadGuard<'a, T>, LockHolder::SHARED;
    [T: ?Sized,] tokio::sync::OwnedMutexGuard<T>, LockHolder::SHARED;
    [T: ?Sized,] tokio::sync::OwnedRwLockWriteGuard<T>, LockHolder::SHARED;
    [T: ?Sized,] tokio::sync::OwnedRwLockReadGuard<T>, LockHolder::SHARED;
    ['a,] tokio::sync::SemaphorePermit<'a>, LockHolder::SHARED;
    [] tokio::sync::OwnedSemaphorePermit, LockHolder::SHARED;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locks_of_guards_are_found() {
        assert!(are_as_expected());
        let wide: Box<RwLock<[u64]>> = Box::new(RwLock::new([7; 3]));
        assert_eq!(wide.read().unwrap().lock(), address(&*wide));
        assert_eq!(wide.write().unwrap().lock(), address(&*wide));
        let dynamic: Box<RwLock<dyn Send>> = Box::new(RwLock::new(7_u8));
        assert_eq!(dynamic.read().unwrap().lock(), address(&*dynamic));
        #[repr(align(64))]
        struct Aligned(#[allow(dead_code, reason = "its place counts")] u8);
        let aligned = RwLock::new(Aligned(1));
        assert_eq!(aligned.read().unwrap().lock(), address(&aligned));
        let other = parking_lot::Mutex::new(1_u8);
        assert_ne!(other.lock().lock(), 0);
    }

    #[test]
    fn what_is_no_guard_is_not_noted() {
        // That these lines compile is the test: each type finds a `note`.
        Taken(&1).note(1);
        Taken(&Mutex::new(1).lock()).note(1);
        Taken(&Some(parking_lot::RwLock::new(1).read())).note(1);
        Taken(&std::io::stdin().lock()).note(1);
        Taken(&tokio::sync::Semaphore::new(1).try_acquire()).note(1);
    }
}
