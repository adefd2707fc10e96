//! The functions of libc at which a thread can stand still.

use std::ffi::{c_int, c_long, c_void};

use super::{
    frames::Frame,
    interpose::{enter, interpose, leave},
    waiting::{Waiting, at_epoll, blocked, nanoseconds, now},
};
use crate::{descriptors, next::Next, stop, trace};

type Syscall = unsafe extern "C" fn(c_long, ...) -> c_long;
type ClockNanosleep = unsafe extern "C" fn(
    libc::clockid_t,
    c_int,
    *const libc::timespec,
    *mut libc::timespec,
) -> c_int;
type Nanosleep = unsafe extern "C" fn(*const libc::timespec, *mut libc::timespec) -> c_int;
type Join = unsafe extern "C" fn(libc::pthread_t, *mut *mut c_void) -> c_int;

// SAFETY: glibc and musl give `syscall` this signature.
static SYSCALL: Next<Syscall> = unsafe { Next::new(c"syscall") };
// SAFETY: POSIX gives `clock_nanosleep` this signature.
static CLOCK_NANOSLEEP: Next<ClockNanosleep> = unsafe { Next::new(c"clock_nanosleep") };
// SAFETY: POSIX gives `nanosleep` this signature.
static NANOSLEEP: Next<Nanosleep> = unsafe { Next::new(c"nanosleep") };
// SAFETY: POSIX gives `pthread_join` this signature.
static JOIN: Next<Join> = unsafe { Next::new(c"pthread_join") };

/// Stands before libc's `syscall`. Only calls of futexes are looked at; of those, it puts the frame in
/// place of the number, which is known. libc's function takes as many arguments as the system call
/// has, at most six; all six are passed on, as libc does.
#[unsafe(no_mangle)]
#[unsafe(naked)]
unsafe extern "C-unwind" fn syscall() {
    #[cfg(target_arch = "x86_64")]
    core::arch::naked_asm!(
        enter!(),
        // The sixth argument of the system call is on the stack, which stays aligned.
        "push qword ptr [rbp + 16]",
        "push qword ptr [rsp]",
        "cmp rdi, {futex}",
        "jne 2f",
        "mov rdi, rbp",
        "call {wait}",
        "jmp 3f",
        "2:",
        "call {other}",
        "3:",
        leave!(),
        futex = const libc::SYS_futex,
        wait = sym futex,
        other = sym other_call,
    );
    #[cfg(target_arch = "aarch64")]
    core::arch::naked_asm!(
        enter!(),
        "cmp x0, #{futex}",
        "b.ne 2f",
        "mov x0, sp",
        "bl {wait}",
        "b 3f",
        "2:",
        "bl {other}",
        "3:",
        leave!(),
        futex = const libc::SYS_futex,
        wait = sym futex,
        other = sym other_call,
    );
}

/// # Safety
///
/// As libc's `syscall`.
unsafe extern "C-unwind" fn other_call(
    number: c_long,
    a: usize,
    b: usize,
    c: usize,
    d: usize,
    e: usize,
    f: usize,
) -> c_long {
    // SAFETY: passed on unchanged.
    unsafe { SYSCALL.get()(number, a, b, c, d, e, f) }
}

/// # Safety
///
/// As libc's `syscall` with the number of `futex`.
unsafe extern "C-unwind" fn futex(
    caller: Frame,
    address: usize,
    operation: usize,
    value: usize,
    time: *const libc::timespec,
    second: usize,
    bits: usize,
) -> c_long {
    let call = || {
        // SAFETY: passed on unchanged.
        unsafe {
            SYSCALL.get()(
                libc::SYS_futex,
                address,
                operation,
                value,
                time,
                second,
                bits,
            )
        }
    };
    // The number of the operation is an `int`; above it may be anything.
    let operation = operation as c_int;
    let address = address as u64;
    match operation & !FUTEX_FLAGS {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
            // SAFETY: the caller vouches for the time, if it gives one.
            let until = unsafe { time.as_ref() }.map(|time| futex_deadline(operation, *time));
            // As if it had been woken: whoever waits at a futex must look whether that was meant for him.
            blocked(Waiting::Futex { address, until }, caller, || match call() {
                -1 if is_cut_short() => 0,
                result => result,
            })
        }
        libc::FUTEX_WAKE | libc::FUTEX_WAKE_BITSET => {
            let wakes = trace::wakes(address, caller);
            let woken = call();
            if woken > 0 {
                wakes.happened();
            }
            woken
        }
        _ => call(),
    }
}

