//! `:join`: waits for threads and tasks of earlier cells.

use std::{collections::BTreeMap, time::Duration};

use interleave_protocol::{Display, DisplayRole, TaskState};
use serde_json::Value;

use super::{
    super::{failures, host_link::HostLink},
    select::{Living, Meant},
    tasks, words,
};
use crate::evaluator::{Failure, Output};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until the threads and tasks have ended that the names mean, and shows meanwhile which have not.
/// What an event loop has that does not run is not waited for: that would be for ever.
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
        let mut left = meant.left(&living);
        let resting = left.take_resting();
        if left.is_empty() {
            let ended = meant.tasks.len() - resting.len();
            status.show(&over(meant.threads.len(), ended, &resting));
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

/// What there is to say at the end, when so many have ended.
fn over(threads: usize, tasks: usize, resting: &[&TaskState]) -> String {
    if resting.is_empty() {
        return words::have(threads, tasks, "ended");
    }
    let go_on = if resting.len() == 1 { "goes" } else { "go" };
    let resting = format!(
        "{} {go_on} on when the event loop runs again: in a cell that awaits, or calls `asyncio::run`.",
        tasks::list(resting)
    );
    if threads + tasks == 0 {
        return resting;
    }
    format!("{}\n{resting}", words::have(threads, tasks, "ended"))
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
