//! Takes requests, forks, and tells how each copy has ended.

use std::{
    ffi::OsString,
    io::{self, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    process::exit,
};

use interleave_protocol::{
    FORK_BEGINS, FORKSERVER_IDENTITY_ENV, FORKSERVER_SOCKET_ENV, ForkRequest, MOST_OF_REQUEST,
    at_socket,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags,
        SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, listen, recv, recvmsg, send,
        socket_with,
    },
    process::{
        Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open,
        set_parent_process_death_signal, waitpid,
    },
    thread::set_name,
};

/// What a copy is to do.
pub(crate) struct Asked {
    pub(crate) request: ForkRequest,
    /// The working directory, then the standard streams.
    pub(crate) descriptors: [OwnedFd; 4],
}

/// A copy, and who waits for it.
struct Call {
    connection: OwnedFd,
    pid: Pid,
    end: OwnedFd,
}

/// What has happened.
enum Event {
    /// Nobody holds the other end of standard input any more.
    Over,
    Connected,
    /// The copy with this index has ended, or nobody waits for it any more.
    Ended(usize),
}

/// Serves, if the environment asks for it. Returns in each copy, with what it is to do; at once, if this is no
/// server. The server itself ends when its standard input does.
pub(crate) fn serve() -> Option<Asked> {
    let path = std::env::var_os(FORKSERVER_SOCKET_ENV)?;
    let identity = std::env::var_os(FORKSERVER_IDENTITY_ENV)?;
    match serve_at(&path, &identity) {
        Ok(asked) => Some(asked),
        Err(_) => exit(1),
    }
}

fn serve_at(path: &OsString, identity: &OsString) -> io::Result<Asked> {
    let listener = socket_with(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    at_socket(Path::new(path), |path| {
        Ok(bind(&listener, &SocketAddrUnix::new(path)?)?)
    })?;
    listen(&listener, 8)?;
    // Whoever looks for a running compiler is not to find this one; and who finds it can call it.
    let _ = set_name(c"forkserver");
    let mut calls: Vec<Call> = Vec::new();
    loop {
        match wait(&listener, &calls)? {
            Event::Over => exit(0),
            Event::Ended(index) => finish(calls.swap_remove(index)),
            Event::Connected => {
                let Ok(connection) = accept_with(&listener, SocketFlags::CLOEXEC) else {
                    continue;
                };
                let asked =
                    receive(&connection).filter(|asked| *identity == *asked.request.identity);
                let Some(asked) = asked else { continue };
                match fork()? {
                    // What belongs to the server is closed here.
                    None if may_begin(&connection) => return Ok(asked),
                    None => exit(1),
                    Some(pid) => {
                        // Who asks reads the other ends until nobody has these.
                        drop(asked);
                        match pidfd_open(pid, PidfdFlags::empty()) {
                            Ok(end) => {
                                tell(&connection, pid.as_raw_nonzero().get());
                                calls.push(Call {
                                    connection,
                                    pid,
                                    end,
                                });
                            }
                            Err(_) => end_now(pid),
                        }
                    }
                }
            }
        }
    }
}

fn wait(listener: &OwnedFd, calls: &[Call]) -> Result<Event, Errno> {
    let nothing = PollFlags::empty();
    let input = rustix::stdio::stdin();
    let mut watched = vec![
        PollFd::from_borrowed_fd(input, nothing),
        PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN),
    ];
    for call in calls {
        watched.push(PollFd::from_borrowed_fd(call.end.as_fd(), PollFlags::IN));
        // Says nothing more; that it is closed is always told.
        watched.push(PollFd::from_borrowed_fd(call.connection.as_fd(), nothing));
    }
    loop {
        match poll(&mut watched, None) {
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
            Ok(_) => break,
        }
    }
    let happened = |index: usize| !watched[index].revents().is_empty();
    if happened(0) {
        return Ok(Event::Over);
    }
    let ended = (0..calls.len()).find(|call| happened(2 + 2 * call) || happened(3 + 2 * call));
    Ok(ended.map_or(Event::Connected, Event::Ended))
}

/// `None` if it is no request. The connection is then closed, and who asked does without.
fn receive(connection: &OwnedFd) -> Option<Asked> {
    let mut bytes = vec![0; MOST_OF_REQUEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        connection,
        &mut [IoSliceMut::new(&mut bytes)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    );
    let descriptors: Vec<OwnedFd> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
            _ => None,
        })
        .flatten()
        .collect();
    Some(Asked {
        request: serde_json::from_slice(&bytes[..received.ok()?.bytes]).ok()?,
        descriptors: descriptors.try_into().ok()?,
    })
}

/// `None` in the copy.
fn fork() -> Result<Option<Pid>, Errno> {
    let server = rustix::process::getpid();
    // SAFETY: the process has one thread, so the copy may do whatever the original may.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(Errno::AGAIN);
    }
    let pid = Pid::from_raw(pid);
    if pid.is_none() {
        // Who asked will learn nothing more.
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
        if rustix::process::getppid() != Some(server) {
            exit(1);
        }
    }
    Ok(pid)
}

/// Waits in the copy for who asked; it is not wanted if he has given up.
fn may_begin(connection: &OwnedFd) -> bool {
    let mut word = FORK_BEGINS;
    loop {
        match recv(connection, &mut word, RecvFlags::empty()) {
            Err(Errno::INTR) => {}
            received => return received.is_ok_and(|(_, length)| length == word.len()),
        }
    }
}

fn tell(connection: &OwnedFd, number: i32) {
    // An error means that nobody waits for it.
    let _ = send(connection, &number.to_ne_bytes(), SendFlags::NOSIGNAL);
}

/// Tells how the copy has ended; ends it, if nobody is there to be told.
fn finish(call: Call) {
    let has_ended = has_event(call.end.as_fd());
    if !has_ended {
        return end_now(call.pid);
    }
    if let Ok(Some((_, status))) = waitpid(Some(call.pid), WaitOptions::empty()) {
        tell(&call.connection, status.as_raw());
    }
}

fn has_event(descriptor: BorrowedFd<'_>) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(descriptor, PollFlags::IN)];
    let now = rustix::event::Timespec::default();
    poll(&mut watched, Some(&now)).is_ok_and(|count| count > 0)
}

fn end_now(pid: Pid) {
    let _ = kill_process(pid, Signal::KILL);
    let _ = waitpid(Some(pid), WaitOptions::empty());
}
