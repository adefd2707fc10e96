//! The kernel's end of the socket to the process that runs the cells.
//!
//! Everything that a cell shows passes here, in order. A thread moves it on while cells run; at the
//! end of a cell the evaluator moves on what is left ([`HostLink::drain`]), so that all of a cell's
//! output comes before its end without anybody waiting for time to pass.

use std::{
    collections::HashMap,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixListener,
    },
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use interleave_protocol::{Display, Panic, Stuck, TaskStates};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

use super::{
    host::{self, Host, Received},
    lanes::Lanes,
    last_words::{LastWords, Report},
    lineage::Lineage,
    outputs::{Outputs, Settings},
    places::{Places, Source},
    reader::Message,
    running_code::RunningCode,
    why::shown::ShownDiagnoses,
};
use crate::evaluator::{Output, OutputSink, Stream};

mod debugging;
mod events;
mod input;
mod lanes;
mod panics;
mod stuck;
mod tasks;
mod threads;
mod warnings;

use debugging::DebugPlaces;
pub(super) use lanes::representations;
use panics::Panics;
pub(super) use threads::Threads;

mod process;

/// Stands for the newest cell where the host has named none.
const NEWEST: u64 = 0;

/// A socket holds less than this many reads, so that so many find everything that was in it.
const READS_TO_DRAIN: usize = 64;

/// Shared by the evaluator and the thread that moves output on.
#[derive(Debug, Clone)]
pub(super) struct HostLink {
    state: Arc<Mutex<State>>,
    /// Apart from the state, which may be locked for as long as a front end is slow to read.
    running: Arc<RunningCode>,
    /// Told when the host has answered, or is gone.
    answered: Arc<Condvar>,
    lineage: Lineage,
}

#[derive(Debug)]
struct State {
    listener: UnixListener,
    path: PathBuf,
    /// Wakes the thread that moves output on, when there is a new host for it to wait for.
    wake: OwnedFd,
    host: Option<Host>,
    outputs: Outputs,
    /// The number in `In [n]` of each cell, by the host's count.
    numbers: HashMap<u64, usize>,
    places: Places,
    /// Where the compiler left its warnings about the newest cell, until they are shown.
    warnings: Option<PathBuf>,
    report: Report,
    lineage: Lineage,
    running: Arc<RunningCode>,
    /// What the host answered to the question for its threads.
    threads: Option<Threads>,
    /// What it answered to the question for tasks.
    tasks: Option<TaskStates>,
    /// How many threads may live at once, if that was said.
    thread_limit: Option<usize>,
    panics: Panics,
    debug_places: DebugPlaces,
    /// What was said of threads that are stuck.
    diagnoses: ShownDiagnoses,
    /// What the host answered to the question for such threads.
    all_stuck: Option<Vec<Stuck>>,
    /// The value of a cell, which is to be its last output.
    value: Option<(u64, Display)>,
    answered: Arc<Condvar>,
    last_words: LastWords,
    /// When the newest cell began, with its compilation.
    began: Instant,
    lanes: Lanes,
}

impl HostLink {
    /// Listens for hosts at `path`.
    pub(super) fn listen(path: &Path) -> Result<Self> {
        let running = Arc::new(RunningCode::default());
        let answered = Arc::new(Condvar::new());
        let lineage = Lineage::default();
        let state = State {
            listener: host::listen(path)?,
            path: path.to_owned(),
            lineage: lineage.clone(),
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            host: None,
            outputs: Outputs::default(),
            numbers: HashMap::new(),
            places: Places::default(),
            warnings: None,
            report: Report::default(),
            running: Arc::clone(&running),
            threads: None,
            tasks: None,
            thread_limit: threads::limit_from_environment(),
            panics: Panics::default(),
            debug_places: DebugPlaces::default(),
            diagnoses: ShownDiagnoses::default(),
            all_stuck: None,
            value: None,
            answered: Arc::clone(&answered),
            last_words: LastWords::default(),
            began: Instant::now(),
            lanes: Lanes::default(),
        };
        let link = Self {
            state: Arc::new(Mutex::new(state)),
            running,
            answered,
            lineage,
        };
        let mover = link.clone();
        thread::Builder::new()
            .name("interleave-output".into())
            .spawn(move || mover.move_output_on())
            .context("cannot start a thread")?;
        Ok(link)
    }

    /// From now on output belongs to this cell, which is compiled in the directory.
    pub(super) fn begin_cell(&self, source: Source, sink: OutputSink, directory: &Path) {
        let mut state = self.lock();
        state.drain();
        state.show_value();
        state.places.add(source, directory);
        state.outputs.begin(sink);
        state.warnings = Some(directory.to_owned());
        state.report = Report::default();
        state.began = Instant::now();
        self.running.set(None);
    }

    /// Moves on everything that the host wrote before evcxr learned that the cell is over, and
    /// returns what it said about the end.
    pub(super) fn drain(&self, interrupted: bool) -> Report {
        let mut state = self.lock();
        state.drain();
        if interrupted {
            state.forget_value();
        }
        state.end_lanes();
        state.show_value();
        state.tell_held_panics();
        state.outputs.end();
        self.running.set(None);
        let mut report = std::mem::take(&mut state.report);
        if report.last_words.is_empty() {
            // The next host has not connected yet.
            report.last_words = state.last_words.text();
        }
        report
    }

