//! The kernel's end of the socket to the process that runs the cells.
//!
//! Everything that a cell shows passes here, in order. A thread moves it on while cells run; at the
//! end of a cell the evaluator moves on what is left ([`HostLink::drain`]), so that all of a cell's
//! output comes before its end without anybody waiting for time to pass.

use std::{
    fs::File,
    io::{self, IoSliceMut, Read, Write},
    mem::MaybeUninit,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use interleave_protocol::{HostEvent, HostRequest, Panic, QuestionMark};
use rustix::{
    event::{PollFd, PollFlags},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags},
};
use tokio::sync::oneshot;

use super::{
    places::{Place, Places},
    reader::{Chunk, Reader},
    text::Utf8Stream,
};
use crate::evaluator::{Output, OutputSink, Stream};

const READ_SIZE: usize = 64 * 1024;

/// Shared by the evaluator and the thread that moves output on.
#[derive(Debug, Clone)]
pub(super) struct HostLink(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    listener: UnixListener,
    host: Option<Host>,
    /// Where output goes: to the newest cell, also after its end.
    sink: Option<OutputSink>,
    places: Places,
    report: Report,
    executing: bool,
}

/// A connected host.
#[derive(Debug)]
struct Host {
    socket: UnixStream,
    reader: Reader,
    text: [Utf8Stream; 2],
    /// What programs that a cell started write to the streams.
    pipes: Vec<(Stream, File)>,
}

/// What the host said about how the cell ended.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Panics on the cell's thread; the last one ended the cell if `panicked`.
    pub(super) panics: Vec<Panic>,
    pub(super) panicked: bool,
    pub(super) question_mark: Option<QuestionMark>,
}

impl HostLink {
    /// Listens for hosts at `path`.
    pub(super) fn listen(path: &Path) -> Result<Self> {
        let listener = UnixListener::bind(path)
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        listener.set_nonblocking(true)?;
        let link = Self(Arc::new(Mutex::new(State {
            listener,
            host: None,
            sink: None,
            places: Places::default(),
            report: Report::default(),
            executing: false,
        })));
        let mover = link.clone();
        thread::Builder::new()
            .name("interleave-output".into())
            .spawn(move || mover.move_output_on())
            .context("cannot start a thread")?;
        Ok(link)
    }

    /// From now on output belongs to this cell.
    pub(super) fn begin_cell(&self, source: super::places::Source, sink: OutputSink) {
        let mut state = self.lock();
        state.move_everything_on();
        state.places.add(source);
        state.sink = Some(sink);
        state.report = Report::default();
        state.executing = false;
    }

    /// Moves on everything that the host wrote before evcxr learned that the cell is over, and
    /// returns what it said about the end.
    pub(super) fn drain(&self) -> Report {
        let mut state = self.lock();
        state.move_everything_on();
        state.executing = false;
        std::mem::take(&mut state.report)
    }

    /// Whether compiled code of the cell runs, as opposed to the compiler.
    pub(super) fn is_executing(&self) -> bool {
        self.lock().executing
    }

    /// Reads the cells that were run.
    pub(super) fn with_places<T>(&self, read: impl FnOnce(&Places) -> T) -> T {
        read(&self.lock().places)
    }

    /// Shows something as output of the current cell.
    pub(super) fn show(&self, output: Output) {
        self.lock().send(output);
    }

    /// Says that a panic happened which did not end its cell, as a program would on standard error.
    pub(super) fn print_panic(&self, panic: &Panic) {
        self.lock().print_panic(panic);
    }

