//! The tasks of tokio: the prelude knows them.

use std::{ffi::c_void, mem::transmute};

use interleave_protocol::TaskStates;

type Take = unsafe extern "C" fn(*mut c_void, *const u8, usize);
type TellTasks = unsafe extern "C" fn(Take, *mut c_void);

/// The tasks that have not ended.
pub(crate) fn states() -> TaskStates {
    // SAFETY: the name ends in a nul; the prelude was loaded for everybody to see.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"interleave_prelude_tasks".as_ptr()) };
    let mut states = TaskStates::default();
    if !function.is_null() {
        // SAFETY: the prelude defines the symbol with this signature.
        let tell = unsafe { transmute::<*mut c_void, TellTasks>(function) };
        // SAFETY: `take` expects what it is given here.
        unsafe { tell(take, (&raw mut states).cast()) };
    }
    states
}

/// # Safety
///
/// `states` must point to [`TaskStates`], and `json` to `length` readable bytes.
unsafe extern "C" fn take(states: *mut c_void, json: *const u8, length: usize) {
    // SAFETY: the caller vouches for both.
    let (states, json) = unsafe {
        let json = std::slice::from_raw_parts(json, length);
        (&mut *states.cast::<TaskStates>(), json)
    };
    *states = interleave_protocol::from_line(json).unwrap_or_default();
}