    /// Whether a copy of the host has taken its place during the cell. It says so before evcxr hears
    /// of it.
    pub(super) fn was_succeeded(&self) -> bool {
        let mut state = self.lock();
        state.drain();
        state.report.succession.is_some()
    }

    /// The process at the other end.
    pub(super) fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// The compiled code of a cell that runs, as the host counts them; `None` for the compiler.
    pub(super) fn running(&self) -> Option<u64> {
        self.running.cell()
    }

    /// Asks the host to stop the cell, if it still runs.
    pub(super) fn interrupt(&self, cell: u64) {
        self.running.interrupt(cell);
    }

    /// Reads the cells that were run.
    pub(super) fn with_places<T>(&self, read: impl FnOnce(&Places) -> T) -> T {
        read(&self.lock().places)
    }

    /// The newest cell was not compiled.
    pub(super) fn cell_was_refused(&self) {
        self.lock().places.refused();
    }

    /// Shows something as output of the current cell.
    pub(super) fn show(&self, output: Output) {
        let mut state = self.lock();
        state.outputs.send(NEWEST, output);
        state.outputs.flush();
    }

    /// What the notebook has chosen with `:output`.
    pub(super) fn output_settings(&self) -> Settings {
        self.lock().outputs.settings
    }

    /// From now on this is chosen, for the earlier cells too.
    pub(super) fn choose_output(&self, settings: Settings) {
        self.lock().outputs.settings = settings;
    }

    /// Says something about the current cell, on standard error.
    pub(super) fn warn(&self, text: &str) {
        self.show(Output::Stream {
            stream: Stream::Stderr,
            text: text.to_owned(),
        });
    }

    /// Says that a panic happened which did not end its cell, as a program would on standard error.
    pub(super) fn print_panic(&self, panic: &Panic) {
        let mut state = self.lock();
        state.print_panic(NEWEST, panic);
        state.outputs.flush();
    }

    fn move_output_on(&self) {
        loop {
            let (sources, patience) = {
                let mut state = self.lock();
                (state.sources(), state.until_lanes_grow())
            };
            let Ok(sources) = sources else { return };
            let mut polled: Vec<PollFd<'_>> = sources
                .iter()
                .map(|fd| PollFd::new(fd, PollFlags::IN))
                .collect();
            match rustix::event::poll(&mut polled, patience.as_ref()) {
                Ok(_) => {
                    let mut state = self.lock();
                    state.forget_wake();
                    state.lineage.reap();
                    state.move_on();
                    state.grow_lanes();
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot wait for output of cells");
                    return;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Copies of the descriptors on which something may arrive: the originals may be closed by the
    /// other thread while this one waits, which then wakes it.
    fn sources(&self) -> io::Result<Vec<OwnedFd>> {
        let host = self.host.iter().flat_map(Host::descriptors);
        [self.listener.as_fd(), self.wake.as_fd()]
            .into_iter()
            .chain(host)
            .map(|fd| fd.try_clone_to_owned())
            .chain(self.lineage.ends())
            .collect()
    }

    /// Moves on what is there now.
    fn drain(&mut self) {
        for _ in 0..READS_TO_DRAIN {
            if !self.move_on() {
                break;
            }
        }
    }

    /// Moves on one piece from each source. Returns whether there was one on the socket.
    fn move_on(&mut self) -> bool {
        let moved = self.move_host_on();
        let Ok((socket, _)) = self.listener.accept() else {
            return moved;
        };
        // A new host means that the one before it has ended: what is left of it is finite.
        while self.move_host_on() {}
        self.host = Host::new(socket).ok();
        self.outputs.forget_host();
        self.lanes.forget_host();
        // An interrupt that was meant for the one before must not end this one.
        self.running.set(None);
        self.report.last_words = std::mem::take(&mut self.last_words).text();
        self.numbers.clear();
        self.panics = Panics::default();
        self.diagnoses.forget_host();
        self.wake_mover();
        true
    }

    fn wake_mover(&self) {
        // An error means that the counter is full: it is awake already.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    fn forget_wake(&self) {
        // An error means that something else woke the thread.
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
    }

    fn move_host_on(&mut self) -> bool {
        let Some(mut host) = self.host.take() else {
            return false;
        };
        let read = host.read();
        while let Some(Message { cell, chunk }) = host.reader.next() {
            self.take_chunk(&host, cell, chunk);
        }
        for (stream, text) in host.read_pipes() {
            self.last_words.hear(stream, &text);
            self.outputs.send(NEWEST, Output::Stream { stream, text });
        }
        self.outputs.flush();
        if read == Received::End {
            self.answered.notify_all();
            // A cell that tore the connection may run on, and evcxr would wait for its end.
            self.lineage.kill();
        } else {
            self.host = Some(host);
        }
        read == Received::Some
    }
}
