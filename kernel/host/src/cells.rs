//! Loads compiled cells and calls them, as evcxr's own runtime does.

use std::{
    ffi::{CStr, CString, OsStr, c_char, c_void},
    fs::File,
    io::{self, BufRead, BufReader},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
};

use interleave_protocol::HostEvent;

use crate::{link, threads};

/// evcxr 0.22 `runtime.rs`: tells that the cell's function has returned.
const EXECUTION_COMPLETE: &str = "EVCXR_EXECUTION_COMPLETE";
/// evcxr 0.22 `runtime.rs`: the one instruction, before a path and the name of a function.
const LOAD_AND_RUN: &str = "LOAD_AND_RUN ";

type PreludeFunction = unsafe extern "C" fn();
type Question = unsafe extern "C" fn() -> bool;
type CellFunction = unsafe extern "C" fn(*mut c_void) -> *mut c_void;

/// Carries out evcxr's instructions until it closes the pipe.
pub(crate) fn run(control_in: OwnedFd, prelude: &OsStr) -> io::Result<()> {
    let prelude = Library::open(prelude)?;
    let start: PreludeFunction = prelude.function(c"interleave_prelude_start")?;
    let flush: PreludeFunction = prelude.function(c"interleave_prelude_flush")?;
    let is_shared: Question = prelude.function(c"interleave_prelude_is_shared_thread")?;
    threads::ask_of_shared(is_shared);
    // SAFETY: the prelude defines both with this signature, and no cell runs yet.
    unsafe { start() };
    let mut variables = std::ptr::null_mut();
    for (line, cell) in BufReader::new(File::from(control_in)).lines().zip(1..) {
        let line = line?;
        threads::enter_cell(cell);
        variables = load_and_run(&line, variables)?;
        // SAFETY: as above.
        unsafe { flush() };
        link::tell_evcxr(EXECUTION_COMPLETE);
    }
    Ok(())
}

fn load_and_run(line: &str, variables: *mut c_void) -> io::Result<*mut c_void> {
    let (path, function) = line
        .strip_prefix(LOAD_AND_RUN)
        .and_then(|rest| rest.rsplit_once(' '))
        .ok_or_else(|| io::Error::other(format!("unknown instruction: {line}")))?;
    let cell: CellFunction = Library::open(OsStr::new(path))?.function(&CString::new(function)?)?;
    link::send(&HostEvent::CellStarted);
    // SAFETY: evcxr generated the function with this signature; `variables` is what the previous
    // cell returned, or null before the first.
    Ok(unsafe { cell(variables) })
}

/// A shared object. It is never closed: threads and variables of a cell outlive the cell, and
/// their code must stay where it is.
struct Library(*mut c_void);

impl Library {
    fn open(path: &OsStr) -> io::Result<Self> {
        let path = CString::new(path.as_bytes())?;
        // Global: a cell finds the statics of the cells before it by their symbols.
        // SAFETY: `path` ends in a nul. Loading runs the object's initialisers, which is the point.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
        if handle.is_null() {
            Err(dl_error())
        } else {
            Ok(Self(handle))
        }
    }

    /// `F` must be a type of function pointer.
    fn function<F: Copy>(&self, name: &CStr) -> io::Result<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        // SAFETY: the handle came from `dlopen` and is never closed.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() {
            return Err(dl_error());
        }
        // SAFETY: sizes agree, and the callers name the type that the symbol was defined with.
        Ok(unsafe { std::mem::transmute_copy(&address) })
    }
}

fn dl_error() -> io::Error {
    // SAFETY: `dlerror` returns null or a string that is valid until the thread's next dl call.
    let message: *const c_char = unsafe { libc::dlerror() };
    if message.is_null() {
        return io::Error::other("the dynamic linker gives no reason");
    }
    // SAFETY: not null, ends in a nul, copied at once.
    io::Error::other(
        unsafe { CStr::from_ptr(message) }
            .to_string_lossy()
            .into_owned(),
    )
}
