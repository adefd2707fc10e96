//! How many events each cell may note, and how many were lost.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed},
};

use crate::threads::NO_CELL;

/// So many events of one cell are noted. More, nobody could look at.
const MOST: u64 = 20_000;

/// So many cells are told apart; the first place is for what works for no cell.
const PLACES: usize = 64;

/// The share of one cell.
#[derive(Debug)]
struct Share {
    cell: AtomicU64,
    /// So many events it has asked to note.
    asked: AtomicU64,
    /// So many of these were not noted, and nobody was told so yet.
    lost: AtomicU64,
}

/// The shares of the latest cells.
#[derive(Debug)]
pub(super) struct Shares([Share; PLACES]);

impl Share {
    const fn new() -> Self {
        Self {
            cell: AtomicU64::new(NO_CELL),
            asked: AtomicU64::new(0),
            lost: AtomicU64::new(0),
        }
    }
}

impl Shares {
    pub(super) const fn new() -> Self {
        Self([const { Share::new() }; PLACES])
    }

    /// A cell begins, and has a share from now on. What works for no cell has a new one.
    pub(super) fn begin(&self, cell: u64) {
        let share = &self.0[index(cell)];
        // Threads of the cell that had the place before may still live.
        let lost = share.lost.swap(0, AcqRel);
        self.common().lost.fetch_add(lost, Relaxed);
        share.asked.store(0, Relaxed);
        share.cell.store(cell, Relaxed);
        self.common().asked.store(0, Relaxed);
    }

    /// Whether one more event of a cell may be noted.
    pub(super) fn ask(&self, cell: u64) -> bool {
        let share = &self.0[index(cell)];
        share.cell.load(Relaxed) == cell
            // Looked at first: once the share is used up, threads need not fight for the number.
            && share.asked.load(Relaxed) < MOST
            && share.asked.fetch_add(1, Relaxed) < MOST
    }

    /// An event of a cell is lost.
    pub(super) fn lose(&self, cell: u64) {
        let share = &self.0[index(cell)];
        let is_its_own = share.cell.load(Relaxed) == cell;
        let share = if is_its_own { share } else { self.common() };
        share.lost.fetch_add(1, Relaxed);
    }

    /// How many events of which cells were lost since this was asked last.
    pub(super) fn take_lost(&self) -> impl Iterator<Item = (u64, u64)> {
        let lost = |share: &Share| (share.cell.load(Acquire), share.lost.swap(0, AcqRel));
        self.0.iter().map(lost).filter(|(_, lost)| *lost > 0)
    }

    fn common(&self) -> &Share {
        &self.0[index(NO_CELL)]
    }
}

/// Cells are counted: only one that began many cells later has the same place.
fn index(cell: u64) -> usize {
    match cell {
        NO_CELL => 0,
        cell => 1 + (cell % (PLACES as u64 - 1)) as usize,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn lost(shares: &Shares) -> Vec<(u64, u64)> {
        shares.take_lost().collect()
    }

    #[test]
    fn what_is_beyond_the_share_is_counted_exactly() {
        const THREADS: u64 = 4;
        const EACH: u64 = MOST / 2 + 7;
        static SHARES: Shares = Shares::new();
        SHARES.begin(3);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        if !SHARES.ask(3) {
                            SHARES.lose(3);
                        }
                    }
                });
            }
        });
        assert_eq!(lost(&SHARES), [(3, THREADS * EACH - MOST)]);
        assert_eq!(lost(&SHARES), []);
    }

    #[test]
    fn a_cell_has_a_share_of_its_own_and_one_that_is_long_over_has_none() {
        let shares = Shares::new();
        for cell in 1..=PLACES as u64 {
            shares.begin(cell);
            assert!(shares.ask(cell));
        }
        assert!(!shares.ask(1), "cell 64 has its place");
        assert!(shares.ask(2));
        shares.lose(1);
        shares.lose(2);
        assert_eq!(lost(&shares), [(0, 1), (2, 1)]);
    }

    #[test]
    fn what_works_for_no_cell_has_a_share_for_each_cell() {
        let shares = Shares::new();
        while shares.ask(NO_CELL) {}
        shares.begin(1);
        assert!(shares.ask(NO_CELL));
    }
}
