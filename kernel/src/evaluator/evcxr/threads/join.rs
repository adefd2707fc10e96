//! `:join`: waits for threads and tasks of earlier cells.

use std::{collections::BTreeMap, time::Duration};

use interleave_protocol::{Display, DisplayRole};
use serde_json::Value;

use super::{
    super::{failures, host_link::HostLink},
    select::{Living, Meant},
    words,
};
use crate::evaluator::{Failure, Output};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until the threads and tasks have ended that the names mean, and shows meanwhile which have not.
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
    let mut living = Living::now(link)?;
    let meant = Meant::by(names, &living);
    let mut meant = meant.map_err(|error| failures::plain("error", &error))?;
    loop {
        meant.add_unlisted(&living);
        let left = meant.left(&living);
        if left.is_empty() {
            status.show(&words::have(
                meant.threads.len(),
                meant.tasks.len(),
                "ended",
            ));
            return Ok(());
        }
        status.show(&format!("waiting for {}", left.list()));
        if wait_for_interrupt(PAUSE) {
            let message = format!("still running: {}", left.list());
            return Err(failures::plain("Interrupted", &message));
        }
        living = Living::now(link)?;
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
