//! Standard input: a cell that reads it asks the front end.

use std::{
    collections::VecDeque,
    ffi::{c_int, c_void},
    sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError},
};

use interleave_protocol::HostEvent;

use crate::{
    descriptors, link,
    next::Next,
    observe::{Frame, Waiting, blocked, interpose},
    stop, trace,
};

/// What a terminal sends for Ctrl-D; typed alone into the input box, it ends standard input.
const END_OF_INPUT: &str = "\u{4}";

#[derive(Default)]
struct Input {
    /// Typed, not read yet.
    pending: VecDeque<u8>,
    /// Whether the kernel was asked and has not answered.
    asked: bool,
    /// How many threads wait for the answer.
    readers: usize,
    /// How many answers are still to come to questions that nobody asks any more.
    withdrawn: usize,
    /// The latest answer, when it is not text.
    refusal: Option<Refusal>,
}

#[derive(Clone, Copy)]
enum Refusal {
    /// The front end cannot be asked.
    Unavailable,
    /// The student ended the input.
    EndOfInput,
}

static INPUT: Mutex<Input> = Mutex::new(Input {
    pending: VecDeque::new(),
    asked: false,
    readers: 0,
    withdrawn: 0,
    refusal: None,
});
static ANSWERED: Condvar = Condvar::new();

/// Takes the kernel's answer.
pub(crate) fn deliver(value: Option<String>) {
    let mut input = lock();
    if input.withdrawn > 0 {
        input.withdrawn -= 1;
        return;
    }
    input.asked = false;
    match value {
        None => input.refusal = Some(Refusal::Unavailable),
        Some(value) if value == END_OF_INPUT => input.refusal = Some(Refusal::EndOfInput),
        Some(value) => {
            input.pending.extend(value.as_bytes());
            input.pending.push_back(b'\n');
        }
    }
    ANSWERED.notify_all();
}

/// Has those who read look whether they are to stop.
pub(crate) fn wake_readers() {
    ANSWERED.notify_all();
}

/// Reads from standard input as `read` would: some bytes, or 0 at the end, or the error number.
fn read_input(buffer: &mut [u8]) -> Result<usize, c_int> {
    let _pause = trace::pause();
    let mut input = lock();
    loop {
        if !input.pending.is_empty() {
            let count = buffer.len().min(input.pending.len());
            for (slot, byte) in buffer.iter_mut().zip(input.pending.drain(..count)) {
                *slot = byte;
            }
            return Ok(count);
        }
        match input.refusal.take() {
            Some(Refusal::Unavailable) => return Err(libc::EOPNOTSUPP),
            Some(Refusal::EndOfInput) => return Ok(0),
            None => {}
        }
        if !input.asked {
            input.asked = true;
            link::send(&HostEvent::InputRequest {
                prompt: String::new(),
                password: false,
            });
        }
        if stop::is_wanted() {
            input.withdraw();
            return Err(libc::ECANCELED);
        }
        input.readers += 1;
        input = ANSWERED.wait(input).unwrap_or_else(PoisonError::into_inner);
        input.readers -= 1;
    }
}

impl Input {
    /// The calling thread does not wait for the answer any more.
    fn withdraw(&mut self) {
        if self.asked && self.readers == 0 {
            self.asked = false;
            self.withdrawn += 1;
        }
    }
}

fn lock() -> MutexGuard<'static, Input> {
    INPUT.lock().unwrap_or_else(PoisonError::into_inner)
}

type Read = unsafe extern "C" fn(c_int, *mut c_void, usize) -> isize;

// SAFETY: POSIX gives `read` this signature.
static READ: Next<Read> = unsafe { Next::new(c"read") };

interpose!(read, read_from_front_end_or_file, x86_64: "rcx", aarch64: "x3");

/// Standard input comes from the front end, the rest from libc.
///
/// # Safety
///
/// As libc's `read`: `buffer` must point to `count` writable bytes.
unsafe extern "C-unwind" fn read_from_front_end_or_file(
    fd: c_int,
    buffer: *mut c_void,
    count: usize,
    caller: Frame,
) -> isize {
    if fd != 0 || count == 0 || !standard_input_is_ours() {
        let _pause = trace::pause_if(|| !descriptors::may_block(fd));
        return blocked(Waiting::Io, caller, || {
            // SAFETY: passed on unchanged.
            unsafe { READ.get()(fd, buffer, count) }
        });
    }
    // SAFETY: the caller vouches for the buffer; it is only written to.
    let buffer = unsafe { std::slice::from_raw_parts_mut(buffer.cast::<u8>(), count) };
    match blocked(Waiting::Input, caller, || read_input(buffer)) {
        Ok(count) => count as isize,
        Err(number) => {
            // SAFETY: the address of this thread's `errno` is always valid.
            unsafe { *libc::__errno_location() = number };
            -1
        }
    }
}

/// Whether descriptor 0 is still the null device that `stdio` put there: a cell may have replaced it.
fn standard_input_is_ours() -> bool {
    static NULL_DEVICE: OnceLock<Option<u64>> = OnceLock::new();
    let device = |stat: rustix::fs::Stat| stat.st_rdev;
    let null = NULL_DEVICE.get_or_init(|| rustix::fs::stat("/dev/null").ok().map(device));
    null.is_some() && rustix::fs::fstat(rustix::stdio::stdin()).ok().map(device) == *null
}
