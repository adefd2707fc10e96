//! A copy of a server, which does what was asked of it.
//!
//! Whatever a server is in the middle of when somebody stops it (SIGSTOP), nobody waits for it for ever, and
//! no two processes do the same work at the same time: a copy begins only when it is told to, and what it
//! leaves is replaced only when it has ended.

use std::{
    fs,
    io::{self, IoSlice},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::process::ExitStatusExt,
    },
    path::{Path, PathBuf},
    process::ExitStatus,
    time::Duration,
};

use interleave_protocol::{FORK_BEGINS, at_socket};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
        SocketAddrUnix, SocketFlags, SocketType, connect, recv, send, sendmsg, socket_with,
        sockopt::{Timeout, set_socket_timeout},
    },
    process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal},
};

/// So long a server may take for what it does at once: to make a copy, and to tell how one has ended. It
/// takes a millisecond. Who needs longer is stopped, or on a machine so busy that a call more is
/// no loss.
const PATIENCE: Duration = Duration::from_secs(2);

/// A copy that was told to begin.
pub(super) struct Running {
    connection: OwnedFd,
    /// Of the copy.
    end: OwnedFd,
    socket: PathBuf,
}

impl Running {
    /// Has the server at this socket make a copy, which begins. `None` if it does not.
    pub(super) fn begin(
        socket: &Path,
        request: &[u8],
        descriptors: &[BorrowedFd<'_>; 4],
    ) -> Option<Self> {
        let connection = connect_to(socket).ok()?;
        send_request(&connection, request, descriptors).ok()?;
        let pid = answer(&connection, socket)?;
        let end = pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()?;
        send(&connection, &FORK_BEGINS, SendFlags::NOSIGNAL).ok()?;
        Some(Self {
            connection,
            end,
            socket: socket.to_owned(),
        })
    }

    /// Ends the copy.
    pub(super) fn end(&self) {
        // An error means that it has ended.
        let _ = pidfd_send_signal(&self.end, Signal::KILL);
    }

    /// Waits until the copy has ended. `None` if the server does not tell how.
    pub(super) fn status(&self) -> Option<ExitStatus> {
        let mut watched = [&self.connection, &self.end]
            .map(|descriptor| PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN));
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        answer(&self.connection, &self.socket).map(ExitStatus::from_raw)
    }
}

fn connect_to(socket: &Path) -> io::Result<OwnedFd> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let connection = socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    // Also of connecting: if the server takes no calls, the queue of those who wait is full one day.
    set_socket_timeout(&connection, Timeout::Send, Some(PATIENCE))?;
    at_socket(socket, |path| {
        Ok(connect(&connection, &SocketAddrUnix::new(path)?)?)
    })?;
    Ok(connection)
}

fn send_request(
    connection: &OwnedFd,
    request: &[u8],
    descriptors: &[BorrowedFd<'_>; 4],
) -> rustix::io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    let request = [IoSlice::new(request)];
    sendmsg(connection, &request, &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// The number that the server sends next. Who is silent is asked nothing more, by nobody.
fn answer(connection: &OwnedFd, socket: &Path) -> Option<i32> {
    let limit = Timespec::try_from(PATIENCE).ok()?;
    let mut watched = [PollFd::from_borrowed_fd(connection.as_fd(), PollFlags::IN)];
    loop {
        match poll(&mut watched, Some(&limit)) {
            Err(Errno::INTR) => {}
            Ok(1) => break,
            _ => {
                let _ = fs::remove_file(socket);
                return None;
            }
        }
    }
    let mut number = [0; size_of::<i32>()];
    let (_, length) = recv(connection, &mut number, RecvFlags::empty()).ok()?;
    (length == number.len()).then(|| i32::from_ne_bytes(number))
}
