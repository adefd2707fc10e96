//! Which cell a thread belongs to: the one whose thread, or whose thread's thread, started it.

use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int, c_void},
    sync::OnceLock,
};

use crate::next::Next;

/// Belongs to no cell: threads of pools, which work for whoever comes.
const NO_CELL: u64 = 0;

/// Names of threads that work for every cell. libstd gives a name from inside the new thread.
const POOLS: [&[u8]; 2] = [b"tokio-", b"interleave-"];

thread_local! {
    // Without a destructor, so it can be used from the first to the last moment of a thread.
    static CELL: Cell<u64> = const { Cell::new(NO_CELL) };
}

/// From now on this thread, and the threads that it starts, belong to the cell.
pub(crate) fn enter_cell(cell: u64) {
    CELL.set(cell);
}

/// From now on this thread belongs to no cell.
pub(crate) fn leave_cell() {
    CELL.set(NO_CELL);
}

/// The cell that this thread belongs to.
pub(crate) fn cell() -> u64 {
    // SAFETY: the prelude's function has this signature, and reads a variable of the thread.
    let is_shared = IS_SHARED
        .get()
        .is_some_and(|question| unsafe { question() });
    if is_shared { NO_CELL } else { CELL.get() }
}

/// Takes the prelude's answer to whether a thread works for whoever comes.
pub(crate) fn ask_of_shared(question: unsafe extern "C" fn() -> bool) {
    // Set once, before any cell runs.
    let _ = IS_SHARED.set(question);
}

/// See [`ask_of_shared`].
static IS_SHARED: OnceLock<unsafe extern "C" fn() -> bool> = OnceLock::new();

/// For the prelude: the cell that this thread works for.
#[unsafe(no_mangle)]
extern "C" fn interleave_host_cell() -> u64 {
    cell()
}

/// For the prelude: from now on this thread works for a cell, as told by [`interleave_host_cell`].
#[unsafe(no_mangle)]
extern "C" fn interleave_host_enter_cell(cell: u64) {
    enter_cell(cell);
}

type Start = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Start,
    *mut c_void,
) -> c_int;
type SetName = unsafe extern "C" fn(libc::pthread_t, *const c_char) -> c_int;

// SAFETY: POSIX gives `pthread_create` this signature.
static CREATE: Next<Create> = unsafe { Next::new(c"pthread_create") };
// SAFETY: glibc and musl give `pthread_setname_np` this signature.
static SET_NAME: Next<SetName> = unsafe { Next::new(c"pthread_setname_np") };

/// What a new thread is to do, and for which cell.
struct Birth {
    cell: u64,
    start: Start,
    argument: *mut c_void,
}

/// Stands before libc's `pthread_create`.
///
/// # Safety
///
/// As libc's `pthread_create`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let birth = Box::into_raw(Box::new(Birth {
        cell: cell(),
        start,
        argument,
    }));
    // SAFETY: as the caller asked, but for the function, which does the same and more.
    let result = unsafe { CREATE.get()(thread, attributes, begin, birth.cast()) };
    if result != 0 {
        // SAFETY: no thread has begun, so nobody else has the box.
        drop(unsafe { Box::from_raw(birth) });
    }
    result
}

unsafe extern "C-unwind" fn begin(birth: *mut c_void) -> *mut c_void {
    // SAFETY: `pthread_create` above made the box for this thread alone.
    let birth = unsafe { Box::from_raw(birth.cast::<Birth>()) };
    let Birth {
        cell,
        start,
        argument,
    } = *birth;
    enter_cell(cell);
    // SAFETY: the caller of `pthread_create` gave both for this.
    unsafe { start(argument) }
}

/// Stands before libc's `pthread_setname_np`: a thread of a pool belongs to no cell, whichever cell
/// made the pool grow.
///
/// # Safety
///
/// As libc's `pthread_setname_np`: `name` must end in a nul.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_setname_np(thread: libc::pthread_t, name: *const c_char) -> c_int {
    // SAFETY: the caller vouches for the name.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes();
    // SAFETY: `pthread_self` always succeeds.
    let is_own = unsafe { libc::pthread_equal(thread, libc::pthread_self()) } != 0;
    if is_own && POOLS.iter().any(|pool| bytes.starts_with(pool)) {
        enter_cell(NO_CELL);
    }
    // SAFETY: passed on unchanged.
    unsafe { SET_NAME.get()(thread, name) }
}