    fn move_output_on(&self) {
        loop {
            let sources = self.lock().sources();
            let Ok(sources) = sources else { return };
            let mut polled: Vec<PollFd<'_>> = sources
                .iter()
                .map(|fd| PollFd::new(fd, PollFlags::IN))
                .collect();
            match rustix::event::poll(&mut polled, None) {
                Ok(_) => self.lock().move_everything_on(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot wait for output of cells");
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Copies of the descriptors on which something may arrive: the originals may be closed by the
    /// other thread while this one waits, which then wakes it.
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        let host = self.host.iter().flat_map(Host::descriptors);
        std::iter::once(self.listener.as_fd())
            .chain(host)
            .map(|fd| fd.try_clone_to_owned())
            .collect()
    }

    fn move_everything_on(&mut self) {
        self.move_host_on();
        if let Ok((socket, _)) = self.listener.accept() {
            self.host = Host::new(socket).ok();
            self.move_host_on();
        }
    }

    fn move_host_on(&mut self) {
        let Some(mut host) = self.host.take() else {
            return;
        };
        let alive = host.read();
        while let Some(chunk) = host.reader.next() {
            self.take_chunk(&mut host, chunk);
        }
        for (stream, text) in host.read_pipes() {
            self.send(Output::Stream { stream, text });
        }
        if alive {
            self.host = Some(host);
        }
    }

    fn take_chunk(&mut self, host: &mut Host, chunk: Chunk) {
        match chunk {
            Chunk::Output(stream, bytes) => {
                let text = host.text[stream as usize].decode(&bytes);
                if !text.is_empty() {
                    self.send(Output::Stream {
                        stream: stream.into(),
                        text,
                    });
                }
            }
            Chunk::Event(event) => self.take_event(host, event),
        }
    }

    fn take_event(&mut self, host: &Host, event: HostEvent) {
        match event {
            HostEvent::Hello { .. } | HostEvent::Output { .. } => {}
            HostEvent::CellStarted => self.executing = true,
            HostEvent::Display(display) => self.send(Output::Display(display)),
            HostEvent::ClearOutput { wait } => self.send(Output::Clear { wait }),
            HostEvent::Panic(panic) if panic.on_cell_thread => self.report.panics.push(panic),
            HostEvent::Panic(panic) => self.print_panic(&panic),
            HostEvent::CellPanicked => self.report.panicked = true,
            HostEvent::QuestionMark(error) => self.report.question_mark = Some(error),
            HostEvent::InputRequest { prompt, password } => self.ask(host, prompt, password),
        }
    }

    fn ask(&self, host: &Host, prompt: String, password: bool) {
        let Ok(mut socket) = host.socket.try_clone() else {
            return;
        };
        let (reply, answer) = oneshot::channel();
        self.send(Output::Input {
            prompt,
            password,
            reply,
        });
        let waiting = thread::Builder::new()
            .name("interleave-input".into())
            .spawn(move || {
                let value = answer.blocking_recv().ok();
                // An error means that the host is gone, and with it the question.
                let _ =
                    socket.write_all(&interleave_protocol::to_line(&HostRequest::Input { value }));
            });
        if let Err(error) = waiting {
            tracing::error!(%error, "cannot wait for input");
        }
    }

    fn print_panic(&self, panic: &Panic) {
        let thread = panic.thread.as_deref().unwrap_or("<unnamed>");
        let place = panic
            .location
            .as_ref()
            .map_or("an unknown place".to_owned(), |location| {
                match self.places.of_panic(location) {
                    Some(place) => self.describe(place),
                    None => format!("{}:{}:{}", location.file, location.line, location.column),
                }
            });
        let text = format!(
            "thread '{thread}' panicked at {place}:\n{}\n",
            panic.message
        );
        self.send(Output::Stream {
            stream: Stream::Stderr,
            text,
        });
    }

    fn describe(&self, place: Place) -> String {
        let number = self.places.cell(place.cell).map_or(0, |cell| cell.number);
        format!("In[{number}]:{}:{}", place.line, place.column)
    }

    fn send(&self, output: Output) {
        if let Some(sink) = &self.sink {
            sink.send(output);
        }
    }
}

impl Host {
    fn new(socket: UnixStream) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self {
            socket,
            reader: Reader::default(),
            text: Default::default(),
            pipes: Vec::new(),
        })
    }

    fn descriptors(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        std::iter::once(self.socket.as_fd()).chain(self.pipes.iter().map(|(_, pipe)| pipe.as_fd()))
    }

    /// Reads what is there. Returns false at the end of the connection.
    fn read(&mut self) -> bool {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = rustix::net::recvmsg(
                &self.socket,
                &mut [IoSliceMut::new(&mut buffer)],
                &mut ancillary,
                RecvFlags::CMSG_CLOEXEC,
            );
            let count = match received {
                Ok(message) if message.bytes == 0 => return false,
                Ok(message) => message.bytes,
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return error == rustix::io::Errno::AGAIN,
            };
            for message in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                    self.take_pipes(descriptors);
                }
            }
            self.reader.add(buffer.get(..count).unwrap_or_default());
        }
    }

    /// Takes the read ends of the pipes on standard output and standard error, in this order.
    fn take_pipes(&mut self, descriptors: impl Iterator<Item = OwnedFd>) {
        for (stream, descriptor) in [Stream::Stdout, Stream::Stderr]
            .into_iter()
            .zip(descriptors)
        {
            if rustix::io::ioctl_fionbio(&descriptor, true).is_ok() {
                self.pipes.push((stream, File::from(descriptor)));
            }
        }
    }

    fn read_pipes(&mut self) -> Vec<(Stream, String)> {
        let mut texts = Vec::new();
        let mut buffer = vec![0; READ_SIZE];
        self.pipes.retain_mut(|(stream, pipe)| {
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => return false,
                    Ok(count) => {
                        let bytes = buffer.get(..count).unwrap_or_default();
                        texts.push((*stream, String::from_utf8_lossy(bytes).into_owned()));
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return true,
                }
            }
        });
        texts
    }
}

impl From<interleave_protocol::Stream> for Stream {
    fn from(stream: interleave_protocol::Stream) -> Self {
        match stream {
            interleave_protocol::Stream::Stdout => Self::Stdout,
            interleave_protocol::Stream::Stderr => Self::Stderr,
        }
    }
}
