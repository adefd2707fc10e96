//! The thread that runs the cells, one after the other.
//!
//! It is not the first thread of the process, which carries on evcxr's protocol: so a cell that
//! never ends can be given up, and the next ones get a new thread.

use std::{
    ffi::{CString, OsStr, c_void},
    io,
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
};

use interleave_protocol::HostEvent;

use super::{LOAD_AND_RUN, flush, go_on_after, library::Library, stopwatch::Stopwatch};
use crate::{
    fork, link, observe,
    snapshot::{self, Life, Snapshot},
    threads,
};

/// What evcxr generates for a cell: takes the variables of the cells before, and returns them.
type CellFunction = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

type Body = unsafe extern "C" fn();
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

/// Starts the thread.
pub(super) fn start(prelude: &Library) -> io::Result<()> {
    let start_thread: StartThread = prelude.function(c"interleave_prelude_start_cell_thread")?;
    let call = prelude.function(c"interleave_prelude_call_cell")?;
    if CALL.set(call).is_err() {
        return Err(io::Error::other("the cells were started twice"));
    }
    // SAFETY: the prelude defines the function with this signature.
    if unsafe { start_thread(serve) } {
        Ok(())
    } else {
        Err(io::Error::other("the system has no thread for the cells"))
    }
}

/// Runs a cell to its end. Returns the variables for the next one.
pub(super) fn run(cell: Cell) -> io::Result<Variables> {
    let mut desk = Desk::lock();
    *desk = Desk::Given(cell);
    CHANGED.notify_all();
    loop {
        match std::mem::replace(&mut *desk, Desk::Empty) {
            Desk::Done(result) => return result,
            other => *desk = other,
        }
        desk = Desk::wait(desk);
    }
}

/// Where the thread of the protocol and the thread of the cells meet.
enum Desk {
    Empty,
    Given(Cell),
    Running,
    Done(io::Result<Variables>),
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

    /// Waits for a cell.
    fn take() -> Cell {
        let mut desk = Self::lock();
        loop {
            match std::mem::replace(&mut *desk, Self::Running) {
                Self::Given(cell) => return cell,
                other => *desk = other,
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
                let result = load_and_run(&cell, snapshot);
                *Desk::lock() = Desk::Done(result);
                CHANGED.notify_all();
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
    let function = match load(&cell.instruction) {
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
    let stopwatch = Stopwatch::start();
    // SAFETY: evcxr generated the function with this signature, and `variables` is what the
    // previous cell returned, or null before the first.
    let variables = unsafe { call(function, cell.variables.0) };
    link::send(&HostEvent::CellEnded(stopwatch.read()));
    flush();
    fork::end_copy();
    threads::leave_cell();
    // Before evcxr learns of the end: from then on nothing may happen to the cell any more.
    drop(snapshot);
    Ok(Variables(variables))
}

fn load(instruction: &str) -> io::Result<CellFunction> {
    let (path, function) = instruction
        .strip_prefix(LOAD_AND_RUN)
        .and_then(|rest| rest.rsplit_once(' '))
        .ok_or_else(|| io::Error::other(format!("unknown instruction: {instruction}")))?;
    Library::open(OsStr::new(path))?.function(&CString::new(function)?)
}
