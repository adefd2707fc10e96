//! Which cell a piece of machine code was compiled for.

use std::{
    ffi::{c_int, c_void},
    ptr,
    sync::atomic::{AtomicPtr, AtomicUsize, Ordering},
};

/// The machine code of one cell. Cells are never unloaded, so it stays where it is.
struct Code {
    cell: u64,
    start: usize,
    end: usize,
    /// That of the cell before.
    before: *const Code,
}

/// That of the newest cell. A list that only grows, so that a signal handler can read it.
static NEWEST: AtomicPtr<Code> = AtomicPtr::new(ptr::null_mut());

/// All cells lie between these.
static LOWEST: AtomicUsize = AtomicUsize::new(usize::MAX);
static HIGHEST: AtomicUsize = AtomicUsize::new(0);

/// Notes that the shared object around `function` belongs to a cell. Called by one thread.
pub(crate) fn belongs_to(cell: u64, function: *const c_void) {
    let Some((start, end)) = extent_around(function) else {
        return;
    };
    let code = Box::new(Code {
        cell,
        start,
        end,
        before: NEWEST.load(Ordering::Relaxed),
    });
    LOWEST.fetch_min(start, Ordering::Relaxed);
    HIGHEST.fetch_max(end, Ordering::Relaxed);
    NEWEST.store(Box::into_raw(code), Ordering::Release);
}

/// Whether the code at an address was compiled for a cell. Says quickly that it was not.
pub(crate) fn is_in_cell(address: usize) -> bool {
    let all = LOWEST.load(Ordering::Relaxed)..HIGHEST.load(Ordering::Relaxed);
    all.contains(&address) && cell_of(address).is_some()
}

/// The cell that the code at an address was compiled for. It may be called in a signal handler.
pub(super) fn cell_of(address: usize) -> Option<u64> {
    let mut next = NEWEST.load(Ordering::Acquire).cast_const();
    // SAFETY: the list holds boxes that are never freed or changed, and ends with null.
    while let Some(code) = unsafe { next.as_ref() } {
        if (code.start..code.end).contains(&address) {
            return Some(code.cell);
        }
        next = code.before;
    }
    None
}

/// The cell whose code this thread is in: of the functions that have been called and not returned,
/// the innermost that is in any cell's.
pub(super) fn innermost_cell() -> Option<u64> {
    let address = callers_in_cells(1).pop()?;
    cell_of(address - 1)
}

/// The return addresses on the stack of this thread that lie in cells, innermost first.
///
/// Asks the unwinder, which needs no frame pointers: libraries may have been compiled without.
pub(super) fn callers_in_cells(most: usize) -> Vec<usize> {
    let mut walk = Walk {
        most,
        found: Vec::new(),
    };
    // SAFETY: `note` fits the signature, and `walk` outlives the call.
    unsafe { _Unwind_Backtrace(note, (&raw mut walk).cast()) };
    walk.found
}

struct Walk {
    most: usize,
    found: Vec<usize>,
}

extern "C" fn note(frame: *mut c_void, walk: *mut c_void) -> c_int {
    const GO_ON: c_int = 0;
    const END: c_int = 5;
    // SAFETY: `callers_in_cells` gave its variable, which nobody else uses meanwhile.
    let walk = unsafe { &mut *walk.cast::<Walk>() };
    // SAFETY: the unwinder gives a frame that is valid for this call.
    let address = unsafe { _Unwind_GetIP(frame) };
    // A return address may lie behind its function.
    if address.checked_sub(1).and_then(cell_of).is_some() {
        walk.found.push(address);
    }
    if walk.found.len() < walk.most {
        GO_ON
    } else {
        END
    }
}

// libgcc_s, which libstd is linked with on Linux. The codes above are of its `_Unwind_Reason_Code`.
unsafe extern "C" {
    fn _Unwind_Backtrace(
        callback: extern "C" fn(*mut c_void, *mut c_void) -> c_int,
        argument: *mut c_void,
    ) -> c_int;
    fn _Unwind_GetIP(frame: *mut c_void) -> usize;
}

/// From the first to the last byte of code of the object that an address lies in.
fn extent_around(address: *const c_void) -> Option<(usize, usize)> {
    let mut search = Search {
        address: address.addr(),
        found: None,
    };
    // SAFETY: `compare` fits the signature, and `search` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(compare), (&raw mut search).cast()) };
    search.found
}

struct Search {
    address: usize,
    found: Option<(usize, usize)>,
}

unsafe extern "C" fn compare(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    search: *mut c_void,
) -> c_int {
    // SAFETY: the dynamic linker gives a description that is valid for this call …
    let info = unsafe { &*info };
    // SAFETY: … `extent_around` gave its variable, which nobody else uses meanwhile …
    let search = unsafe { &mut *search.cast::<Search>() };
    // SAFETY: … and the object has so many program headers.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    for header in headers {
        let is_code = header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_X != 0;
        let start = (info.dlpi_addr + header.p_vaddr) as usize;
        let end = start + header.p_memsz as usize;
        if is_code && (start..end).contains(&search.address) {
            search.found = Some((start, end));
            return 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn marked() -> Option<u64> {
        std::hint::black_box(innermost_cell())
    }

    #[test]
    fn code_is_known_by_its_address_and_by_who_calls() {
        let own = marked as fn() -> Option<u64> as *const c_void;
        assert_eq!((cell_of(own.addr()), marked()), (None, None));
        belongs_to(7, own);
        assert_eq!((cell_of(own.addr()), marked()), (Some(7), Some(7)));
        // libc is another object.
        assert_eq!(cell_of(libc::abs as *const c_void as usize), None);
    }
}