/// What may stand beside the number of an operation.
const FUTEX_FLAGS: c_int = libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME;

/// When a wait at a futex ends by itself, on the monotonic clock.
fn futex_deadline(operation: c_int, time: libc::timespec) -> u64 {
    let time = nanoseconds(time);
    let is_absolute = operation & !FUTEX_FLAGS == libc::FUTEX_WAIT_BITSET;
    match operation & libc::FUTEX_CLOCK_REALTIME {
        _ if !is_absolute => now().saturating_add(time),
        0 => time,
        _ => monotonic(time),
    }
}

/// Whether a call has failed because its thread was interrupted in order to stop.
fn is_cut_short() -> bool {
    // SAFETY: the address of this thread's `errno` is always valid.
    let number = unsafe { *libc::__errno_location() };
    let is_cut_short = number == libc::EINTR && stop::is_wanted();
    if is_cut_short {
        stop::note_place();
    }
    is_cut_short
}

fn set_error_number(number: c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = number };
}

/// A time of day as a time of the monotonic clock, as long as nobody sets the clock.
fn monotonic(time_of_day: u64) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable, and Linux has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) };
    now().saturating_add(time_of_day.saturating_sub(nanoseconds(time)))
}

interpose!(clock_nanosleep, sleep_by_clock, x86_64: "r8", aarch64: "x4");

/// # Safety
///
/// As libc's `clock_nanosleep`.
unsafe extern "C-unwind" fn sleep_by_clock(
    clock: libc::clockid_t,
    flags: c_int,
    time: *const libc::timespec,
    rest: *mut libc::timespec,
    caller: Frame,
) -> c_int {
    // SAFETY: the caller vouches for the time.
    let span = nanoseconds(unsafe { time.read() });
    let until = match (flags & libc::TIMER_ABSTIME != 0, clock) {
        (false, _) => now().saturating_add(span),
        (true, libc::CLOCK_REALTIME) => monotonic(span),
        (true, _) => span,
    };
    blocked(Waiting::Sleep { until }, caller, || {
        // SAFETY: passed on unchanged.
        match unsafe { CLOCK_NANOSLEEP.get()(clock, flags, time, rest) } {
            libc::EINTR if stop::is_wanted() => {
                stop::note_place();
                0
            }
            result => result,
        }
    })
}

interpose!(nanosleep, sleep, x86_64: "rdx", aarch64: "x2");

/// # Safety
///
/// As libc's `nanosleep`.
unsafe extern "C-unwind" fn sleep(
    time: *const libc::timespec,
    rest: *mut libc::timespec,
    caller: Frame,
) -> c_int {
    // SAFETY: the caller vouches for the time.
    let until = now().saturating_add(nanoseconds(unsafe { time.read() }));
    blocked(Waiting::Sleep { until }, caller, || {
        // SAFETY: passed on unchanged.
        match unsafe { NANOSLEEP.get()(time, rest) } {
            -1 if is_cut_short() => 0,
            result => result,
        }
    })
}

interpose!(pthread_join, join, x86_64: "rdx", aarch64: "x2");

/// # Safety
///
/// As libc's `pthread_join`.
unsafe extern "C-unwind" fn join(
    thread: libc::pthread_t,
    result: *mut *mut c_void,
    caller: Frame,
) -> c_int {
    blocked(Waiting::Join { handle: thread }, caller, || {
        // SAFETY: passed on unchanged.
        unsafe { JOIN.get()(thread, result) }
    })
}

