//! Who has taken which lock, as the code of cells notes it.
//!
//! A futex does not tell who holds it. But each call in a cell that takes a lock is followed by a note
//! (`interleave-compiler`, `sites`): the lock, the thread, and the number of the call. The newest one
//! of a lock that is held *now* names the holder, if all who take it do so in cells. That a lock is
//! held now is certain when somebody waits for it; nothing is noted when it is given back.
//!
//! The table has a place for each lock by its address, and no more: of two locks that share one the
//! older note is lost. A note is two relaxed stores.

use std::sync::{
    Mutex, PoisonError,
    atomic::{
        AtomicBool, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use interleave_protocol::{HostEvent, LockHolder, TookPoisoned};

use super::{describing, registry};
use crate::link;

/// So many locks have a place.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 16;
/// An address of user space has 48 bits; locks of parking_lot may lie in neighbouring bytes.
const ADDRESS_BITS: u32 = 48;
/// Odd, so that to multiply by it loses nothing: no two addresses have the same place and tag.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Sixteen bytes, which never lie in two lines of the cache.
#[repr(align(16))]
struct Place {
    /// The tag above, the site below.
    what: AtomicU64,
    /// The thread or the task above; below what must fit to the rest, so that a note of which half is
    /// another's is none.
    who: AtomicU64,
}

static TABLE: [Place; PLACES] = [const {
    Place {
        what: AtomicU64::new(0),
        who: AtomicU64::new(0),
    }
}; PLACES];

/// A lock that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// The thread's number, the lower half of it; of a task, see [`permits`](super::permits).
    pub(super) who: u32,
    /// The call in a cell.
    pub(super) site: u32,
}

/// Who has taken the lock at this address last.
pub(super) fn taken(lock: u64) -> Option<Taken> {
    let (index, tag) = place_of(lock as usize);
    let place = &TABLE[index];
    let what = place.what.load(Relaxed);
    let who = place.who.load(Relaxed);
    let (check_word, who, site) = (who as u32, (who >> 32) as u32, what as u32);
    let fits = (what >> 32) as u32 == tag && check_word == check(tag, site);
    (fits && what != 0).then_some(Taken { who, site })
}

/// Whether others may have taken the lock at the same time, to read. The prelude sets this bit.
pub(super) fn is_shared(site: u32) -> bool {
    site & LockHolder::SHARED != 0
}

/// Whether locks may have been taken without a note, so that the newest one may be out of date.
static SOME_ARE_MISSING: AtomicBool = AtomicBool::new(false);

/// See [`SOME_ARE_MISSING`].
pub(super) fn some_are_missing() -> bool {
    SOME_ARE_MISSING.load(Relaxed)
}

/// For the prelude: a cell takes locks where nothing can be noted.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_takes_locks_unseen() {
    SOME_ARE_MISSING.store(true, Relaxed);
}

/// For parking_lot as the notebook compiles it: the calling thread is about to wait for this lock.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_parks_at(lock: usize) {
    if let Some(slot) = registry::current() {
        slot.parks_at.store(lock, Relaxed);
    }
}

fn note(lock: usize, site: u32) {
    let Some(slot) = registry::current() else {
        return;
    };
    let index = write(lock, slot.number.load(Relaxed), site);
    slot.taken[index % slot.taken.len()].store(lock, Relaxed);
}

/// Notes who has taken a lock; of a number the lower half. Returns the lock's place.
pub(super) fn write(lock: usize, who: u64, site: u32) -> usize {
    let (index, tag) = place_of(lock);
    let place = &TABLE[index];
    place
        .what
        .store(u64::from(tag) << 32 | u64::from(site), Relaxed);
    place
        .who
        .store(who << 32 | u64::from(check(tag, site)), Relaxed);
    index
}

/// Nobody has the lock.
pub(super) fn clear(lock: usize) {
    TABLE[place_of(lock).0].what.store(0, Relaxed);
}

/// The calling thread enters a coroutine: what it has taken before is not that one's.
pub(crate) fn enter_coroutine() {
    if let Some(slot) = registry::current() {
        slot.taken.iter().for_each(|taken| taken.store(0, Relaxed));
    }
}

/// A lock that the calling thread has taken since it entered the coroutine that it leaves now, and has
/// not given back; and the call that took it.
pub(crate) fn kept_by_coroutine() -> Option<(u64, u32)> {
    let slot = registry::current()?;
    slot.taken.iter().find_map(|lock| {
        let lock = lock.swap(0, Relaxed) as u64;
        let taken = taken(lock).filter(|_| lock != 0)?;
        let is_own = taken.who == slot.number.load(Relaxed) as u32 && !is_shared(taken.site);
        (is_own && is_held(lock)).then_some((lock, taken.site))
    })
}

