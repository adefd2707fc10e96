
// What Interleave adds. A job works for the cell that submitted it, on whichever thread it runs.
mod interleave {
    use std::{
        ffi::{c_char, c_void, CStr},
        ptr,
        sync::OnceLock,
    };

    /// The cell that submitted a job.
    #[derive(Clone, Copy)]
    pub(super) struct Owner(u64);

    impl Owner {
        pub(super) fn current() -> Self {
            // SAFETY: it only reads a number of this thread's.
            Self(host().map_or(0, |host| unsafe { (host.cell)() }))
        }

        /// This thread works for the cell until what is returned is dropped.
        pub(super) fn enter(self) -> Entered {
            let before = Self::current();
            self.set();
            Entered(before)
        }

        fn set(self) {
            if let Some(host) = host() {
                // SAFETY: it only sets a number of this thread's.
                unsafe { (host.enter_cell)(self.0) }
            }
        }
    }

    pub(super) struct Entered(Owner);

    impl Drop for Entered {
        fn drop(&mut self) {
            self.0.set();
        }
    }

    struct Host {
        cell: unsafe extern "C" fn() -> u64,
        enter_cell: unsafe extern "C" fn(u64),
    }

    fn host() -> Option<&'static Host> {
        static HOST: OnceLock<Option<Host>> = OnceLock::new();
        HOST.get_or_init(|| {
            let cell = function(c"interleave_host_cell")?;
            let enter_cell = function(c"interleave_host_enter_cell")?;
            if let Some(told) = function(c"interleave_jobs_name_their_cell") {
                // SAFETY: the crate `interleave` defines the symbol with this signature.
                unsafe { std::mem::transmute::<*mut c_void, extern "C" fn()>(told)() }
            }
            // SAFETY: the host defines the symbols with these signatures.
            unsafe {
                Some(Host {
                    cell: std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> u64>(cell),
                    enter_cell: std::mem::transmute::<*mut c_void, unsafe extern "C" fn(u64)>(
                        enter_cell,
                    ),
                })
            }
        })
        .as_ref()
    }

    fn function(name: &CStr) -> Option<*mut c_void> {
        extern "C" {
            fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
        }
        // SAFETY: the name ends in a nul; a null handle asks the whole process.
        let function = unsafe { dlsym(ptr::null_mut(), name.as_ptr()) };
        (!function.is_null()).then_some(function)
    }
}