/// Defines functions that pass on their arguments, and say meanwhile what their thread waits for; if
/// they may wait at all, which the second expression tells.
macro_rules! waits {
    ($($name:ident, $static:ident, $waiting:expr, $may_wait:expr, $x86:literal, $arm:literal,
       ($($argument:ident: $type:ty),*) -> $result:ty;)*) => { $(
        static $static: Next<unsafe extern "C" fn($($type),*) -> $result> =
            // SAFETY: POSIX, or for those of epoll Linux, gives the function this signature.
            unsafe { Next::new(next_name(concat!(stringify!($name), "\0"))) };

        mod $name {
            #[allow(unused_imports, reason = "not every function needs every type")]
            use super::*;

            interpose!($name, inner, x86_64: $x86, aarch64: $arm);

            /// # Safety
            ///
            /// As libc's function of this name.
            unsafe extern "C-unwind" fn inner($($argument: $type,)* caller: Frame) -> $result {
                let _pause = trace::pause_if(|| !$may_wait);
                // SAFETY: passed on unchanged.
                let call = || unsafe { $static.get()($($argument),*) };
                blocked($waiting, caller, || match call() {
                    -1 if is_cut_short() => {
                        // Not EINTR: libstd would call again.
                        set_error_number(libc::ECANCELED);
                        -1
                    }
                    result => result,
                })
            }
        }
    )* };
}

const fn next_name(name: &'static str) -> &'static std::ffi::CStr {
    match std::ffi::CStr::from_bytes_with_nul(name.as_bytes()) {
        Ok(name) => name,
        Err(_) => panic!("a name ends in its only nul"),
    }
}

/// Whether a call with this time does not wait.
fn is_no_time(time: *const libc::timespec) -> bool {
    // SAFETY: the caller of `ppoll` vouches for the time, if it gives one.
    unsafe { time.as_ref() }.is_some_and(|time| nanoseconds(*time) == 0)
}

waits! {
    epoll_wait, EPOLL_WAIT, at_epoll(epoll, timeout), (timeout != 0), "r8", "x4",
        (epoll: c_int, events: *mut libc::epoll_event, count: c_int, timeout: c_int) -> c_int;
    epoll_pwait, EPOLL_PWAIT, at_epoll(epoll, timeout), (timeout != 0), "r9", "x5",
        (epoll: c_int, events: *mut libc::epoll_event, count: c_int, timeout: c_int,
         mask: *const libc::sigset_t) -> c_int;
    poll, POLL, Waiting::Io, (timeout != 0), "rcx", "x3",
        (descriptors: *mut libc::pollfd, count: libc::nfds_t, timeout: c_int) -> c_int;
    ppoll, PPOLL, Waiting::Io, !is_no_time(timeout), "r8", "x4",
        (descriptors: *mut libc::pollfd, count: libc::nfds_t, timeout: *const libc::timespec,
         mask: *const libc::sigset_t) -> c_int;
    recv, RECV, Waiting::Io, descriptors::may_block(socket), "r8", "x4",
        (socket: c_int, buffer: *mut c_void, length: usize, flags: c_int) -> isize;
    accept4, ACCEPT, Waiting::Io, descriptors::may_block(socket), "r8", "x4",
        (socket: c_int, address: *mut libc::sockaddr, length: *mut libc::socklen_t, flags: c_int) -> c_int;
    waitpid, WAIT_PID, Waiting::Process, (options & libc::WNOHANG == 0), "rcx", "x3",
        (process: libc::pid_t, status: *mut c_int, options: c_int) -> libc::pid_t;
    waitid, WAIT_ID, Waiting::Process, (options & libc::WNOHANG == 0), "r8", "x4",
        (kind: libc::idtype_t, id: libc::id_t, info: *mut libc::siginfo_t, options: c_int) -> c_int;
}
