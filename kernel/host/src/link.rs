//! The socket to the kernel, and the C functions by which the prelude uses it.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, IoSlice, Read, Write},
    mem::{ManuallyDrop, MaybeUninit},
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use interleave_protocol::{HostEvent, HostRequest, Stream, at_socket};
use rustix::{
    event::{PollFd, PollFlags},
    io::{DupFlags, Errno},
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags},
};

use crate::{descriptors::private, fork, input, observe, service, stop, tasks, threads, trace};

struct Link {
    /// Where the kernel listens.
    socket: OsString,
    kernel: Mutex<UnixStream>,
    /// The same connection.
    requests: UnixStream,
    /// The read ends of the output pipes.
    outputs: [io::PipeReader; 2],
    evcxr: Mutex<File>,
}

/// Output of at most so many bytes is copied behind its announcement.
const JOINED: usize = 4096;

static LINK: OnceLock<Link> = OnceLock::new();

/// Connects to the kernel and hands it the read ends of the output pipes.
pub(crate) fn connect(
    socket: OsString,
    control_out: OwnedFd,
    outputs: [io::PipeReader; 2],
) -> io::Result<()> {
    let kernel = UnixStream::from(private(connect_to(&socket)?)?);
    send_hello(&kernel, &outputs, false)?;
    let link = Link {
        socket,
        requests: UnixStream::from(private(&kernel)?),
        kernel: Mutex::new(kernel),
        outputs,
        evcxr: Mutex::new(File::from(control_out)),
    };
    if LINK.set(link).is_err() {
        return Err(io::Error::other("connected twice"));
    }
    listen()
}

/// Connects a copy of this process to the kernel, in place of the connection of the original, whose
/// last message may be torn. Call [`listen`] next.
pub(crate) fn reconnect() -> io::Result<()> {
    let link = LINK
        .get()
        .ok_or_else(|| io::Error::other("never connected"))?;
    let kernel = connect_to(&link.socket)?;
    send_hello(&kernel, &link.outputs, true)?;
    for old in [&*lock(&link.kernel), &link.requests] {
        replace(old, &kernel)?;
    }
    Ok(())
}

fn connect_to(socket: &OsStr) -> io::Result<UnixStream> {
    at_socket(Path::new(socket), |path| UnixStream::connect(path))
}

/// Makes the descriptor lead elsewhere.
fn replace(old: &UnixStream, new: &UnixStream) -> io::Result<()> {
    // SAFETY: the number stays open all the time and stays `old`'s.
    let mut number = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(old.as_raw_fd()) });
    Ok(rustix::io::dup3(new, &mut number, DupFlags::CLOEXEC)?)
}

/// Answers the kernel from now on.
pub(crate) fn listen() -> io::Result<()> {
    service::spawn("interleave-link", serve_requests)
}

/// The link, unless this is a copy of the process that a cell made: then another thread may have
/// held its locks at that moment.
fn link() -> Option<&'static Link> {
    LINK.get().filter(|_| !fork::is_child())
}

/// Sends an event to the kernel.
pub(crate) fn send(event: &HostEvent) {
    send_line(&interleave_protocol::to_line(event));
}

/// Sends an event that a cell has caused, whatever cell the calling thread works for.
pub(crate) fn send_for(cell: u64, event: &HostEvent) {
    send_attributed(&interleave_protocol::from_cell(
        cell,
        &interleave_protocol::to_line(event),
    ));
}

/// Says which cell the calling thread works for, before a line of its own.
fn attributed(line: &[u8]) -> Vec<u8> {
    interleave_protocol::from_cell(threads::cell(), line)
}

/// Sends what a cell writes to one of its streams. Returns false when the kernel is gone.
pub(crate) fn send_output(stream: Stream, bytes: &[&[u8]]) -> bool {
    let Some(link) = link() else { return false };
    let _pause = trace::pause();
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

/// Tells evcxr that nothing came of the cell: it keeps what it knew before. It has no word for that;
/// what is no UTF-8 is an error to it (`run_and_capture_output` in `eval_context.rs` of evcxr 0.22),
/// and after an error it commits nothing.
pub(crate) fn give_up_cell() {
    control_line(b"\xff\n");
}

/// Sends a line to evcxr, without its line end.
pub(crate) fn tell_evcxr(line: &str) {
    control_line(format!("{line}\n").as_bytes());
}

fn send_hello(kernel: &UnixStream, outputs: &[io::PipeReader; 2], is_copy: bool) -> io::Result<()> {
    let pid = rustix::process::getpid().as_raw_nonzero().get();
    let line = attributed(&interleave_protocol::to_line(&HostEvent::Hello {
        pid,
        is_copy,
    }));
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
fn serve_requests() {
    let mut received = Vec::new();
    while receive(&mut received).is_ok() {
        let _work = service::at_work();
        while let Some(end) = received.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = received.drain(..=end).collect();
            answer(&line);
        }
    }
    // SAFETY: `_exit` ends the process at once; exit handlers of half-run cells must not run.
    unsafe { libc::_exit(0) }
}

/// Waits for bytes. The end of the connection is an error.
fn receive(received: &mut Vec<u8>) -> io::Result<()> {
    let link = LINK.get().ok_or(io::ErrorKind::NotConnected)?;
    let mut polled = [PollFd::new(&link.requests, PollFlags::IN)];
    while rustix::event::poll(&mut polled, None) == Err(Errno::INTR) {}
    let _work = service::at_work();
    let mut buffer = [0; 4096];
    let count = (&link.requests).read(&mut buffer)?;
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    received.extend_from_slice(buffer.get(..count).unwrap_or_default());
    Ok(())
}

fn answer(line: &[u8]) {
    match interleave_protocol::from_line(line) {
        Ok(HostRequest::Input { value }) => input::deliver(value),
        Ok(HostRequest::Tasks) => send(&HostEvent::Tasks(tasks::states())),
        Ok(HostRequest::Interrupt { cell }) => stop::interrupt(cell),
        Ok(HostRequest::Threads) => {
            let (threads, unseen) = observe::threads();
            send(&HostEvent::Threads { threads, unseen });
        }
        Ok(HostRequest::Stop {
            threads,
            tasks,
            in_loops,
        }) => stop::stop_single(&threads, &tasks, &in_loops),
        Ok(HostRequest::LimitThreads { limit }) => observe::limit_threads(limit),
        Ok(HostRequest::Trace { is_on }) => trace::switch(is_on),
        Ok(HostRequest::Stuck) => send(&HostEvent::AllStuck {
            stuck: observe::all_stuck(),
        }),
        // What nobody knows is nobody's loss: both ends are of one version.
        Err(_) => {}
    }
}

/// Sends a line of the calling thread. Returns false when there is no kernel to hear it.
pub(crate) fn send_line(line: &[u8]) -> bool {
    send_attributed(&attributed(line))
}

fn send_attributed(line: &[u8]) -> bool {
    let _pause = trace::pause();
    // After an error the kernel is gone; `serve_requests` ends the process then.
    link().is_some_and(|link| lock(&link.kernel).write_all(line).is_ok())
}

fn control_line(line: &[u8]) {
    let _pause = trace::pause();
    if let Some(link) = link() {
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
