//! Pools that have too few threads.

use std::collections::HashSet;

use interleave_protocol::TaskKind;

use super::{LONG, spent};
use crate::{Lane, LaneKind, Picture, Remark, State, words};

/// Jobs that waited for a thread while all threads of the pool did nothing but wait.
pub(super) fn remarks(picture: &Picture) -> Vec<Remark> {
    let jobs = picture.lanes.iter().filter(|lane| is_job(lane));
    let jobs = HashSet::from_iter(jobs.map(|job| job.name.as_str()));
    let workers = picture.lanes.iter().filter(|lane| runs_one(lane, &jobs));
    let workers = Vec::from_iter(workers);
    let mut waited = Vec::new();
    for (index, job) in picture
        .lanes
        .iter()
        .enumerate()
        .filter(|(_, lane)| is_job(lane))
    {
        for span in job.spans.iter().filter(|span| span.state == State::Ready) {
            let time = (span.from, span.to);
            if span.length() >= LONG && are_all_waiting(picture, &workers, time) {
                waited.push((span.length(), index));
            }
        }
    }
    let Some((longest, job)) = waited.iter().max() else {
        return Vec::new();
    };
    let text = format!(
        "All {} of the pool were busy with jobs that wait: {} waited for a thread, up to {}.",
        words::count(workers.len(), "thread"),
        words::count(waited.len(), "job"),
        words::span(*longest),
    );
    vec![Remark {
        text,
        place: picture.lanes[*job].made_at,
        lane: *job,
    }]
}

fn is_job(lane: &Lane) -> bool {
    matches!(
        lane.kind,
        LaneKind::Task(TaskKind::Job | TaskKind::Blocking)
    )
}

fn runs_one(thread: &Lane, jobs: &HashSet<&str>) -> bool {
    let mut states = thread.spans.iter().map(|span| &span.state);
    states.any(|state| matches!(state, State::Lends(name) if jobs.contains(name.as_str())))
}

/// Whether every thread had a job nearly all the time, and most jobs waited most of it.
fn are_all_waiting(picture: &Picture, workers: &[&Lane], time: (u64, u64)) -> bool {
    let whole = time.1 - time.0;
    let is_busy = |worker: &&Lane| {
        let lent = spent(worker, time, |state| matches!(state, State::Lends(_)));
        lent >= whole - whole / 20
    };
    let jobs = picture.lanes.iter().filter(|lane| is_job(lane));
    let waits = jobs.map(|job| spent(job, time, |state| matches!(state, State::Waits(_))));
    workers.iter().all(is_busy) && waits.sum::<u64>() >= whole * workers.len() as u64 / 2
}
