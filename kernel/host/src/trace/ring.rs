//! A bounded queue of records that many threads fill and one empties.
//!
//! Who fills it neither allocates nor waits: it claims the next slot, writes, and marks the slot as
//! whole. When all slots are taken it is told so, and writes nothing.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};

use super::record::{Record, WORDS};

/// A queue of at most `SIZE` records. All zeros is an empty one: no page of memory is touched before
/// it is used.
#[derive(Debug)]
pub(super) struct Ring<const SIZE: usize> {
    slots: [Slot; SIZE],
    /// So many records were claimed.
    head: AtomicU64,
    /// So many were taken out again.
    tail: AtomicU64,
}

#[derive(Debug)]
struct Slot {
    /// Twice the number of times that it was emptied; one more while a whole record is in it.
    state: AtomicU64,
    words: [AtomicU64; WORDS],
}

/// The right to write one record. Dropped without one, the place in the queue stays empty.
#[derive(Debug)]
#[must_use]
pub(super) struct Claim<'a> {
    slot: &'a Slot,
    whole: u64,
    is_written: bool,
}

impl<const SIZE: usize> Ring<SIZE> {
    pub(super) const fn new() -> Self {
        Self {
            slots: [const { Slot::new() }; SIZE],
            head: AtomicU64::new(0),
            tail: AtomicU64::new(0),
        }
    }

    /// Takes the next place in the queue; `None` when it is full.
    pub(super) fn claim(&self) -> Option<Claim<'_>> {
        let mut position = self.head.load(Relaxed);
        loop {
            let (slot, round) = self.place(position);
            let state = slot.state.load(Acquire);
            if state < round {
                // What was written here a whole round ago is still to be taken out.
                return None;
            }
            let next = position + 1;
            // A later state means that another thread was faster.
            if state == round
                && self
                    .head
                    .compare_exchange_weak(position, next, SeqCst, Relaxed)
                    .is_ok()
            {
                return Some(Claim {
                    slot,
                    whole: round + 1,
                    is_written: false,
                });
            }
            position = self.head.load(Relaxed);
        }
    }

    /// Takes out the next record, if it is whole. To be called by one thread at a time.
    pub(super) fn take(&self) -> Option<Record> {
        let position = self.tail.load(Relaxed);
        let (slot, round) = self.place(position);
        if slot.state.load(Acquire) != round + 1 {
            return None;
        }
        let record = Record(slot.words.each_ref().map(|word| word.load(Relaxed)));
        slot.state.store(round + 2, Release);
        self.tail.store(position + 1, SeqCst);
        Some(record)
    }

    /// How many records were claimed in all, by now.
    pub(super) fn claimed(&self) -> u64 {
        self.head.load(SeqCst)
    }

    /// How many were taken out.
    pub(super) fn taken(&self) -> u64 {
        self.tail.load(SeqCst)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.claimed() == self.taken()
    }

    /// Throws away what is in the queue. No other thread may use it meanwhile.
    pub(super) fn clear(&self) {
        let end = self.claimed();
        for position in self.taken()..end {
            let (slot, round) = self.place(position);
            slot.state.store(round + 2, Release);
        }
        self.tail.store(end, SeqCst);
    }

    /// The slot of a position, and the state in which it is free for that.
    fn place(&self, position: u64) -> (&Slot, u64) {
        let size = SIZE as u64;
        (&self.slots[(position % size) as usize], position / size * 2)
    }
}

impl Slot {
    const fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            words: [const { AtomicU64::new(0) }; WORDS],
        }
    }
}

impl Claim<'_> {
    /// Writes the record, which can be taken out from now on.
    pub(super) fn write(mut self, record: &Record) {
        self.put(record);
        self.is_written = true;
    }

    fn put(&self, record: &Record) {
        for (word, value) in self.slot.words.iter().zip(record.0) {
            word.store(value, Relaxed);
        }
        self.slot.state.store(self.whole, Release);
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.is_written {
            self.put(&Record::NOTHING);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, AtomicU64},
        thread,
    };

    use super::*;

    fn record(thread: u64, count: u64) -> Record {
        // Each word tells the whole: a torn record has words that disagree.
        Record([thread << 32 | count; WORDS])
    }

    #[test]
    fn what_comes_out_is_whole_and_in_each_threads_order_and_the_rest_is_refused() {
        const THREADS: u64 = 8;
        const EACH: u64 = 20_000;
        static RING: Ring<256> = Ring::new();
        let (refused, are_done) = (AtomicU64::new(0), AtomicBool::new(false));
        let (mut last, mut taken) = ([None; THREADS as usize], 0);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..THREADS)
                .map(|number| {
                    let refused = &refused;
                    scope.spawn(move || {
                        for count in 0..EACH {
                            match RING.claim() {
                                Some(claim) => claim.write(&record(number, count)),
                                None => _ = refused.fetch_add(1, Relaxed),
                            }
                        }
                    })
                })
                .collect();
            let waiter = scope.spawn(|| {
                writers
                    .into_iter()
                    .for_each(|writer| writer.join().unwrap());
                are_done.store(true, SeqCst);
            });
            loop {
                let is_last_look = are_done.load(SeqCst);
                while let Some(Record(words)) = RING.take() {
                    assert!(words.iter().all(|word| *word == words[0]), "{words:?}");
                    let (thread, count) = (words[0] >> 32, words[0] & 0xffff_ffff);
                    let before = last[thread as usize].replace(count);
                    assert!(before < Some(count), "thread {thread}");
                    taken += 1;
                }
                if is_last_look {
                    break;
                }
                thread::yield_now();
            }
            waiter.join().unwrap();
        });
        assert_eq!(taken + refused.load(SeqCst), THREADS * EACH);
        assert_eq!(RING.claimed(), RING.taken());
    }

    #[test]
    fn a_full_queue_takes_nothing_until_something_is_taken_out() {
        let ring: Box<Ring<4>> = Box::new(Ring::new());
        for count in 0..4 {
            ring.claim().unwrap().write(&record(1, count));
        }
        assert!(ring.claim().is_none());
        assert_eq!(ring.take(), Some(record(1, 0)));
        ring.claim().unwrap().write(&record(1, 4));
        assert!(ring.claim().is_none());
        let rest: Vec<_> = std::iter::from_fn(|| ring.take()).collect();
        assert_eq!(rest, [1, 2, 3, 4].map(|count| record(1, count)));
        assert!(ring.is_empty());
    }

    #[test]
    fn what_is_claimed_keeps_its_place() {
        let ring: Box<Ring<4>> = Box::new(Ring::new());
        let (first, second) = (ring.claim().unwrap(), ring.claim().unwrap());
        ring.claim().unwrap().write(&record(1, 3));
        assert_eq!(ring.take(), None);
        drop(first);
        second.write(&record(1, 2));
        let all: Vec<_> = std::iter::from_fn(|| ring.take()).collect();
        assert_eq!(all, [Record::NOTHING, record(1, 2), record(1, 3)]);
    }

    #[test]
    fn what_is_cleared_is_gone() {
        let ring: Box<Ring<4>> = Box::new(Ring::new());
        for count in 0..3 {
            ring.claim().unwrap().write(&record(1, count));
        }
        ring.clear();
        assert!(ring.is_empty());
        for count in 0..4 {
            ring.claim().unwrap().write(&record(2, count));
        }
        assert_eq!(ring.take(), Some(record(2, 0)));
    }
}
