//! libc's own function behind one that this executable puts before it.

use std::{
    ffi::{CStr, c_void},
    marker::PhantomData,
    sync::atomic::{AtomicPtr, Ordering},
};

/// A function of libc, looked up at its first call. `F` is a type of function pointer.
pub(crate) struct Next<F> {
    name: &'static CStr,
    address: AtomicPtr<c_void>,
    signature: PhantomData<F>,
}

impl<F: Copy> Next<F> {
    /// # Safety
    ///
    /// `F` must be the type of the function that libc has under this name.
    pub(crate) const unsafe fn new(name: &'static CStr) -> Self {
        const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
        Self {
            name,
            address: AtomicPtr::new(std::ptr::null_mut()),
            signature: PhantomData,
        }
    }

    /// The function.
    pub(crate) fn get(&self) -> F {
        let mut address = self.address.load(Ordering::Relaxed);
        if address.is_null() {
            // SAFETY: the name ends in a nul; RTLD_NEXT searches behind this executable.
            address = unsafe { libc::dlsym(libc::RTLD_NEXT, self.name.as_ptr()) };
            assert!(!address.is_null(), "libc has {:?}", self.name);
            // Two threads that race here store the same address.
            self.address.store(address, Ordering::Relaxed);
        }
        // SAFETY: sizes agree, and `new` was promised that this is the type.
        unsafe { std::mem::transmute_copy(&address) }
    }
}
