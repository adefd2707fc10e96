//! What a cell leaves running.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use interleave_protocol::{HostEvent, Thread, ThreadKind};

use super::{reading, registry};
use crate::{link, tasks};

/// So long a thread may take for its last steps: one that a cell has received a result from, or whose
/// scope it has left, is often still on its way out. One that waits is not. So with tasks.
const LAST_STEPS: Duration = Duration::from_millis(20);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(1);

/// Tells the kernel which threads and tasks of the cell still live. Called at its end, on its thread.
pub(crate) fn tell_what_is_left(cell: u64) {
    let end = Instant::now() + LAST_STEPS;
    while is_one_about_to_end(cell) && Instant::now() < end {
        std::thread::sleep(PAUSE);
    }
    let tasks = tasks::count(cell).living;
    if tasks == 0 && !is_any_left(cell) {
        return;
    }
    let (threads, _) = reading::threads();
    let is_left = |thread: &Thread| thread.cell == cell && thread.kind == ThreadKind::Student;
    let threads: Vec<Thread> = threads
        .into_iter()
        .filter(is_left)
        .map(without_places)
        .collect();
    if tasks > 0 || !threads.is_empty() {
        link::send(&HostEvent::Left { threads, tasks });
    }
}

fn is_any_left(cell: u64) -> bool {
    let (mut living, _) = registry::living();
    living.any(|slot| slot.cell.load(Relaxed) == cell)
}

fn is_one_about_to_end(cell: u64) -> bool {
    let (mut living, _) = registry::living();
    living.any(|slot| slot.cell.load(Relaxed) == cell && !slot.waiting.is_set())
        || tasks::count(cell).moving > 0
}

/// A notice says who is left, not where.
fn without_places(thread: Thread) -> Thread {
    Thread {
        birth: Vec::new(),
        at: Vec::new(),
        ..thread
    }
}
