//! The names of threads, of which the system keeps 15 bytes.

use std::{ffi::c_void, mem::transmute, sync::OnceLock};

use crate::trace;

/// The longest that the system keeps.
const CUT: usize = 15;

/// Writes the beginning of the calling thread's name, and returns how long that is.
type Tell = unsafe extern "C" fn(*mut u8, usize) -> usize;

/// The name of the calling thread, as far as there is room, if it is longer than what the system is
/// to know of it.
///
/// std gives the system the beginning. The whole is in std's handle of the thread, which it has by then:
/// `ThreadInit::init` in std's `thread/lifecycle.rs` sets that first, so that allocators can ask for
/// it. Only the prelude can ask, which has the std of the cells.
pub(super) fn of_this_thread<'a>(cut: &[u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
    // A thread that is traced works for a cell, so the prelude is there.
    if cut.len() != CUT || !trace::is_traced() {
        return None;
    }
    static TELL: OnceLock<Option<Tell>> = OnceLock::new();
    let tell = (*TELL.get_or_init(find))?;
    // SAFETY: so many bytes are writable.
    let length = unsafe { tell(room.as_mut_ptr(), room.len()) };
    let name = room.get(..length)?;
    // A thread may tell the system another name later.
    name.starts_with(cut).then_some(name)
}

fn find() -> Option<Tell> {
    let name = c"interleave_prelude_thread_name";
    // SAFETY: the name ends in a nul; the prelude was loaded for everybody to see.
    let function = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    // SAFETY: the prelude defines the symbol with this signature.
    (!function.is_null()).then(|| unsafe { transmute::<*mut c_void, Tell>(function) })
}
