//! The thread that runs the cells, one after the other.
//!
//! It is not the first thread of the process, which carries on evcxr's protocol: so a cell that
//! never ends can be given up, and the next ones get a new thread.

use std::{
    ffi::{CString, OsStr, c_void},
    io,
    sync::{
        Condvar, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use interleave_protocol::{HostEvent, Interrupted};

use super::{LOAD_AND_RUN, flush, go_on_after, library::Library, stopwatch::Stopwatch};
use crate::{
    fork, link, observe,
    snapshot::{self, Life, Snapshot},
    stop, tasks, threads, trace,
};

/// What evcxr generates for a cell: takes the variables of the cells before, and returns them.
type CellFunction = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// evcxr 0.22 `eval_context.rs`: the cell has failed, so its new variables are not kept.
const PANICKED: &str = "EVCXR_PANIC_NOTIFICATION";

type Body = unsafe extern "C" fn();
type GiveUp = unsafe extern "C" fn(*mut c_void);
type StartThread = unsafe extern "C" fn(Body) -> bool;
type Call = unsafe extern "C" fn(CellFunction, *mut c_void) -> *mut c_void;

/// Calls a cell, and catches what its last destructors say: only the cells' own libstd can.
static CALL: OnceLock<Call> = OnceLock::new();

/// What a cell returned for the next one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variables(*mut c_void);

impl Variables {
    /// Before the first cell.
    pub(super) fn none() -> Self {
        Self(std::ptr::null_mut())
    }
}

// SAFETY: one thread at a time has the variables: the one that runs a cell, or the one that waits
// for its end.
unsafe impl Send for Variables {}

/// A cell to run.
pub(super) struct Cell {
    /// Counts the cells that this process runs, from 1.
    pub(super) number: u64,
    /// evcxr's line.
    pub(super) instruction: String,
    /// What the previous cell returned.
    pub(super) variables: Variables,
}

/// What the prelude does for this module.
struct Prelude {
    start_thread: StartThread,
    /// Names the variables that a cell has taken with it.
    give_up: GiveUp,
}

static PRELUDE: OnceLock<Prelude> = OnceLock::new();

/// Starts the thread.
pub(super) fn start(prelude: &Library) -> io::Result<()> {
    let functions = Prelude {
        start_thread: prelude.function(c"interleave_prelude_start_cell_thread")?,
        give_up: prelude.function(c"interleave_prelude_give_up_variables")?,
    };
    if CALL
        .set(prelude.function(c"interleave_prelude_call_cell")?)
        .is_err()
    {
        return Err(io::Error::other("the cells were started twice"));
    }
    PRELUDE.get_or_init(|| functions).start_thread()
}

impl Prelude {
    fn start_thread(&self) -> io::Result<()> {
        // SAFETY: the prelude defines the function with this signature.
        if unsafe { (self.start_thread)(serve) } {
            Ok(())
        } else {
            Err(io::Error::other("the system has no thread for the cells"))
        }
    }

    /// A cell was left behind: does what its thread would have done at its end.
    fn go_on_without(&self, cell: u64, variables: Variables) -> io::Result<()> {
        self.start_thread()?;
        threads::enter_cell(cell);
        flush();
        // SAFETY: the prelude defines it with this signature. The thread that was left behind had
        // the variables, and never runs again.
        unsafe { (self.give_up)(variables.0) };
        tasks::forget_loop();
        trace::tell();
        threads::leave_cell();
        link::tell_evcxr(PANICKED);
        Ok(())
    }
}

/// Runs a cell until it is over. Returns the variables for the next one.
pub(super) fn run(cell: Cell) -> io::Result<Variables> {
    let Cell {
        number, variables, ..
    } = cell;
    stop::begin(number);
    Desk::put(Desk::Given(cell));
    let ended = Desk::wait_for_end();
    let interrupted = stop::end();
    if ended.is_none() {
        let prelude = PRELUDE.get().ok_or(io::ErrorKind::NotConnected)?;
        prelude.go_on_without(number, variables)?;
    }
    if let Some(how) = interrupted {
        link::send(&HostEvent::Interrupted(Interrupted {
            left_behind: ended.is_none(),
            ..how
        }));
    }
    ended.unwrap_or(Ok(variables))
}

/// For [`stop`]: the cell that runs never comes to its end.
pub(crate) fn leave_behind() {
    Desk::put(Desk::Left);
}

/// For [`tasks`]: the thread of the cells is to look at its event loop, when no cell runs.
pub(crate) fn tidy_up() {
    let _desk = Desk::lock();
    IS_UNTIDY.store(true, Ordering::Relaxed);
    CHANGED.notify_all();
}

/// Whether there is something to drop in the event loop of the thread of the cells.
static IS_UNTIDY: AtomicBool = AtomicBool::new(false);

/// Where the thread of the protocol and the thread of the cells meet.
enum Desk {
    Empty,
    Given(Cell),
    Running,
    Done(io::Result<Variables>),
    /// The thread of the cells has the cell, for ever.
    Left,
}

static DESK: Mutex<Desk> = Mutex::new(Desk::Empty);
static CHANGED: Condvar = Condvar::new();

impl Desk {
    /// While the thread of the cells holds this between `Given` and `Done`, the other one waits for
    /// it and holds nothing.
    fn lock() -> MutexGuard<'static, Self> {
        DESK.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(desk: MutexGuard<'static, Self>) -> MutexGuard<'static, Self> {
        CHANGED.wait(desk).unwrap_or_else(PoisonError::into_inner)
    }

    fn put(desk: Self) {
        *Self::lock() = desk;
        CHANGED.notify_all();
    }

    /// Waits until the cell is over. Returns how it ended; `None` if it was left behind.
    fn wait_for_end() -> Option<io::Result<Variables>> {
        let mut desk = Self::lock();
        loop {
            match std::mem::replace(&mut *desk, Self::Empty) {
                Self::Done(result) => return Some(result),
                Self::Left => return None,
                other => *desk = other,
            }
            desk = Self::wait(desk);
        }
    }

    /// Waits for a cell.
    fn take() -> Cell {
        let mut desk = Self::lock();
        loop {
            match std::mem::replace(&mut *desk, Self::Running) {
                Self::Given(cell) => return cell,
                other => *desk = other,
            }
            if IS_UNTIDY.swap(false, Ordering::Relaxed) {
                drop(desk);
                tasks::tidy_loop();
                desk = Self::lock();
                continue;
            }
            desk = Self::wait(desk);
        }
    }
}

/// The life of the thread of the cells.
unsafe extern "C" fn serve() {
    observe::run_cells_here();
    loop {
        let cell = Desk::take();
        match snapshot::take(cell.number, Desk::lock) {
            Life::Original(snapshot) => {
                stop::may_leave_behind(snapshot.is_none());
                let result = load_and_run(&cell, snapshot);
                Desk::put(Desk::Done(result));
            }
            Life::Successor => {
                if go_on_after(cell.number, cell.variables).is_err() {
                    snapshot::end();
                }
            }
        }
    }
}

fn load_and_run(cell: &Cell, snapshot: Option<Snapshot>) -> io::Result<Variables> {
    threads::enter_cell(cell.number);
    let function = match load(cell.number, &cell.instruction) {
        Ok(function) => function,
        Err(error) => {
            // evcxr waits for an answer and there is none: this process ends.
            let reason = error.to_string();
            link::send(&HostEvent::CannotLoad { reason });
            std::mem::forget(snapshot);
            return Err(error);
        }
    };
    let call = CALL.get().ok_or(io::ErrorKind::NotConnected)?;
    link::send(&HostEvent::CellStarted);
    trace::cell_began(cell.number);
    let stopwatch = Stopwatch::start();
    // SAFETY: evcxr generated the function with this signature, and `variables` is what the
    // previous cell returned, or null before the first.
    let variables = unsafe { call(function, cell.variables.0) };
    let times = stopwatch.read();
    trace::cell_ended();
    link::send(&HostEvent::CellEnded(times));
    flush();
    fork::end_copy();
    if !stop::is_marked(cell.number) {
        observe::tell_what_is_left(cell.number);
    }
    trace::tell();
    threads::leave_cell();
    // Before evcxr learns of the end: from then on nothing may happen to the cell any more.
    drop(snapshot);
    Ok(Variables(variables))
}

fn load(number: u64, instruction: &str) -> io::Result<CellFunction> {
    let (path, function) = instruction
        .strip_prefix(LOAD_AND_RUN)
        .and_then(|rest| rest.rsplit_once(' '))
        .ok_or_else(|| io::Error::other(format!("unknown instruction: {instruction}")))?;
    let function: CellFunction =
        Library::open(OsStr::new(path))?.function(&CString::new(function)?)?;
    stop::code::belongs_to(number, function as *const c_void);
    Ok(function)
}
