//! The socket to the kernel, and the C functions by which the prelude uses it.

use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufRead, BufReader, IoSlice, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use interleave_protocol::{HostEvent, HostRequest, Stream};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};

use crate::{input, observe, threads};

struct Link {
    kernel: Mutex<UnixStream>,
    evcxr: Mutex<File>,
}

/// Output of at most so many bytes is copied behind its announcement.
const JOINED: usize = 4096;

static LINK: OnceLock<Link> = OnceLock::new();

/// Connects to the kernel and hands it the read ends of the output pipes.
pub(crate) fn connect(
    socket: &OsStr,
    control_out: OwnedFd,
    outputs: &[io::PipeReader; 2],
) -> io::Result<()> {
    let kernel = UnixStream::connect(socket)?;
    send_hello(&kernel, outputs)?;
    let requests = kernel.try_clone()?;
    let link = Link {
        kernel: Mutex::new(kernel),
        evcxr: Mutex::new(File::from(control_out)),
    };
    if LINK.set(link).is_err() {
        return Err(io::Error::other("connected twice"));
    }
    std::thread::Builder::new()
        .name("interleave-link".into())
        .spawn(move || serve_requests(requests))?;
    Ok(())
}

/// Sends an event to the kernel.
pub(crate) fn send(event: &HostEvent) {
    send_line(&interleave_protocol::to_line(event));
}

/// Says which cell the calling thread works for, before a line of its own.
fn attributed(line: &[u8]) -> Vec<u8> {
    interleave_protocol::from_cell(threads::cell(), line)
}

/// Sends what a cell writes to one of its streams. Returns false when the kernel is gone.
pub(crate) fn send_output(stream: Stream, bytes: &[&[u8]]) -> bool {
    let Some(link) = LINK.get() else { return false };
    let length = bytes.iter().map(|part| part.len()).sum();
    let header = attributed(&interleave_protocol::to_line(&HostEvent::Output {
        stream,
        length,
    }));
    if length <= JOINED {
        // Most writes are a line, and a system call costs more than a copy of it.
        let message = [&[header.as_slice()], bytes].concat().concat();
        return lock(&link.kernel).write_all(&message).is_ok();
    }
    let mut kernel = lock(&link.kernel);
    kernel.write_all(&header).is_ok() && bytes.iter().all(|part| kernel.write_all(part).is_ok())
}

/// Sends a line to evcxr, without its line end.
pub(crate) fn tell_evcxr(line: &str) {
    control_line(format!("{line}\n").as_bytes());
}

fn send_hello(kernel: &UnixStream, outputs: &[io::PipeReader; 2]) -> io::Result<()> {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    let line = attributed(&interleave_protocol::to_line(&HostEvent::Hello { pid }));
    let descriptors = [outputs[0].as_fd(), outputs[1].as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    rustix::net::sendmsg(
        kernel,
        &[IoSlice::new(&line)],
        &mut ancillary,
        SendFlags::empty(),
    )?;
    Ok(())
}

/// Answers the kernel, and ends this process with it: a cell that loops for ever, or a thread that
/// it left behind, must not outlive the notebook.
fn serve_requests(requests: UnixStream) {
    for line in BufReader::new(requests).split(b'\n') {
        let Ok(line) = line else { break };
        match interleave_protocol::from_line(&line) {
            Ok(HostRequest::Input { value }) => input::deliver(value),
            Ok(HostRequest::Threads) => {
                let (threads, unseen) = observe::threads();
                send(&HostEvent::Threads { threads, unseen });
            }
            // What nobody knows is nobody's loss: both ends are of one version.
            Err(_) => {}
        }
    }
    // SAFETY: `_exit` ends the process at once; exit handlers of half-run cells must not run.
    unsafe { libc::_exit(0) }
}

fn send_line(line: &[u8]) {
    if let Some(link) = LINK.get() {
        // An error means that the kernel is gone; `serve_requests` ends the process then.
        let _ = lock(&link.kernel).write_all(&attributed(line));
    }
}

fn control_line(line: &[u8]) {
    if let Some(link) = LINK.get() {
        // As above: nobody is left to hear it.
        let _ = lock(&link.evcxr).write_all(line);
    }
}

/// A panic elsewhere cannot leave half a line behind: each line is one `write_all`.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For the prelude: sends one line, which ends in a line end, to the kernel.
///
/// # Safety
///
/// `line` must point to `len` readable bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_host_send(line: *const u8, len: usize) {
    // SAFETY: the caller vouches for the pointer and the length.
    send_line(unsafe { std::slice::from_raw_parts(line, len) });
}

/// For the prelude: sends one line, which ends in a line end, to evcxr.
///
/// # Safety
///
/// `line` must point to `len` readable bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn interleave_host_control(line: *const u8, len: usize) {
    // SAFETY: the caller vouches for the pointer and the length.
    control_line(unsafe { std::slice::from_raw_parts(line, len) });
}
