//! Which channel was made where, and what a thread or a task was about to wait for, as the code of cells notes
//! it.
//!
//! As [`locks`](super::locks), these are tables with a place for each key and no more: what does not
//! fit is forgotten, and a name is missing.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use interleave_protocol::NamedWait;

use super::permits;

const PLACES: usize = 4096;

/// A key and two values. The last word must fit to the others, so that a mixture of two is none.
struct Place([AtomicU64; 4]);

impl Place {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; 4])
    }

    fn write(&self, words: [u64; 3]) {
        self.0[3].store(0, Release);
        for (place, word) in self.0.iter().zip(words) {
            place.store(word, Relaxed);
        }
        self.0[3].store(check(words), Release);
    }

    fn read(&self) -> Option<[u64; 3]> {
        let known = self.0[3].load(Acquire);
        let words = [0, 1, 2].map(|index| self.0[index].load(Acquire));
        (known != 0 && known == check(words)).then_some(words)
    }
}

fn check([first, second, third]: [u64; 3]) -> u64 {
    spread(first ^ spread(second ^ spread(third))) | 1
}

fn spread(word: u64) -> u64 {
    word.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

fn index(key: u64) -> usize {
    (spread(key) >> 7) as usize % PLACES
}

/// By address: the call that made it.
static MADE: [Place; PLACES] = [const { Place::new() }; PLACES];
/// By thread or task and call: the object, and where a number is that belongs to it.
static AWAITED: [Place; PLACES] = [const { Place::new() }; PLACES];

/// For the prelude: a call has made the channel at this address.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_made_channel(channel: usize, site: u32) {
    MADE[index(channel as u64)].write([channel as u64, u64::from(site), 0]);
}

/// For the prelude: the calling thread, or the task that it runs, is about to wait for an object.
/// `count_at` is the address of a number that belongs to it, or 0.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_awaits(site: u32, object: usize, count_at: usize) {
    if let Some(who) = permits::who() {
        let key = of(who) | u64::from(site);
        AWAITED[index(key)].write([key, object as u64, count_at as u64]);
    }
}

/// A key without the call, which is in the lower half.
fn of(who: u32) -> u64 {
    u64::from(who) << 32
}

/// What a thread or a task, as it is noted with locks, was about to wait for at each of its calls.
pub(super) fn awaited(who: u32) -> Vec<NamedWait> {
    let who = of(who);
    let noted = AWAITED.iter().filter_map(Place::read);
    let theirs = noted.filter(|[key, ..]| key >> 32 == who >> 32);
    theirs
        .map(|[key, object, count_at]| NamedWait {
            site: key as u32,
            object,
            made: MADE[index(object)]
                .read()
                .filter(|[channel, ..]| *channel == object)
                .map(|[_, site, _]| site as u32),
            count: number_at(count_at),
        })
        .collect()
}

/// Reads a number that may be gone: then this fails, and the process goes on.
fn number_at(address: u64) -> Option<u64> {
    let mut number = 0_u64;
    let here = libc::iovec {
        iov_base: (&raw mut number).cast(),
        iov_len: size_of::<u64>(),
    };
    let there = libc::iovec {
        iov_base: address as *mut libc::c_void,
        iov_len: size_of::<u64>(),
    };
    // SAFETY: Linux writes into the number, and nowhere else; what it reads may be anything.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &here, 1, &there, 1, 0) };
    (address != 0 && read == 8).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place::new();
        assert_eq!(place.read(), None);
        place.write([1, 2, 3]);
        assert_eq!(place.read(), Some([1, 2, 3]));
        place.0[1].store(7, Relaxed);
        assert_eq!(place.read(), None);
    }

    #[test]
    fn a_number_is_read_if_it_is_there() {
        let number = 77_u64;
        assert_eq!(number_at((&raw const number).addr() as u64), Some(77));
        assert_eq!(number_at(8), None);
        assert_eq!(number_at(0), None);
    }
}
