//! The thread that runs the cells, one after the other.
//!
//! It is not the first thread of the process, which carries on evcxr's protocol: so a cell that
//! never ends can be given up, and the next ones get a new thread.

use std::{
    ffi::c_void,
    io,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
};

use interleave_protocol::HostEvent;

use super::{PreludeFunction, library::Library};
use crate::{link, observe, threads};

/// What evcxr generates for a cell: takes the variables of the cells before, and returns them.
pub(super) type CellFunction = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

type Body = unsafe extern "C" fn();
type StartThread = unsafe extern "C" fn(Body) -> bool;

/// A cell that is loaded and ready to run.
pub(super) struct Cell {
    /// Counts the cells that this process runs, from 1.
    pub(super) number: u64,
    pub(super) function: CellFunction,
    /// What the previous cell returned, or null before the first.
    pub(super) variables: *mut c_void,
}

// SAFETY: one thread at a time has the variables: the one that runs a cell, or the one that waits
// for its end.
unsafe impl Send for Cell {}

/// Runs cells on a thread of their own.
pub(super) struct Runner {
    /// Ends what the cell wrote: a part of a line must not wait for the next cell.
    flush: PreludeFunction,
}

impl Runner {
    /// Starts the thread.
    pub(super) fn start(prelude: &Library) -> io::Result<Self> {
        let start_thread: StartThread =
            prelude.function(c"interleave_prelude_start_cell_thread")?;
        let flush = prelude.function(c"interleave_prelude_flush")?;
        // SAFETY: the prelude defines the function with this signature.
        if unsafe { start_thread(serve) } {
            Ok(Self { flush })
        } else {
            Err(io::Error::other("the system has no thread for the cells"))
        }
    }

    /// Runs a cell to its end. Returns the variables for the next one.
    pub(super) fn run(&self, cell: Cell) -> *mut c_void {
        let mut desk = Desk::lock();
        *desk = Desk::Given(cell, self.flush);
        CHANGED.notify_all();
        loop {
            if let Desk::Done(variables) = *desk {
                *desk = Desk::Empty;
                return variables;
            }
            desk = Desk::wait(desk);
        }
    }
}

/// Where the thread of the protocol and the thread of the cells meet.
enum Desk {
    Empty,
    Given(Cell, PreludeFunction),
    Running,
    Done(*mut c_void),
}

// SAFETY: as for `Cell`.
unsafe impl Send for Desk {}

static DESK: Mutex<Desk> = Mutex::new(Desk::Empty);
static CHANGED: Condvar = Condvar::new();

impl Desk {
    fn lock() -> MutexGuard<'static, Self> {
        DESK.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(desk: MutexGuard<'static, Self>) -> MutexGuard<'static, Self> {
        CHANGED.wait(desk).unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a cell.
    fn take() -> (Cell, PreludeFunction) {
        let mut desk = Self::lock();
        loop {
            match std::mem::replace(&mut *desk, Self::Running) {
                Self::Given(cell, flush) => return (cell, flush),
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
        let (cell, flush) = Desk::take();
        threads::enter_cell(cell.number);
        link::send(&HostEvent::CellStarted);
        // SAFETY: evcxr generated the function with this signature, and `variables` is what the
        // previous cell returned, or null before the first.
        let variables = unsafe { (cell.function)(cell.variables) };
        // SAFETY: the prelude defines it with this signature.
        unsafe { flush() };
        threads::leave_cell();
        *Desk::lock() = Desk::Done(variables);
        CHANGED.notify_all();
    }
}
