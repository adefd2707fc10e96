//! What the kernel asks the host about its threads.

use std::{
    io::{self, Write},
    sync::PoisonError,
    time::Duration,
};

use interleave_protocol::{
    CodeAddress, HostEvent, HostRequest, Resting, TaskKind, TaskName, Thread,
};

use super::{
    super::{reader::Chunk, threads::notice},
    Host, HostLink, State,
};
use crate::evaluator::Output;

/// The host answers at once, unless it is stopped or the machine is overloaded.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The threads of the host.
#[derive(Debug, Default)]
pub(in crate::evaluator::evcxr) struct Threads {
    /// Oldest first.
    pub(in crate::evaluator::evcxr) known: Vec<Thread>,
    /// How many more there are.
    pub(in crate::evaluator::evcxr) unseen: usize,
}

impl HostLink {
    /// The threads that live now; `None` when the host does not answer.
    pub(in crate::evaluator::evcxr) fn threads(&self) -> Option<Threads> {
        let mut state = self.lock();
        state.threads = None;
        state.tell(&HostRequest::Threads)?;
        let is_open = |state: &mut State| state.threads.is_none() && state.host.is_some();
        let waited = self.answered.wait_timeout_while(state, PATIENCE, is_open);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.threads.take()
    }

    /// Asks threads and tasks to stop, by their numbers. `None` when the host cannot hear.
    pub(in crate::evaluator::evcxr) fn stop(
        &self,
        threads: &[u64],
        tasks: &[TaskName],
    ) -> Option<()> {
        let (in_loops, tasks): (Vec<&TaskName>, Vec<&TaskName>) = tasks
            .iter()
            .partition(|name| name.kind == TaskKind::Coroutine);
        let ids = |names: Vec<&TaskName>| names.into_iter().map(|name| name.id).collect();
        self.lock().tell(&HostRequest::Stop {
            threads: threads.to_vec(),
            tasks: ids(tasks),
            in_loops: ids(in_loops),
        })
    }

    /// From now on so many threads may live at once. `None` when the host cannot hear.
    pub(in crate::evaluator::evcxr) fn limit_threads(&self, limit: usize) -> Option<()> {
        let mut state = self.lock();
        state.thread_limit = Some(limit);
        state.tell(&HostRequest::LimitThreads { limit })
    }

    /// The number in `In [n]` of a cell that the host counts.
    pub(in crate::evaluator::evcxr) fn number_of(&self, cell: u64) -> Option<usize> {
        self.lock().numbers.get(&cell).copied()
    }

    /// The lines of cells among the callers of a function, innermost first, each with the number in
    /// `In [n]`.
    pub(in crate::evaluator::evcxr) fn lines_of(
        &self,
        callers: &[CodeAddress],
    ) -> Vec<(usize, usize)> {
        let places = &self.lock().places;
        let lines = callers.iter().filter_map(|address| {
            let place = places.of_address(address)?;
            Some((places.cell(place.cell)?.number, place.line))
        });
        lines.collect()
    }
}

/// How many threads may live at once; [`interleave_protocol::DEFAULT_THREAD_LIMIT`] if it is not set.
const LIMIT_ENV: &str = "INTERLEAVE_THREAD_LIMIT";

/// The limit that was set from outside. What is no number is not set.
pub(super) fn limit_from_environment() -> Option<usize> {
    std::env::var(LIMIT_ENV).ok()?.parse().ok()
}

impl State {
    /// A new host knows nothing of a limit that was set.
    pub(super) fn renew_limit(&self, host: &Host) {
        if let Some(limit) = self.thread_limit {
            // An error means that the host is gone.
            let _ = say(host, &HostRequest::LimitThreads { limit });
        }
    }

    /// Shows the value of a cell before what comes behind it; the notice of threads that the cell
    /// leaves has its place before the value.
    pub(super) fn show_value_before(&mut self, cell: u64, chunk: &Chunk) {
        let is_notice = matches!(
            chunk,
            Chunk::Event(HostEvent::Left { .. } | HostEvent::CellEnded(_) | HostEvent::Trace(_))
        );
        if self.value.as_ref().is_some_and(|(of, _)| *of == cell) && !is_notice {
            self.show_value();
        }
    }

    /// The value of a cell that was interrupted may be that of a task that was aborted with it.
    pub(super) fn forget_value(&mut self) {
        self.value = None;
    }

    /// Shows the value of the cell that has ended.
    pub(super) fn show_value(&mut self) {
        if let Some((cell, display)) = self.value.take() {
            self.outputs.send(cell, Output::Display(display));
        }
    }

    pub(super) fn tell_what_is_left(
        &mut self,
        cell: u64,
        threads: &[Thread],
        tasks: usize,
        resting: Resting,
    ) {
        if let Some(notice) = notice::of_left(threads, tasks, resting) {
            self.outputs.remark(cell, notice);
        }
    }

    /// Says something to the host; `None` when it cannot hear.
    pub(super) fn tell(&self, request: &HostRequest) -> Option<()> {
        say(self.host.as_ref()?, request).ok()
    }

    pub(super) fn take_threads(&mut self, known: Vec<Thread>, unseen: usize) {
        self.threads = Some(Threads { known, unseen });
        self.answered.notify_all();
    }
}

pub(super) fn say(host: &Host, request: &HostRequest) -> io::Result<()> {
    let mut socket = &host.socket;
    socket.write_all(&interleave_protocol::to_line(request))
}
