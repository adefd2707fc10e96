
// What Interleave adds. A task, or a function on tokio's blocking pool, works for the cell that
// spawned it, on whichever thread it runs.
#[cfg(all(feature = "rt", not(all(tokio_unstable, feature = "tracing"))))]
pub(crate) use interleave::{blocking_task, task};

#[cfg(all(feature = "rt", not(all(tokio_unstable, feature = "tracing"))))]
mod interleave {
    use super::SpawnMeta;
    use std::{
        ffi::{c_char, c_void, CStr},
        future::Future,
        mem::ManuallyDrop,
        pin::Pin,
        ptr,
        sync::OnceLock,
        task::{Context, Poll},
    };

    /// Declared again in `tasks/hooks.rs` of the crate `interleave`, which has the functions.
    #[repr(C)]
    struct Hooks {
        begin: unsafe extern "C" fn(*const Birth) -> usize,
        enter: unsafe extern "C" fn(usize) -> Before,
        leave: unsafe extern "C" fn(usize, Before),
        end: unsafe extern "C" fn(usize),
    }

    #[repr(C)]
    struct Birth {
        id: u64,
        is_blocking: bool,
        is_internal: bool,
        file: *const u8,
        file_length: usize,
        line: u32,
        column: u32,
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Before {
        cell: u64,
        task: usize,
    }

    fn hooks() -> Option<&'static Hooks> {
        extern "C" {
            fn dlsym(handle: *mut c_void, symbol: *const c_char) -> *mut c_void;
        }
        const NAME: &CStr = c"interleave_task_hooks";
        static HOOKS: OnceLock<Option<&'static Hooks>> = OnceLock::new();
        *HOOKS.get_or_init(|| {
            // SAFETY: the name ends in a nul; a null handle asks the whole process.
            let function = unsafe { dlsym(ptr::null_mut(), NAME.as_ptr()) };
            if function.is_null() {
                return None;
            }
            // SAFETY: the crate `interleave` defines the symbol with this signature.
            let function: extern "C" fn() -> &'static Hooks =
                unsafe { std::mem::transmute(function) };
            Some(function())
        })
    }

    /// A future, and what the crate `interleave` calls it; 0 for nothing.
    pub(crate) struct Owned<F> {
        future: ManuallyDrop<F>,
        token: usize,
    }

    pub(crate) fn task<F>(future: F, _: &'static str, meta: SpawnMeta<'_>, id: u64) -> Owned<F> {
        Owned::new(future, meta, id, false, false)
    }

    pub(crate) fn blocking_task<Fn, F>(future: F, meta: SpawnMeta<'_>, id: u64) -> Owned<F> {
        let is_internal = std::any::type_name::<Fn>().starts_with("tokio::");
        Owned::new(future, meta, id, true, is_internal)
    }

    impl<F> Owned<F> {
        fn new(future: F, meta: SpawnMeta<'_>, id: u64, is_blocking: bool, is_internal: bool) -> Self {
            let file = meta.interleave_at.file();
            let birth = Birth {
                id,
                is_blocking,
                is_internal,
                file: file.as_ptr(),
                file_length: file.len(),
                line: meta.interleave_at.line(),
                column: meta.interleave_at.column(),
            };
            // SAFETY: the function copies what the argument holds.
            let token = hooks().map_or(0, |hooks| unsafe { (hooks.begin)(&birth) });
            let future = ManuallyDrop::new(future);
            Self { future, token }
        }
    }

    impl<F: Future> Future for Owned<F> {
        type Output = F::Output;

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
            // SAFETY: the future is pinned as the whole is, and nothing moves it.
            let this = unsafe { self.get_unchecked_mut() };
            let _entered = Entered::new(this.token);
            // SAFETY: as above.
            unsafe { Pin::new_unchecked(&mut *this.future) }.poll(context)
        }
    }

    impl<F> Drop for Owned<F> {
        fn drop(&mut self) {
            let _end = End(self.token);
            let _entered = Entered::new(self.token);
            // SAFETY: dropped here and nowhere else, in its place.
            unsafe { ManuallyDrop::drop(&mut self.future) }
        }
    }

    /// This thread works for a task while this lives.
    struct Entered {
        token: usize,
        before: Before,
    }

    impl Entered {
        fn new(token: usize) -> Option<Self> {
            let hooks = hooks().filter(|_| token != 0)?;
            // SAFETY: `begin` gave the token, and `end` has not taken it back.
            let before = unsafe { (hooks.enter)(token) };
            Some(Self { token, before })
        }
    }

    impl Drop for Entered {
        fn drop(&mut self) {
            if let Some(hooks) = hooks() {
                // SAFETY: as above; `enter` gave the rest.
                unsafe { (hooks.leave)(self.token, self.before) }
            }
        }
    }

    struct End(usize);

    impl Drop for End {
        fn drop(&mut self) {
            if let Some(hooks) = hooks().filter(|_| self.0 != 0) {
                // SAFETY: `begin` gave the token, and nobody uses it after this.
                unsafe { (hooks.end)(self.0) }
            }
        }
    }
}
