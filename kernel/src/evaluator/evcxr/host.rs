//! A connected host: its socket, and the pipes on its standard streams.

use std::{
    fs::File,
    io::{self, IoSliceMut, Read},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
};

use anyhow::{Context, Result};
use interleave_protocol::at_socket;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};

use super::{reader::Reader, text::Utf8Stream};
use crate::evaluator::Stream;

const READ_SIZE: usize = 64 * 1024;

/// Listens for hosts.
pub(super) fn listen(path: &Path) -> Result<UnixListener> {
    let listener = at_socket(path, |path| UnixListener::bind(path));
    let listener = listener.with_context(|| format!("cannot listen at {}", path.display()))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// A connected host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) socket: UnixStream,
    pub(super) reader: Reader,
    /// What programs that a cell started write to the streams.
    pipes: Vec<(Stream, File, Utf8Stream)>,
}

impl Host {
    pub(super) fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            reader: Reader::default(),
            pipes: Vec::new(),
        })
    }

    pub(super) fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(self.socket.as_fd())
            .chain(self.pipes.iter().map(|(_, pipe, _)| pipe.as_fd()))
    }

    /// Reads one piece.
    pub(super) fn read(&mut self) -> Received {
        let mut buffer = vec![0; READ_SIZE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let received = rustix::net::recvmsg(
            &self.socket,
            &mut [IoSliceMut::new(&mut buffer)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        );
        let count = match received {
            Ok(message) if message.bytes == 0 => return Received::End,
            Ok(message) => message.bytes,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Received::Nothing,
            Err(_) => return Received::End,
        };
        for message in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.take_pipes(descriptors);
            }
        }
        self.reader.add(buffer.get(..count).unwrap_or_default());
        Received::Some
    }

    /// Takes the read ends of the pipes on standard output and standard error, in this order.
    fn take_pipes(&mut self, descriptors: impl Iterator<Item = OwnedFd>) {
        for (stream, descriptor) in [Stream::Stdout, Stream::Stderr]
            .into_iter()
            .zip(descriptors)
        {
            if rustix::io::ioctl_fionbio(&descriptor, true).is_ok() {
                let text = Utf8Stream::default();
                self.pipes.push((stream, File::from(descriptor), text));
            }
        }
    }

    /// One piece from each pipe.
    pub(super) fn read_pipes(&mut self) -> Vec<(Stream, String)> {
        let mut texts = Vec::new();
        let mut buffer = vec![0; READ_SIZE];
        self.pipes
            .retain_mut(|(stream, pipe, text)| match pipe.read(&mut buffer) {
                Ok(0) => false,
                Ok(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    texts.push((*stream, text.decode(bytes)));
                    true
                }
                Err(_) => true,
            });
        texts
    }
}

/// What was on the socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    Some,
    Nothing,
    /// The host is gone.
    End,
}

impl From<interleave_protocol::Stream> for Stream {
    fn from(stream: interleave_protocol::Stream) -> Self {
        match stream {
            interleave_protocol::Stream::Stdout => Self::Stdout,
            interleave_protocol::Stream::Stderr => Self::Stderr,
        }
    }
}
