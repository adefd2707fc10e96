//! Stops a running cell, and the threads and tasks that it started.
//!
//! A ladder, from soft to hard; each step is sound by itself.
//!
//! 1. **Ask.** The cell is marked. Its threads see the mark at the next checkpoint, which the
//!    compiler wrote into the cell and the prelude has in its own waits, and unwind from there. A
//!    thread that waits is woken by a signal: sleeps and condition variables return early, which
//!    they may do at any time; reading and the like fail. What else waits goes on waiting: to unwind
//!    out of a function of libc would be unsound, since its callers were compiled in the belief
//!    that it returns. Its tasks are aborted, as tokio does it: dropped where they wait.
//! 2. **Leave behind.** What has not obeyed after [`ASKING`] is kept from ever running again. A
//!    thread that the system never schedules again is something that any program must be right
//!    with, so that nothing becomes unsound; see [`fate`] for what else there is to it.
//!    If a copy of the process waits to take its place, this step is left out.
//! 3. What cannot be left behind either is up to the kernel, which replaces this process.
//!
//! A mark belongs to one run of a cell, whose number is never used again. So a thread that is late
//! is stopped whenever it comes, and the threads of other cells never are.

use std::{
    io,
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use interleave_protocol::{CodeAddress, Interrupted};

use crate::{
    cells, input,
    observe::{self, CellThread},
    tasks, threads,
};

pub(crate) mod code;
pub(crate) mod fate;

/// So long the threads of a cell may take to obey.
const ASKING: Duration = Duration::from_millis(500);
/// So long the task of another cell may go on, and a task that was aborted may take to end.
const BEING_POLITE: Duration = Duration::from_millis(100);
/// After this time nothing more is tried.
const GIVING_UP: Duration = Duration::from_millis(2000);
/// Between two looks at the threads. It doubles from the first to the last.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(16)];

/// So many cells may have threads that are late at the same time.
const MOST: usize = 64;
/// The cells that are to stop; 0 for none.
static MARKED: [AtomicU64; MOST] = [const { AtomicU64::new(0) }; MOST];

/// Whether the cell may be left behind: not if a copy of the process waits for its end, with which
/// the kernel loses less.
static MAY_LEAVE: AtomicBool = AtomicBool::new(true);

/// Whether the thread of the cells is to stop, whomever it works for.
static IS_URGENT: AtomicBool = AtomicBool::new(false);

/// The prelude's number that makes checkpoints ask [`is_wanted`].
static FLAG: AtomicPtr<AtomicU32> = AtomicPtr::new(std::ptr::null_mut());

/// The cell that runs, or ran last.
struct Current {
    /// 0 when none does.
    cell: u64,
    /// Whether it was interrupted.
    is_interrupted: bool,
    /// Whether the ladder still works on it.
    is_being_stopped: bool,
    /// Where it was then.
    at: Vec<CodeAddress>,
}

static CURRENT: Mutex<Current> = Mutex::new(Current {
    cell: 0,
    is_interrupted: false,
    is_being_stopped: false,
    at: Vec::new(),
});
static CHANGED: Condvar = Condvar::new();

/// Prepares for interrupts. `flag` is the prelude's.
pub(crate) fn prepare(flag: &'static AtomicU32) -> io::Result<()> {
    FLAG.store(std::ptr::from_ref(flag).cast_mut(), Ordering::Release);
    fate::listen()
}

/// A cell begins to run.
pub(crate) fn begin(cell: u64) {
    forget_finished();
    *lock() = Current {
        cell,
        is_interrupted: false,
        is_being_stopped: false,
        at: Vec::new(),
    };
}

/// Whether the cell that begins may be left behind.
pub(crate) fn may_leave_behind(may: bool) {
    MAY_LEAVE.store(may, Ordering::Relaxed);
}

/// The cell is over, or was left behind. When it was interrupted: waits until its threads are over,
/// too, and says how that went.
pub(crate) fn end() -> Option<Interrupted> {
    let mut current = lock();
    current.cell = 0;
    while current.is_being_stopped {
        current = CHANGED
            .wait(current)
            .unwrap_or_else(PoisonError::into_inner);
    }
    current.is_interrupted.then(|| Interrupted {
        at: std::mem::take(&mut current.at),
        left_behind: false,
    })
}

/// Stops a cell, if it is the one that runs.
pub(crate) fn interrupt(cell: u64) {
    let mut current = lock();
    if current.cell != cell || cell == 0 || current.is_interrupted {
        return;
    }
    current.is_interrupted = true;
    current.is_being_stopped = true;
    drop(current);
    let ladder = std::thread::Builder::new().name("interleave-stop".into());
    if ladder.spawn(move || climb(cell)).is_err() {
        // No thread can be had: then the one that reads the kernel's requests has to do.
        climb(cell);
    }
}

/// Whether the calling thread is to stop.
///
/// A thread that works for one cell is to stop with that cell. One of a pool works for all: it is to
/// stop what it does for that cell, which is known by the code that it is in. The thread of the cells
/// may be in a task that an earlier cell has left on its event loop: that is stopped only if it does
/// not come to an `.await` soon.
pub(crate) fn is_wanted() -> bool {
    if observe::is_marked_itself() || tasks::is_marked_here() {
        return true;
    }
    if !is_any_marked() {
        return false;
    }
    match threads::cell() {
        threads::NO_CELL => code::innermost_cell().is_some_and(is_marked),
        cell => is_marked(cell) || IS_URGENT.load(Ordering::Relaxed) && observe::runs_cells_here(),
    }
}

/// For the prelude: whether the calling thread is to stop.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_is_to_stop() -> bool {
    is_wanted() && !observe::is_at_its_end()
}

