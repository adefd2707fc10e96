//! What was said under cells, and can be taken back.

use std::collections::HashMap;

use interleave_protocol::{Display, DisplayRole};

use super::Diagnosis;

/// The diagnoses that stand under cells.
#[derive(Debug, Default)]
pub(in super::super) struct ShownDiagnoses {
    /// By cell, as the host counts them.
    standing: HashMap<u64, Standing>,
    /// How many there were, so that each output has a name of its own.
    count: u64,
    /// The newest one that was not taken back.
    last: Option<Diagnosis>,
}

#[derive(Debug)]
struct Standing {
    id: String,
    diagnosis: Diagnosis,
}

impl ShownDiagnoses {
    /// A new host has no threads of the one before.
    pub(in super::super) fn forget_host(&mut self) {
        self.standing.clear();
    }

    /// Threads of a cell are stuck, so or in another way than before.
    pub(in super::super) fn add(&mut self, cell: u64, diagnosis: Diagnosis) -> Display {
        let (role, id) = match self.standing.remove(&cell) {
            Some(standing) => (DisplayRole::Update, standing.id),
            None => {
                self.count += 1;
                let id = format!("interleave-stuck-{}-{}", std::process::id(), self.count);
                (DisplayRole::Show, id)
            }
        };
        let display = Display {
            role,
            data: diagnosis.data(),
            display_id: Some(id.clone()),
            ..Display::default()
        };
        self.last = Some(diagnosis.clone());
        self.standing.insert(cell, Standing { id, diagnosis });
        display
    }

    /// The cell was interrupted: what was said stays.
    pub(in super::super) fn settle_all(&mut self) {
        self.standing.clear();
    }

    /// They go on. What is to be said instead, if something was said.
    pub(in super::super) fn take_back(&mut self, cell: u64) -> Option<Display> {
        let Standing { id, diagnosis } = self.standing.remove(&cell)?;
        if self.last.as_ref() == Some(&diagnosis) {
            self.last = None;
        }
        let text = format!(
            "(This cell was stuck for a while: {}. It went on.)",
            diagnosis.sentence()
        );
        Some(Display {
            role: DisplayRole::Update,
            data: std::collections::BTreeMap::from([super::super::text_plain(&text)]),
            display_id: Some(id),
            ..Display::default()
        })
    }

    /// Why the cell was stuck that was so last.
    pub(in super::super) fn last(&self) -> Option<&Diagnosis> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis(headline: &str) -> Diagnosis {
        Diagnosis {
            headline: headline.to_owned(),
            ..Diagnosis::default()
        }
    }

    fn text(display: &Display) -> &str {
        display.data["text/plain"].as_str().unwrap()
    }

    #[test]
    fn what_is_said_of_a_cell_is_one_output_that_changes() {
        let mut shown = ShownDiagnoses::default();
        let first = shown.add(3, diagnosis("a waits"));
        let other = shown.add(4, diagnosis("b waits"));
        assert_ne!(first.display_id, other.display_id);
        let second = shown.add(3, diagnosis("c waits"));
        assert_eq!(second.display_id, first.display_id);
        let roles = [first.role, other.role, second.role];
        assert_eq!(
            roles,
            [DisplayRole::Show, DisplayRole::Show, DisplayRole::Update]
        );
        assert!(text(&second).contains("c waits"));
    }

    #[test]
    fn it_is_taken_back_once_and_not_after_an_interrupt() {
        let mut shown = ShownDiagnoses::default();
        shown.add(3, diagnosis("a waits"));
        let back = shown.take_back(3).unwrap();
        assert_eq!(back.role, DisplayRole::Update);
        assert!(text(&back).contains("It went on."));
        assert!(shown.last().is_none() && shown.take_back(3).is_none());
        shown.add(4, diagnosis("b waits"));
        shown.settle_all();
        assert!(shown.take_back(4).is_none());
        assert_eq!(shown.last().map(Diagnosis::sentence), Some("b waits"));
    }
}