/// Whether one of std's locks is held, of which it is only known that there was one lately. Where it was
/// there may be something else now, or nothing.
fn is_held(lock: u64) -> bool {
    /// Below the frames that are in use there are remains of those that were: not farther than this.
    const STACK: u64 = 16 << 20;
    /// Of a lock for readers and writers that is held to write, all these bits are set.
    const WRITTEN: u32 = (1 << 30) - 1;
    let word = 0_u32;
    let here = (&raw const word).addr() as u64;
    if (here.saturating_sub(STACK)..here).contains(&lock) {
        return false;
    }
    let mut word = word;
    let to = libc::iovec {
        iov_base: (&raw mut word).cast(),
        iov_len: size_of::<u32>(),
    };
    let from = libc::iovec {
        iov_base: std::ptr::with_exposed_provenance_mut(lock as usize),
        iov_len: size_of::<u32>(),
    };
    // SAFETY: `word` is writable for as long as both structures say. The system reads the other address,
    // and fails where nothing is mapped.
    let read =
        unsafe { libc::process_vm_readv(libc::getpid(), &raw const to, 1, &raw const from, 1, 0) };
    read == 4 && (matches!(word, 1 | 2) || word & WRITTEN == WRITTEN)
}

fn place_of(lock: usize) -> (usize, u32) {
    const MASK: u64 = (1 << ADDRESS_BITS) - 1;
    let spread = (lock as u64).wrapping_mul(SPREAD) & MASK;
    ((spread >> 32) as usize, spread as u32)
}

fn check(tag: u32, site: u32) -> u32 {
    tag.rotate_left(7) ^ site
}

/// For the prelude: the calling thread has taken a lock.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_took_lock(lock: usize, site: u32) {
    note(lock, site);
}

/// For the prelude: the same of a lock that a panic has poisoned. Whoever had it before is to blame,
/// unless it was poisoned by then.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_took_poisoned_lock(lock: usize, site: u32) {
    let before = taken(lock as u64).filter(|before| before.site & LockHolder::POISONED == 0);
    note(lock, site | LockHolder::POISONED);
    let mut culprits = CULPRITS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(before) = before {
        culprits.retain(|(other, _)| *other != lock);
        if culprits.len() == MOST_CULPRITS {
            culprits.remove(0);
        }
        culprits.push((lock, before));
    }
    let culprit = culprits.iter().find(|(other, _)| *other == lock);
    let culprit = culprit.map(|(_, culprit)| *culprit);
    drop(culprits);
    let Some(slot) = registry::current() else {
        return;
    };
    // A program that takes such a lock again and again says so once.
    if let Some(culprit) = culprit
        && slot.poisoned_lock.swap(lock, Relaxed) != lock
    {
        link::send(&HostEvent::TookPoisoned(TookPoisoned {
            thread: slot.name(),
            site,
            culprit: describing::describe_holder(culprit),
        }));
    }
}

/// So many locks that were poisoned are remembered.
const MOST_CULPRITS: usize = 64;
/// Who had a lock when it was poisoned.
static CULPRITS: Mutex<Vec<(usize, Taken)>> = Mutex::new(Vec::new());

/// So many threads that have ended are remembered, the newest ones.
const ENDED: usize = 256;
static NAMES: [(AtomicU64, [AtomicU64; 2]); ENDED] =
    [const { (AtomicU64::new(0), [const { AtomicU64::new(0) }; 2]) }; ENDED];

/// The calling thread ends; it had this number and name.
pub(super) fn ends(number: u64, name: [u64; 2]) {
    let (owner, words) = &NAMES[number as usize % ENDED];
    owner.store(0, Relaxed);
    for (word, value) in words.iter().zip(name) {
        word.store(value, Relaxed);
    }
    owner.store(number, Release);
}

/// The name of a thread that has ended, if it had one and is remembered.
pub(super) fn name_of_ended(number: u64) -> Option<String> {
    let (owner, words) = &NAMES[number as usize % ENDED];
    let is_it = owner.load(Acquire) == number;
    let name = words.each_ref().map(|word| word.load(Relaxed));
    let is_still_it = owner.load(Relaxed) == number;
    (is_it && is_still_it)
        .then(|| registry::text(name))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_note_of_a_lock_counts() {
        let index = write(0x7fff_1234_5670, 5, 9);
        let noted = Some(Taken { who: 5, site: 9 });
        assert_eq!(taken(0x7fff_1234_5670), noted);
        assert_eq!(taken(0x7fff_1234_5674), None);
        // The smallest of parking_lot's have a byte each.
        write(0x7fff_1234_5671, 8, 11);
        assert_eq!(taken(0x7fff_1234_5670), noted);
        // Half a note of another lock.
        TABLE[index].what.store(77, Relaxed);
        assert_eq!(taken(0x7fff_1234_5670), None);
        write(0x7fff_1234_5670, 6, 10);
        assert_eq!(taken(0x7fff_1234_5670), Some(Taken { who: 6, site: 10 }));
        assert_eq!(taken(0x5555_0000_0000), None);
    }

    #[test]
    fn a_thread_that_has_ended_has_its_name_until_others_have() {
        ends(7, [u64::from_le_bytes(*b"left\0\0\0\0"), 0]);
        assert_eq!(name_of_ended(7).as_deref(), Some("left"));
        assert_eq!(name_of_ended(7 + ENDED as u64), None);
    }
}
