//! `:stop`: asks threads and tasks of earlier cells to stop.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    super::{failures, host_link::HostLink},
    PlacesSoFar, name_of_joined,
    select::{Living, Meant},
    tasks, words,
};
use crate::evaluator::Failure;

/// So long they may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Stops the threads and tasks that the names mean, and says which have ended and what the others do.
///
/// # Errors
///
/// When a name is wrong, or the host does not answer.
pub(in crate::evaluator::evcxr) fn stop(
    link: &HostLink,
    names: &str,
    wait_for_interrupt: impl Fn(Duration) -> bool,
) -> Result<BTreeMap<String, Value>, Failure> {
    let mut living = Living::now(link)?;
    let meant = Meant::by(names, &living);
    let mut meant = meant.map_err(|error| failures::plain("error", &error))?;
    let end = Instant::now() + PATIENCE;
    let mut asked = 0;
    loop {
        meant.add_unlisted(&living);
        if meant.threads.len() + meant.tasks.len() > asked {
            let threads = Vec::from_iter(meant.threads.iter().copied());
            let tasks = Vec::from_iter(meant.tasks.iter().copied());
            link.stop(&threads, &tasks)
                .ok_or_else(failures::no_answer)?;
            asked = threads.len() + tasks.len();
        }
        let is_over = meant.left(&living).is_empty() || Instant::now() >= end;
        if is_over || wait_for_interrupt(PAUSE) {
            break;
        }
        living = Living::now(link)?;
    }
    let text = report(link, &meant, &living);
    Ok(BTreeMap::from([(
        "text/plain".to_owned(),
        Value::from(text),
    )]))
}

fn report(link: &HostLink, meant: &Meant, living: &Living) -> String {
    let left = meant.left(living);
    let mut places = PlacesSoFar::new(link);
    let mut lines = Vec::new();
    let threads = meant.threads.len() - left.threads.len();
    let tasks = meant.tasks.len() - left.tasks.len();
    if left.is_empty() || threads + tasks > 0 {
        lines.push(words::have(threads, tasks, "stopped"));
    }
    for thread in left.threads {
        let state = words::state(thread, &name_of_joined(thread, &living.threads));
        lines.push(words::goes_on(
            thread,
            &state,
            places.of_wait(thread).as_deref(),
        ));
    }
    lines.extend(tasks::go_on(&left.tasks));
    lines.join("\n")
}
