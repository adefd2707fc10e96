//! Standard output and standard error: what a cell writes goes to the kernel in the order of the
//! writes, whichever thread and stream they come from.

use std::{
    ffi::{c_int, c_void},
    io,
    os::fd::{AsFd, BorrowedFd},
    sync::OnceLock,
};

use interleave_protocol::Stream;

use crate::{
    link,
    next::Next,
    observe::{Frame, interpose},
    trace,
};

/// Identities of the two pipes that `stdio` put on the streams.
static PIPES: OnceLock<[(u64, u64); 2]> = OnceLock::new();

/// Remembers the pipes, so that a cell which redirects or closes a stream gets what it asks for.
pub(crate) fn expect(stdout: impl AsFd, stderr: impl AsFd) -> io::Result<()> {
    let pipes = [identity(stdout.as_fd())?, identity(stderr.as_fd())?];
    PIPES
        .set(pipes)
        .map_err(|_| io::Error::other("the streams were taken over twice"))
}

fn identity(fd: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// The stream behind a descriptor, if it is one of the two and still leads to its pipe.
fn stream(fd: c_int) -> Option<Stream> {
    let (stream, standard) = match fd {
        1 => (Stream::Stdout, rustix::stdio::stdout()),
        2 => (Stream::Stderr, rustix::stdio::stderr()),
        _ => return None,
    };
    let pipes = PIPES.get()?;
    let expected = pipes[usize::from(stream == Stream::Stderr)];
    (identity(standard).ok()? == expected).then_some(stream)
}

interpose!(interleave_host_debug, debug, x86_64: "r8", aarch64: "x4");

/// For the prelude: sends the event of a `dbg!`, whose place the kernel tells in words of the student,
/// instead of a write to standard error. Returns false when that is to be written: if a cell has
/// redirected it, or the kernel is gone.
///
/// # Safety
///
/// `event` must point to the `length` bytes of a line, `text` to `text_length` bytes.
unsafe extern "C-unwind" fn debug(
    event: *const u8,
    length: usize,
    text: *const u8,
    text_length: usize,
    caller: Frame,
) -> bool {
    if stream(2).is_none() {
        return false;
    }
    // SAFETY: the caller vouches for both.
    let (event, text) = unsafe {
        (
            std::slice::from_raw_parts(event, length),
            std::slice::from_raw_parts(text, text_length),
        )
    };
    trace::prints(Stream::Stderr, &[text], caller);
    link::send_line(event)
}

type Write = unsafe extern "C" fn(c_int, *const c_void, usize) -> isize;
type WriteVectored = unsafe extern "C" fn(c_int, *const libc::iovec, c_int) -> isize;

// SAFETY: POSIX gives `write` this signature.
static WRITE: Next<Write> = unsafe { Next::new(c"write") };
// SAFETY: POSIX gives `writev` this signature.
static WRITE_VECTORED: Next<WriteVectored> = unsafe { Next::new(c"writev") };

interpose!(write, write_to_kernel_or_file, x86_64: "rcx", aarch64: "x3");

/// What goes to a standard stream goes to the kernel, the rest to libc.
///
/// # Safety
///
/// As libc's `write`: `buffer` must point to `count` readable bytes.
unsafe extern "C-unwind" fn write_to_kernel_or_file(
    fd: c_int,
    buffer: *const c_void,
    count: usize,
    caller: Frame,
) -> isize {
    if let Some(stream) = stream(fd).filter(|_| count > 0) {
        // SAFETY: the caller vouches for the buffer.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), count) };
        trace::prints(stream, &[bytes], caller);
        if link::send_output(stream, &[bytes]) {
            return count as isize;
        }
    }
    // SAFETY: passed on unchanged.
    unsafe { WRITE.get()(fd, buffer, count) }
}

interpose!(writev, write_parts, x86_64: "rcx", aarch64: "x3");

/// As [`write_to_kernel_or_file`], for several buffers.
///
/// # Safety
///
/// As libc's `writev`: `parts` must point to `count` readable buffers.
unsafe extern "C-unwind" fn write_parts(
    fd: c_int,
    parts: *const libc::iovec,
    count: c_int,
    caller: Frame,
) -> isize {
    if let (Some(stream), Ok(length)) = (stream(fd), usize::try_from(count)) {
        // SAFETY: the caller vouches for the array …
        let parts = unsafe { std::slice::from_raw_parts(parts, length) };
        let parts: Vec<&[u8]> = parts
            .iter()
            .filter(|part| part.iov_len > 0)
            // SAFETY: … and for the buffers in it.
            .map(|part| unsafe { std::slice::from_raw_parts(part.iov_base.cast(), part.iov_len) })
            .collect();
        trace::prints(stream, &parts, caller);
        if link::send_output(stream, &parts) {
            return parts.iter().map(|part| part.len()).sum::<usize>() as isize;
        }
    }
    // SAFETY: passed on unchanged.
    unsafe { WRITE_VECTORED.get()(fd, parts, count) }
}
