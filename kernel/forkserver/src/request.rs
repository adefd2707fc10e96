//! Makes of a copy what was asked for.

use std::{
    ffi::{CStr, CString, c_char, c_int},
    ptr,
};

use rustix::{
    process::{Pid, Resource, Rlimit, fchdir, getrlimit, setpgid, setrlimit},
    stdio::{dup2_stderr, dup2_stdin, dup2_stdout},
    thread::set_name,
};

use crate::server::Asked;

unsafe extern "C" {
    /// The environment of the process, for libc and for Rust's std; see environ(7).
    static mut environ: *mut *mut c_char;
}

/// Takes on everything of a request. Returns the arguments for `main`. What fails here is noticed by the
/// tool, which then finds no file, or has no limit.
pub(crate) fn become_asked(asked: Asked) -> (c_int, *mut *mut c_char) {
    let request = asked.request;
    let [directory, input, output, error] = &asked.descriptors;
    let _ = fchdir(directory);
    let _ = dup2_stdin(input);
    let _ = dup2_stdout(output);
    let _ = dup2_stderr(error);
    // An error means that everybody who is in it has ended.
    let _ = setpgid(None, Pid::from_raw(request.group));
    for (resource, limit) in [
        (Resource::Data, request.data),
        (Resource::Cpu, request.seconds),
    ] {
        let maximum = getrlimit(resource).maximum;
        if limit.is_some() {
            let current = limit;
            let _ = setrlimit(resource, Rlimit { current, maximum });
        }
    }
    if let Some(program) = request.arguments.first() {
        let _ = set_name(name(program));
    }
    let count = c_int::try_from(request.arguments.len()).unwrap_or(0);
    let environment = for_ever(request.environment);
    // SAFETY: there is one thread, and the list lives for ever.
    unsafe { environ = environment };
    (count, for_ever(request.arguments))
}

/// What the system calls a process that was started from this path.
fn name(program: &CStr) -> &CStr {
    let bytes = program.to_bytes_with_nul();
    let start = bytes.iter().rposition(|byte| *byte == b'/');
    let name = &bytes[start.map_or(0, |slash| slash + 1)..];
    CStr::from_bytes_with_nul(name).unwrap_or(program)
}

/// A list as C has it, with a null pointer at its end.
fn for_ever(list: Vec<CString>) -> *mut *mut c_char {
    let pointers = list.into_iter().map(CString::into_raw);
    let list: Vec<*mut c_char> = pointers.chain([ptr::null_mut()]).collect();
    Vec::leak(list).as_mut_ptr()
}
