//! Threads that are stuck: what the host finds, and what it answers when asked.

use std::sync::PoisonError;

use interleave_protocol::{HostRequest, Stuck, Thread};

use super::{
    super::why::{self, Diagnosis},
    HostLink, State,
    threads::PATIENCE,
};

impl HostLink {
    /// Why threads are stuck that live now; `None` when the host does not answer.
    pub(in crate::evaluator::evcxr) fn diagnoses(&self) -> Option<Vec<Diagnosis>> {
        let mut state = self.lock();
        state.all_stuck = None;
        state.tell(&HostRequest::Stuck)?;
        let is_open = |state: &mut State| state.all_stuck.is_none() && state.host.is_some();
        let waited = self.answered.wait_timeout_while(state, PATIENCE, is_open);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let stuck = state.all_stuck.take()?;
        Some(stuck.iter().map(|stuck| state.diagnose(stuck)).collect())
    }

    /// What a thread waits for, if the student has a name for it.
    pub(in crate::evaluator::evcxr) fn wait_by_name(&self, thread: &Thread) -> Option<String> {
        why::waits::by_name(thread, &self.lock().places)
    }

    /// Why the cell was stuck that was so last.
    pub(in crate::evaluator::evcxr) fn last_diagnosis(&self) -> Option<Diagnosis> {
        self.lock().diagnoses.last().cloned()
    }
}

impl State {
    pub(super) fn tell_why(&mut self, cell: u64, stuck: &Stuck) {
        let diagnosis = self.diagnose(stuck);
        if diagnosis.is_about_cell() {
            self.report.stuck = Some(diagnosis.sentence().to_owned());
        }
        let display = self.diagnoses.add(cell, diagnosis);
        self.outputs.remark_with(cell, display);
    }

    pub(super) fn take_back(&mut self, cell: u64) {
        if let Some(display) = self.diagnoses.take_back(cell) {
            self.outputs.remark_with(cell, display);
            self.report.stuck = None;
        }
    }

    fn diagnose(&self, stuck: &Stuck) -> Diagnosis {
        let cell = self.numbers.get(&stuck.cell).copied();
        why::diagnose(stuck, cell, &self.places)
    }

    pub(super) fn take_all_stuck(&mut self, stuck: Vec<Stuck>) {
        self.all_stuck = Some(stuck);
        self.answered.notify_all();
    }
}
