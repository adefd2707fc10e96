//! What tokio gives for a task, so that it can be stopped.

/// tokio's `AbortHandle` of a task, behind functions of C: tokio may be compiled more than once.
#[derive(Debug)]
pub(super) struct Handle {
    address: usize,
    control: &'static Control,
}

/// What can be done with a handle. The other side is `seams/tokio.rs.in` of the compiler.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Control {
    abort: unsafe extern "C" fn(usize),
    is_active: unsafe extern "C" fn(usize) -> bool,
    release: unsafe extern "C" fn(usize),
}

impl Handle {
    /// # Safety
    ///
    /// `address` must be good for the functions of `control`, on any thread, until it is released,
    /// which nobody else does.
    pub(super) unsafe fn new(address: usize, control: &'static Control) -> Self {
        Self { address, control }
    }

    /// Has the task dropped where it waits, or when it next would wait. Once it has ended, nothing
    /// happens.
    pub(super) fn abort(&self) {
        // SAFETY: see `new`.
        unsafe { (self.control.abort)(self.address) }
    }

    /// Whether the task runs, or is to run as soon as there is a thread for it.
    pub(super) fn is_active(&self) -> bool {
        // SAFETY: see `new`.
        unsafe { (self.control.is_active)(self.address) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: see `new`.
        unsafe { (self.control.release)(self.address) }
    }
}
