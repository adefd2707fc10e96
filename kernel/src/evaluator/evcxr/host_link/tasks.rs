//! What the kernel asks the host about tasks.

use std::sync::PoisonError;

use interleave_protocol::{HostRequest, Location, TaskStates};

use super::{HostLink, State, threads::PATIENCE};

impl HostLink {
    /// The tasks that have not ended; `None` when the host does not answer.
    pub(in crate::evaluator::evcxr) fn tasks(&self) -> Option<TaskStates> {
        let mut state = self.lock();
        state.tasks = None;
        state.tell(&HostRequest::Tasks)?;
        let is_open = |state: &mut State| state.tasks.is_none() && state.host.is_some();
        let waited = self.answered.wait_timeout_while(state, PATIENCE, is_open);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.tasks.take()
    }

    /// The line of a cell that a place in compiled source came from, with the number in `In [n]`.
    pub(in crate::evaluator::evcxr) fn line_of(&self, place: &Location) -> Option<(usize, usize)> {
        let places = &self.lock().places;
        let place = places.of_panic(place)?;
        Some((places.cell(place.cell)?.number, place.line))
    }
}

impl State {
    pub(super) fn take_tasks(&mut self, tasks: TaskStates) {
        self.tasks = Some(tasks);
        self.answered.notify_all();
    }
}
