//! Takes evcxr's instructions, as its own runtime does, and has the cells run on a thread of theirs.

use std::{
    ffi::{CString, OsStr, c_void},
    fs::File,
    io::{self, BufRead, BufReader},
    os::fd::OwnedFd,
};

use self::{
    library::Library,
    runner::{Cell, CellFunction, Runner},
};
use crate::{link, threads};

mod library;
mod runner;

/// evcxr 0.22 `runtime.rs`: tells that the cell's function has returned.
const EXECUTION_COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
/// evcxr 0.22 `runtime.rs`: the one instruction, before a path and the name of a function.
const LOAD_AND_RUN: &str = "LOAD_AND_RUN ";

type PreludeFunction = unsafe extern "C" fn();
type Question = unsafe extern "C" fn() -> bool;

/// Carries out evcxr's instructions until it closes the pipe.
pub(crate) fn run(control_in: OwnedFd, prelude: &OsStr) -> io::Result<()> {
    let prelude = Library::open(prelude)?;
    let start: PreludeFunction = prelude.function(c"interleave_prelude_start")?;
    let is_shared: Question = prelude.function(c"interleave_prelude_is_shared_thread")?;
    threads::ask_of_shared(is_shared);
    // SAFETY: the prelude defines it with this signature, and no cell runs yet.
    unsafe { start() };
    let runner = Runner::start(&prelude)?;
    let mut variables = std::ptr::null_mut();
    for (line, number) in BufReader::new(File::from(control_in)).lines().zip(1..) {
        variables = runner.run(load(&line?, number, variables)?);
        link::tell_evcxr(EXECUTION_COMPLETE);
    }
    Ok(())
}

fn load(line: &str, number: u64, variables: *mut c_void) -> io::Result<Cell> {
    let (path, function) = line
        .strip_prefix(LOAD_AND_RUN)
        .and_then(|rest| rest.rsplit_once(' '))
        .ok_or_else(|| io::Error::other(format!("unknown instruction: {line}")))?;
    let function: CellFunction =
        Library::open(OsStr::new(path))?.function(&CString::new(function)?)?;
    Ok(Cell {
        number,
        function,
        variables,
    })
}
