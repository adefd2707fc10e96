//! Lets a tool be loaded once and run often.
//!
//! A third of what rustc takes for a small cell is spent before its `main`: the dynamic linker adapts
//! 150 MB of shared objects to where they lie. So a tool is started with this library in `LD_PRELOAD`,
//! and goes no further than its `main`. For each request it makes a copy of itself by `fork`, and the copy
//! calls `main` with the arguments, the environment, the directory and the streams of the request: to
//! the tool, and to who asks, it is as if it had been started for this alone.
//!
//! That is sound because nothing has happened before: one thread, no open file, no output. (It is
//! what Android's zygote and Python's `forkserver` do.)

mod request;
mod server;

use std::ffi::{c_char, c_int, c_void};

type Main = unsafe extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) -> c_int;
type Function = Option<unsafe extern "C" fn()>;
type StartMain = unsafe extern "C" fn(
    Main,
    c_int,
    *mut *mut c_char,
    Function,
    Function,
    Function,
    *mut c_void,
) -> c_int;

/// glibc's, which a program calls first, with its `main`. This one is found before it.
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __libc_start_main(
    main: Main,
    argc: c_int,
    argv: *mut *mut c_char,
    init: Function,
    fini: Function,
    rtld_fini: Function,
    stack_end: *mut c_void,
) -> c_int {
    // SAFETY: the name ends with a zero.
    let found = unsafe { libc::dlsym(libc::RTLD_NEXT, c"__libc_start_main".as_ptr()) };
    if found.is_null() {
        std::process::abort();
    }
    // SAFETY: that is the type of the function in glibc, which is the only libc with this name.
    let real = unsafe { std::mem::transmute::<*mut c_void, StartMain>(found) };
    let (argc, argv) = match server::serve() {
        Some(request) => request::become_asked(request),
        None => (argc, argv),
    };
    // SAFETY: handed on, but for the arguments, which live for ever.
    unsafe { real(main, argc, argv, init, fini, rtld_fini, stack_end) }
}
