//! `:join`: waits for threads of earlier cells.

use std::{collections::BTreeMap, time::Duration};

use interleave_protocol::{Display, DisplayRole, Thread};
use serde_json::Value;

use super::{
    super::{failures, host_link::HostLink},
    select, words,
};
use crate::evaluator::{Failure, Output};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until the threads have ended that the names mean, and shows meanwhile which have not.
///
/// # Errors
///
/// When a name is wrong, the host does not answer, or the student has interrupted it.
pub(in crate::evaluator::evcxr) fn join(
    link: &HostLink,
    names: &str,
    wait_for_interrupt: impl Fn(Duration) -> bool,
) -> Result<(), Failure> {
    let mut status = Status::new(link);
    let mut threads = link.threads().ok_or_else(failures::no_answer)?;
    let meant = select::select(&select::students(&threads.known), names);
    let meant = meant.map_err(|error| failures::plain("error", &error))?;
    let numbers: Vec<u64> = meant.iter().map(|thread| thread.number).collect();
    loop {
        let left: Vec<&Thread> = threads
            .known
            .iter()
            .filter(|thread| numbers.contains(&thread.number))
            .collect();
        if left.is_empty() {
            status.show(&words::ended(numbers.len()));
            return Ok(());
        }
        status.show(&format!("waiting for {}", words::list(&left)));
        if wait_for_interrupt(PAUSE) {
            let message = format!("still running: {}", words::list(&left));
            return Err(failures::plain("Interrupted", &message));
        }
        threads = link.threads().ok_or_else(failures::no_answer)?;
    }
}

/// One output that changes.
struct Status<'a> {
    link: &'a HostLink,
    shown: Option<String>,
    id: String,
}

impl<'a> Status<'a> {
    fn new(link: &'a HostLink) -> Self {
        let id = format!("interleave-{}", uuid::Uuid::new_v4());
        let shown = None;
        Self { link, shown, id }
    }

    fn show(&mut self, text: &str) {
        if self.shown.as_deref() == Some(text) {
            return;
        }
        let role = match self.shown {
            None => DisplayRole::Show,
            Some(_) => DisplayRole::Update,
        };
        self.shown = Some(text.to_owned());
        self.link.show(Output::Display(Display {
            role,
            data: BTreeMap::from([("text/plain".to_owned(), Value::from(text))]),
            display_id: Some(self.id.clone()),
            ..Display::default()
        }));
    }
}