/// For the prelude: the calling thread is in the future that the cell awaits.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_note_await() {
    observe::awaits_at(&code::callers_in_cells(DEPTH));
}

/// Notes where the calling thread was when a call of the system was cut short.
pub(crate) fn note_place() {
    observe::found_at(|| code::callers_in_cells(DEPTH));
}

/// So many callers are told to the kernel, which takes the first that is on a line of a cell.
const DEPTH: usize = 16;

/// Stops single threads, by their numbers in the registry, and tasks. They are woken for
/// a while; what goes on then stops when it comes to a checkpoint.
pub(crate) fn stop_single(threads: &[u64], tasks: &[u64], in_loops: &[u64]) {
    observe::mark_threads(threads);
    tasks::stop(tasks, in_loops);
    show_flag();
    let waker = std::thread::Builder::new().name("interleave-stop".into());
    // Without the thread they stop at their next checkpoint.
    let _ = waker.spawn(wake_marked);
}

fn wake_marked() {
    let start = Instant::now();
    let [mut pause, longest] = PAUSES;
    while observe::wake_marked_threads() + tasks::wake_marked() > 0 && start.elapsed() < ASKING {
        input::wake_readers();
        std::thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

fn climb(cell: u64) {
    mark(cell);
    let thread = CellThread::find();
    let mut at = thread.map_or_else(Vec::new, CellThread::waits_at);
    let start = Instant::now();
    let [shortest, longest] = PAUSES;
    let mut pause = shortest;
    let mut is_left = false;
    loop {
        input::wake_readers();
        let elapsed = start.elapsed();
        IS_URGENT.store(elapsed >= BEING_POLITE, Ordering::Relaxed);
        let is_late = elapsed >= ASKING && MAY_LEAVE.load(Ordering::Relaxed);
        let late = observe::stop_threads(cell, is_late);
        // Those of a runtime that nobody drives stay. They never run again.
        let has_tasks = tasks::stop_of(cell) > 0 && elapsed < BEING_POLITE;
        if !is_left && thread.is_some_and(CellThread::is_left) {
            is_left = true;
            cells::leave_behind();
        }
        if late == 0 && !has_tasks || elapsed >= GIVING_UP {
            break;
        }
        std::thread::sleep(pause);
        // Later it is a matter of luck in which code a signal finds a thread: often, then.
        pause = if elapsed >= ASKING {
            shortest
        } else {
            (pause * 2).min(longest)
        };
    }
    IS_URGENT.store(false, Ordering::Relaxed);
    if let Some(thread) = thread {
        // What it awaits tells more than where it waits for that.
        at.splice(..0, thread.awaits_at());
        at.extend(thread.found_at());
    }
    let mut current = lock();
    current.at = at;
    current.is_being_stopped = false;
    CHANGED.notify_all();
}

/// Whether a cell, and the threads that it started, are to stop.
pub(crate) fn is_marked(cell: u64) -> bool {
    MARKED
        .iter()
        .any(|marked| marked.load(Ordering::Relaxed) == cell)
}

fn is_any_marked() -> bool {
    MARKED
        .iter()
        .any(|marked| marked.load(Ordering::Relaxed) != 0)
}

fn mark(cell: u64) {
    // When all are taken, the mark of a cell whose threads are very late gives way.
    let free = MARKED
        .iter()
        .find(|marked| marked.load(Ordering::Relaxed) == 0);
    free.unwrap_or(&MARKED[0]).store(cell, Ordering::Relaxed);
    show_flag();
}

/// Takes the marks from the cells that have no thread left to stop.
fn forget_finished() {
    for marked in &MARKED {
        let cell = marked.load(Ordering::Relaxed);
        if cell != 0 && lock().cell != cell && !observe::has_threads(cell) {
            marked.store(0, Ordering::Relaxed);
        }
    }
    tasks::wake_marked();
    show_flag();
}

fn show_flag() {
    let is_set = is_any_marked() || observe::is_any_thread_marked() || tasks::are_marked();
    // SAFETY: null, or the prelude's number, which lives as long as the process.
    if let Some(flag) = unsafe { FLAG.load(Ordering::Acquire).as_ref() } {
        flag.store(is_set.into(), Ordering::Relaxed);
    }
}

fn lock() -> MutexGuard<'static, Current> {
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}
