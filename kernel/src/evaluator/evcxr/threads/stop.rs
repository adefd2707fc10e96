//! `:stop`: asks threads of earlier cells to stop.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use interleave_protocol::Thread;
use serde_json::Value;

use super::{
    super::{
        failures,
        host_link::{HostLink, Threads},
    },
    PlacesSoFar, name_of_joined, select, words,
};
use crate::evaluator::Failure;

/// So long a thread may take.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Stops the threads that the names mean, and says which have ended and what the others do.
///
/// # Errors
///
/// When a name is wrong, or the host does not answer.
pub(in crate::evaluator::evcxr) fn stop(
    link: &HostLink,
    names: &str,
    wait_for_interrupt: impl Fn(Duration) -> bool,
) -> Result<BTreeMap<String, Value>, Failure> {
    let mut threads = link.threads().ok_or_else(failures::no_answer)?;
    let meant = select::select(&select::students(&threads.known), names);
    let meant = meant.map_err(|error| failures::plain("error", &error))?;
    let numbers: Vec<u64> = meant.iter().map(|thread| thread.number).collect();
    link.stop_threads(&numbers)
        .ok_or_else(failures::no_answer)?;
    let end = Instant::now() + PATIENCE;
    while !left(&threads, &numbers).is_empty() && Instant::now() < end && !wait_for_interrupt(PAUSE)
    {
        threads = link.threads().ok_or_else(failures::no_answer)?;
    }
    let text = report(link, &threads, &numbers);
    Ok(BTreeMap::from([(
        "text/plain".to_owned(),
        Value::from(text),
    )]))
}

fn left<'a>(threads: &'a Threads, numbers: &[u64]) -> Vec<&'a Thread> {
    let is_meant = |thread: &&Thread| numbers.contains(&thread.number);
    threads.known.iter().filter(is_meant).collect()
}

fn report(link: &HostLink, threads: &Threads, numbers: &[u64]) -> String {
    let left = left(threads, numbers);
    let mut places = PlacesSoFar::new(link);
    let mut lines = Vec::new();
    if left.is_empty() || numbers.len() > left.len() {
        lines.push(words::stopped(numbers.len() - left.len()));
    }
    for thread in left {
        let state = words::state(thread, &name_of_joined(thread, threads));
        lines.push(words::goes_on(
            thread,
            &state,
            places.of_wait(thread).as_deref(),
        ));
    }
    lines.join("\n")
}
