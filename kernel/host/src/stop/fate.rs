//! Keeps threads from ever running again.
//!
//! To a program, a thread that was left behind looks like one that the system does not schedule
//! again, which is always possible. So no rule that the compiler or a library relies upon is broken:
//! what the thread owns is never dropped, what it has borrowed stays borrowed for ever, and a lock
//! that it holds stays locked. What must not happen is that it holds a lock of the process itself,
//! of `malloc`, of the dynamic linker, or of this program. It does not where it may be left:
//!
//! - in a call of a function that this program puts before libc's and that waits (`blocked` in
//!   `observe`): the thread has come there from libstd or a library to wait, and when the wait ends
//!   it does not return. Code that calls them with a lock of libc's is not known.
//! - in code of a cell's own shared object, where a signal has found it: neither libc nor libstd
//!   calls a cell's code with such a lock, so that there is none in a frame above.
//!
//! The exceptions, and what comes of them:
//!
//! - libstd calls a cell's `Display` with standard output locked, and a cell may lock it itself. Then
//!   nobody can print any more. The host prints once before it goes on, and when that hangs, the
//!   kernel replaces it.
//! - Generic code of libstd is compiled into the cell, so that the thread may have left a channel or
//!   a `OnceLock` in the middle of a change. Others who use the same one may wait for ever, as they
//!   would for a slow thread. The prelude's own global state is changed by code that is not generic.

use std::{
    ffi::{c_int, c_void},
    io, mem, ptr,
    sync::atomic::{
        AtomicBool, AtomicU8,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use super::code;
use crate::observe;

/// Whether a thread may go on.
#[derive(Debug)]
pub(crate) struct Fate {
    state: AtomicU8,
    /// It is to be left behind wherever that is possible.
    is_condemned: AtomicBool,
}

const RUNS: u8 = 0;
/// It stands in a call that waits.
const WAITS: u8 = 1;
/// It never leaves where it is.
const LEFT: u8 = 2;

impl Fate {
    pub(crate) const fn new() -> Self {
        Self {
            state: AtomicU8::new(RUNS),
            is_condemned: AtomicBool::new(false),
        }
    }

    /// For a new thread.
    pub(crate) fn reset(&self) {
        self.is_condemned.store(false, Relaxed);
        self.state.store(RUNS, Release);
    }

    /// The calling thread begins to wait.
    pub(crate) fn wait(&self) {
        self.state.store(WAITS, Release);
    }

    /// The calling thread has waited. Does not return if it was left behind meanwhile.
    pub(crate) fn go_on(&self) {
        if self.change(WAITS, RUNS).is_err() {
            park();
        }
    }

    /// Leaves a thread behind if it waits, and otherwise as soon as a signal finds it in the code of
    /// a cell. Returns whether it is left.
    pub(crate) fn leave(&self) -> bool {
        self.is_condemned.store(true, Release);
        self.change(WAITS, LEFT).is_ok() || self.is_left()
    }

    /// Whether the thread was left behind.
    pub(crate) fn is_left(&self) -> bool {
        self.state.load(Acquire) == LEFT
    }

    /// What another thread decided, and this one does not know of yet.
    fn obey(&self) {
        if self.is_condemned.load(Acquire) && self.change(RUNS, LEFT).is_ok() {
            park();
        }
    }

    fn change(&self, from: u8, to: u8) -> Result<u8, u8> {
        self.state.compare_exchange(from, to, AcqRel, Acquire)
    }
}

/// Never returns, and is woken by nothing.
fn park() -> ! {
    // SAFETY: a set of signals may be any bytes; `sigfillset` writes it.
    let mut all: libc::sigset_t = unsafe { mem::zeroed() };
    // SAFETY: `all` is writable, and what was blocked before is not asked for.
    unsafe {
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, ptr::null_mut());
    }
    loop {
        // SAFETY: waits for a signal that is not blocked: there is none.
        unsafe { libc::pause() };
    }
}

/// The signal that wakes threads which are to stop. One that nobody else uses: its default would end
/// the process.
fn signal() -> c_int {
    libc::SIGRTMIN() + 5
}

/// From now on signals are understood.
pub(super) fn listen() -> io::Result<()> {
    // SAFETY: all fields may be zero; those that matter are set below.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = on_signal as extern "C" fn(_, _, _) as usize;
    // Without SA_RESTART, so that the call which the thread is in returns.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: `action` is complete, and its function has the signature that SA_SIGINFO asks for.
    match unsafe { libc::sigaction(signal(), &raw const action, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Sends the signal to a thread of this process, by the system's number.
pub(crate) fn wake(thread: c_int) {
    // SAFETY: an error means that the thread has ended. Should another one have its number already,
    // the signal does it no harm.
    unsafe {
        libc::syscall(
            libc::SYS_tgkill,
            libc::c_long::from(libc::getpid()),
            libc::c_long::from(thread),
            libc::c_long::from(signal()),
        )
    };
}

/// Interrupts the call that the thread is in, if any. It does what is allowed in a signal handler:
/// it reads and writes atomic numbers and the thread's own stack.
extern "C" fn on_signal(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: with SA_SIGINFO the system gives the state of the interrupted thread.
    let (instruction, frame) = registers(unsafe { &*context.cast::<libc::ucontext_t>() });
    if code::cell_of(instruction).is_none() {
        return;
    }
    if let Some(fate) = observe::found_in_cell(instruction, frame) {
        fate.obey();
    }
}

/// The instruction pointer and the frame pointer.
#[cfg(target_arch = "x86_64")]
fn registers(context: &libc::ucontext_t) -> (usize, usize) {
    let registers = &context.uc_mcontext.gregs;
    (
        registers[libc::REG_RIP as usize] as usize,
        registers[libc::REG_RBP as usize] as usize,
    )
}

/// The instruction pointer and the frame pointer.
#[cfg(target_arch = "aarch64")]
fn registers(context: &libc::ucontext_t) -> (usize, usize) {
    let state = &context.uc_mcontext;
    (state.pc as usize, state.regs[29] as usize)
}
