//! What the kernel asks the host about its threads.

use std::{io::Write, sync::PoisonError, time::Duration};

use interleave_protocol::{CodeAddress, HostRequest, Thread};

use super::{HostLink, State};

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

impl State {
    /// Says something to the host; `None` when it cannot hear.
    pub(super) fn tell(&self, request: &HostRequest) -> Option<()> {
        let mut socket = &self.host.as_ref()?.socket;
        socket
            .write_all(&interleave_protocol::to_line(request))
            .ok()
    }

    pub(super) fn take_threads(&mut self, known: Vec<Thread>, unseen: usize) {
        self.threads = Some(Threads { known, unseen });
        self.answered.notify_all();
    }
}
