//! Takes evcxr's instructions, as its own runtime does, and has the cells run on a thread of theirs.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufRead, BufReader},
    os::fd::OwnedFd,
    process::ExitCode,
    sync::{OnceLock, atomic::AtomicU32},
    thread,
    time::Duration,
};

use self::{
    library::Library,
    runner::{Cell, Variables},
};
use crate::{link, observe, service, snapshot, stdio, stop, tasks, threads, trace};

mod library;
mod runner;
mod stopwatch;

pub(crate) use runner::{leave_behind, tidy_up};

/// evcxr 0.22 `runtime.rs`: tells that the cell's function has returned.
const EXECUTION_COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
/// evcxr 0.22 `runtime.rs`: the one instruction, before a path and the name of a function.
const LOAD_AND_RUN: &str = "LOAD_AND_RUN ";

/// How long a part of a line may wait in libstd's buffer before it is shown.
const FLUSH_INTERVAL: Duration = Duration::from_millis(50);

type PreludeFunction = unsafe extern "C" fn();
type Question = unsafe extern "C" fn() -> bool;

/// Lines from evcxr.
static CONTROL_IN: OnceLock<File> = OnceLock::new();

/// Ends what a cell wrote: a part of a line must not wait for the next cell.
static FLUSH: OnceLock<PreludeFunction> = OnceLock::new();

/// Carries out evcxr's instructions until it closes the pipe.
pub(crate) fn run(control_in: OwnedFd, prelude: &OsStr, snapshots: bool) -> io::Result<()> {
    let prelude = Library::open(prelude)?;
    let start: PreludeFunction = prelude.function(c"interleave_prelude_start")?;
    let is_shared: Question = prelude.function(c"interleave_prelude_is_shared_thread")?;
    let flush = prelude.function(c"interleave_prelude_flush")?;
    threads::ask_of_shared(is_shared);
    tasks::ask(tasks::Prelude {
        tell: prelude.function(c"interleave_prelude_tasks")?,
        count: prelude.function(c"interleave_prelude_count_tasks")?,
        stop_of: prelude.function(c"interleave_prelude_stop_tasks_of")?,
        stop: prelude.function(c"interleave_prelude_stop_tasks")?,
        stopping: prelude.function(c"interleave_prelude_stopping_tasks")?,
        is_to_stop: prelude.function(c"interleave_prelude_is_task_to_stop")?,
        tidy_loop: prelude.function(c"interleave_prelude_tidy_event_loop")?,
        forget_loop: prelude.function(c"interleave_prelude_forget_event_loop")?,
    });
    if CONTROL_IN.set(File::from(control_in)).is_err() || FLUSH.set(flush).is_err() {
        return Err(io::Error::other("the cells were started twice"));
    }
    // SAFETY: the prelude defines it with this signature, and no cell runs yet.
    unsafe { start() };
    let flag: *const AtomicU32 = prelude.symbol(c"interleave_prelude_stopping")?;
    // SAFETY: the prelude defines it with this type, and is never unloaded.
    stop::prepare(unsafe { &*flag })?;
    start_flushing();
    start_tracing();
    observe::watch();
    runner::start(&prelude)?;
    snapshot::set_up(snapshots);
    follow_evcxr(1, Variables::none())
}

/// In a copy of this process, on the thread of the cells: goes on with what comes after a cell that
/// had these variables.
fn go_on_after(number: u64, variables: Variables) -> io::Result<()> {
    link::listen()?;
    start_flushing();
    start_tracing();
    observe::watch();
    service::spawn("interleave-control", move || {
        let result = follow_evcxr(number + 1, variables);
        std::process::exit(i32::from(crate::report(result) != ExitCode::SUCCESS));
    })?;
    link::give_up_cell();
    Ok(())
}

fn follow_evcxr(first: u64, mut variables: Variables) -> io::Result<()> {
    let control_in = CONTROL_IN.get().ok_or(io::ErrorKind::NotConnected)?;
    for (instruction, number) in BufReader::new(control_in).lines().zip(first..) {
        variables = runner::run(Cell {
            number,
            instruction: instruction?,
            variables,
        })?;
        stdio::restore();
        link::tell_evcxr(EXECUTION_COMPLETE);
    }
    Ok(())
}

fn start_flushing() {
    // Without the thread a part of a line is shown when its cell ends.
    let _ = service::spawn("interleave-flush", || {
        loop {
            thread::sleep(FLUSH_INTERVAL);
            let _work = service::at_work();
            flush();
        }
    });
}

fn start_tracing() {
    // Without the thread all that has happened is told when the cell ends.
    let _ = trace::start();
}

fn flush() {
    if let Some(flush) = FLUSH.get() {
        // SAFETY: the prelude defines it with this signature.
        unsafe { flush() };
    }
}
