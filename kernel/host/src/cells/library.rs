//! Shared objects: the prelude, and compiled cells.

use std::{
    ffi::{CStr, CString, OsStr, c_char, c_void},
    io,
    os::unix::ffi::OsStrExt,
};

/// A shared object. It is never closed: threads and variables of a cell outlive the cell, and
/// their code must stay where it is.
#[derive(Debug)]
pub(super) struct Library(*mut c_void);

impl Library {
    pub(super) fn open(path: &OsStr) -> io::Result<Self> {
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

    /// Finds a function by its name. `F` must be a type of function pointer.
    pub(super) fn function<F: Copy>(&self, name: &CStr) -> io::Result<F> {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        let address: *const c_void = self.symbol(name)?;
        // SAFETY: sizes agree, and the callers name the type that the symbol was defined with.
        Ok(unsafe { std::mem::transmute_copy(&address) })
    }

    /// Finds a function or a static by its name.
    pub(super) fn symbol<T>(&self, name: &CStr) -> io::Result<*const T> {
        // SAFETY: the handle came from `dlopen` and is never closed.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() {
            return Err(dl_error());
        }
        Ok(address.cast_const().cast())
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
