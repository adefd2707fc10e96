//! Makes a copy of this process, of which only the calling thread exists.

use std::{
    ffi::c_ulong,
    io,
    os::fd::{FromRawFd, OwnedFd},
};

/// Who returned.
pub(super) enum Copied {
    /// The process that was copied.
    Original {
        /// Process id of the copy.
        pid: i32,
        /// To end it by.
        copy: OwnedFd,
    },
    Copy,
}

/// Copies the process as `fork` does, with two differences:
///
/// - The copy is a child of this process's *parent*. So a cell that waits for any child never meets
///   it, and the kernel, which reaps it, may trust that its number is not used again.
/// - The functions that `pthread_atfork` registered do not run: they bring locks into order that
///   threads of other cells may hold, and there are no such threads. A cell shall notice nothing.
///
/// # Errors
///
/// When the system makes no process, or does not tell where glibc keeps the number of a thread.
///
/// # Safety
///
/// No other thread may hold a lock that the copy is going to need; the allocator has one.
pub(super) unsafe fn copy() -> io::Result<Copied> {
    const FLAGS: c_ulong = (libc::CLONE_PARENT
        | libc::CLONE_PIDFD
        | libc::CLONE_CHILD_SETTID
        | libc::CLONE_CHILD_CLEARTID
        | libc::SIGCHLD) as c_ulong;
    let thread_id = thread_id_address()?;
    let robust_list = RobustList::of_this_thread()?;
    let mut descriptor: libc::c_int = -1;
    let stack = 0_usize;
    // SAFETY: without CLONE_VM the child has memory of its own, a copy of all of ours, and goes on
    // on the same stack in it. The system writes to `descriptor` in the parent, and the thread's new
    // number to `thread_id` in the child, as glibc's `fork` has it do.
    let result = unsafe {
        #[cfg(target_arch = "x86_64")]
        let call = libc::syscall(
            libc::SYS_clone,
            FLAGS,
            stack,
            &raw mut descriptor,
            thread_id,
            0_usize,
        );
        // The last two change places.
        #[cfg(not(target_arch = "x86_64"))]
        let call = libc::syscall(
            libc::SYS_clone,
            FLAGS,
            stack,
            &raw mut descriptor,
            0_usize,
            thread_id,
        );
        call
    };
    match i32::try_from(result) {
        Ok(0) => {
            robust_list.register();
            Ok(Copied::Copy)
        }
        Ok(pid) if pid > 0 => Ok(Copied::Original {
            pid,
            // SAFETY: the system has just opened it for us.
            copy: unsafe { OwnedFd::from_raw_fd(descriptor) },
        }),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Where glibc keeps the number of this thread: it compares it to know the owner of a lock. It told
/// the system, which clears the place when the thread ends.
fn thread_id_address() -> io::Result<*mut i32> {
    const PR_GET_TID_ADDRESS: libc::c_int = 40;
    let mut address: *mut i32 = std::ptr::null_mut();
    // SAFETY: the system writes one address to `address`.
    let result = unsafe { libc::prctl(PR_GET_TID_ADDRESS, &raw mut address) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: if not null, it is a number in glibc's description of this thread, which lives as long.
    let is_ours = !address.is_null()
        && unsafe { address.read() } == rustix::thread::gettid().as_raw_nonzero().get();
    is_ours
        .then_some(address)
        .ok_or_else(|| io::Error::other("this C library is not known"))
}

/// What the system knows of the robust locks of a thread. A new process has no such registration;
/// glibc's `fork` makes it anew, too.
struct RobustList {
    head: *mut libc::c_void,
    length: usize,
}

impl RobustList {
    fn of_this_thread() -> io::Result<Self> {
        let mut list = Self {
            head: std::ptr::null_mut(),
            length: 0,
        };
        // SAFETY: 0 is the calling thread; the system writes an address and a length.
        let result = unsafe {
            libc::syscall(
                libc::SYS_get_robust_list,
                0,
                &raw mut list.head,
                &raw mut list.length,
            )
        };
        if result == 0 {
            Ok(list)
        } else {
            Err(io::Error::last_os_error())
        }
    }

    fn register(&self) {
        if !self.head.is_null() {
            // SAFETY: the same list that glibc registered for this thread, at the same address. An
            // error would mean another length than the system itself gave.
            unsafe { libc::syscall(libc::SYS_set_robust_list, self.head, self.length) };
        }
    }
}
