//! What a cell leaves running.

use std::{
    collections::HashMap,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use interleave_protocol::{HostEvent, Resting, Thread, ThreadKind};

use super::{
    reading,
    registry::{self, Slot},
};
use crate::{link, tasks};

/// So much processor time what goes on may take for its last steps: a thread that a cell has received
/// a result from, or whose scope it has left, is often still on its way out; and so with tasks. Not so
/// much time on the clock, which passes also for what gets no processor.
const LAST_STEPS: Duration = Duration::from_millis(20);
/// For longer a cell does not wait, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Tells the kernel which threads and tasks of the cell still live. Called at its end, on its thread.
pub(crate) fn tell_what_is_left(cell: u64) {
    let start = Instant::now();
    let mut steps = LastSteps::default();
    while steps.may_be_the_last(&movers(cell), start.elapsed()) {
        std::thread::sleep(PAUSE);
    }
    let count = tasks::count(cell);
    let (tasks, resting) = (count.living, count.resting());
    let are_tasks_left = tasks > 0 || resting != Resting::default();
    if !are_tasks_left && !is_any_left(cell) {
        return;
    }
    let (threads, _) = reading::threads();
    let is_left = |thread: &Thread| thread.cell == cell && thread.kind == ThreadKind::Student;
    let threads: Vec<Thread> = threads
        .into_iter()
        .filter(is_left)
        .map(without_places)
        .collect();
    if are_tasks_left || !threads.is_empty() {
        link::send(&HostEvent::Left {
            threads,
            tasks,
            resting,
        });
    }
}

fn is_any_left(cell: u64) -> bool {
    let (mut living, _) = registry::living();
    living.any(|slot| slot.cell.load(Relaxed) == cell)
}

/// A thread that does something, by its number, and the processor time that it has used.
type Mover = (u64, Duration);

/// What threads and tasks that go on have used since the end of their cell.
#[derive(Default)]
struct LastSteps {
    /// What each thread had used when it was first seen to go on.
    before: HashMap<u64, Duration>,
}

impl LastSteps {
    /// Whether what these threads do may still be their last steps. What only waits does not count: it is
    /// left, and that can be said at once.
    fn may_be_the_last(&mut self, movers: &[Mover], elapsed: Duration) -> bool {
        let used = movers.iter().map(|(thread, used)| {
            let before = self.before.entry(*thread).or_insert(*used);
            used.saturating_sub(*before)
        });
        let used: Duration = used.sum();
        !movers.is_empty() && used < LAST_STEPS && elapsed < PATIENCE
    }
}

/// The threads that bring on what a cell leaves: its own and, while a task of it does something or is
/// about to, all. The system knows which of them go on: what a thread has noted of itself is out of date
/// when it was woken and has had no processor since then.
fn movers(cell: u64) -> Vec<Mover> {
    let are_tasks_moving = tasks::count(cell).moving > 0;
    let (living, _) = registry::living();
    let may_move = |slot: &&'static Slot| {
        slot.cell.load(Relaxed) == cell || are_tasks_moving && is_of_program(slot)
    };
    let movers = living
        .filter(may_move)
        .filter(|slot| reading::goes_on(slot));
    movers.map(mover).collect()
}

/// Whether tasks of cells may run on the thread, which is not the one that asks.
fn is_of_program(slot: &Slot) -> bool {
    !matches!(reading::kind_of(slot), ThreadKind::Own | ThreadKind::Cells)
}

fn mover(slot: &Slot) -> Mover {
    let used = reading::cpu_time(slot.id.load(Relaxed));
    (slot.number.load(Relaxed), Duration::from_secs_f64(used))
}

/// A notice says who is left, not where.
fn without_places(thread: Thread) -> Thread {
    Thread {
        birth: Vec::new(),
        at: Vec::new(),
        ..thread
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn what_waits_is_told_at_once() {
        assert!(!LastSteps::default().may_be_the_last(&[], Duration::ZERO));
    }

    #[test]
    fn who_gets_no_processor_has_time() {
        let mut steps = LastSteps::default();
        for elapsed in [0, 20, 900] {
            assert!(steps.may_be_the_last(&[(1, used(500)), (2, used(0))], used(elapsed)));
        }
        assert!(!steps.may_be_the_last(&[(1, used(500))], PATIENCE));
    }

    #[test]
    fn who_has_had_the_processor_and_goes_on_is_left() {
        let mut steps = LastSteps::default();
        let mut look = |first, second| {
            let movers = [(1, used(first)), (2, used(second))];
            steps.may_be_the_last(&movers, used(1))
        };
        assert!(look(500, 70));
        assert!(look(510, 79), "19 ms together");
        assert!(!look(510, 80));
    }

    #[test]
    fn what_has_ended_counts_no_more_and_what_comes_later_counts_from_then() {
        let mut steps = LastSteps::default();
        assert!(steps.may_be_the_last(&[(1, used(0))], used(1)));
        assert!(steps.may_be_the_last(&[(1, used(19)), (2, used(90))], used(2)));
        assert!(steps.may_be_the_last(&[(2, used(109))], used(3)));
        assert!(!steps.may_be_the_last(&[(2, used(110))], used(4)));
    }
}
