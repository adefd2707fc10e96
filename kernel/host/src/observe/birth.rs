//! The beginning and the end of threads.

use std::{
    cell::Cell,
    ffi::{CStr, c_char, c_int, c_void},
};

use super::{
    frames::Frame,
    interpose::interpose,
    limit::Permit,
    registry::{self, Place},
    whole_name,
};
use crate::{next::Next, threads, trace};

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
    is_traced: bool,
    place: Place,
    permit: Permit,
    start: Start,
    argument: *mut c_void,
}

interpose!(pthread_create, create, x86_64: "r8", aarch64: "x4");

/// Starts a thread that belongs to the cell of the thread that starts it.
///
/// # Safety
///
/// As libc's `pthread_create`.
unsafe extern "C-unwind" fn create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
    caller: Frame,
) -> c_int {
    let cell = threads::cell();
    let Some(permit) = Permit::ask(cell, caller) else {
        return libc::EAGAIN;
    };
    let place = Place::take(cell, caller);
    let spawns = trace::spawns(place.number(), caller);
    let started = place.started();
    let birth = Box::into_raw(Box::new(Birth {
        cell,
        is_traced: trace::is_traced(),
        place,
        permit,
        start,
        argument,
    }));
    // SAFETY: as the caller asked, but for the function, which does the same and more.
    let result = unsafe { CREATE.get()(thread, attributes, begin, birth.cast()) };
    if result != 0 {
        // SAFETY: no thread has begun, so nobody else has the box.
        drop(unsafe { Box::from_raw(birth) });
        return result;
    }
    // SAFETY: the caller vouches for the place, which is written when a thread was started.
    started.has_handle(unsafe { thread.read() });
    spawns.happened();
    result
}

thread_local! {
    /// Dropped when the thread ends, after `start` has returned or unwound.
    static LIFE: Cell<Option<(Place, Permit)>> = const { Cell::new(None) };
    /// Whether `start` has returned.
    static HAS_RETURNED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the calling thread has nothing left to do but the destructors of its thread-locals. To unwind
/// out of one of those ends the process.
pub(crate) fn is_at_its_end() -> bool {
    HAS_RETURNED.get()
}

unsafe extern "C-unwind" fn begin(birth: *mut c_void) -> *mut c_void {
    // SAFETY: `create` above made the box for this thread alone.
    let birth = unsafe { Box::from_raw(birth.cast::<Birth>()) };
    let Birth {
        cell,
        is_traced,
        place,
        permit,
        start,
        argument,
    } = *birth;
    place.occupy();
    LIFE.set(Some((place, permit)));
    threads::enter_cell(cell);
    trace::thread_began(is_traced);
    // SAFETY: the caller of `pthread_create` gave both for this.
    let result = unsafe { start(argument) };
    HAS_RETURNED.set(true);
    result
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
    if is_own {
        if let Some(slot) = registry::current() {
            slot.set_name(bytes);
            // Before it belongs to no cell: who it is, is of interest to the one that started it.
            match whole_name::of_this_thread(bytes, &mut [0; 40]) {
                Some(whole) => trace::named(whole),
                None => trace::named(bytes),
            }
            if slot.is_in_pool(bytes) {
                trace::belongs_to_pool();
            }
        }
        threads::take_name(bytes);
    }
    // SAFETY: passed on unchanged.
    unsafe { SET_NAME.get()(thread, name) }
}
