//! As much as fits on a screen.

use std::collections::HashMap;

use crate::{Lane, LaneKind, Picture, Span, State};

/// Keeps so many lanes: threads, then some objects, then tasks.
pub(crate) fn lanes(picture: &mut Picture, most: usize, objects: usize) {
    let indexes = |is_wanted: fn(&Lane) -> bool| {
        let lanes = picture.lanes.iter().enumerate();
        lanes
            .filter(move |(_, lane)| is_wanted(lane))
            .map(|(index, _)| index)
    };
    let objects = indexes(|lane| matches!(lane.kind, LaneKind::Object(_))).take(objects);
    let threads = indexes(|lane| matches!(lane.kind, LaneKind::Thread(_)));
    let tasks = indexes(|lane| matches!(lane.kind, LaneKind::Task(_)));
    let mut kept: Vec<usize> = threads.chain(objects).chain(tasks).take(most).collect();
    kept.sort_unstable();
    keep(picture, &kept);
}

/// Keeps those lanes, and what belongs to them.
fn keep(picture: &mut Picture, kept: &[usize]) {
    if kept.len() == picture.lanes.len() {
        return;
    }
    let new = |old: usize| kept.binary_search(&old).ok();
    let lanes = std::mem::take(&mut picture.lanes).into_iter().enumerate();
    let (kept_lanes, others): (Vec<_>, Vec<_>) = lanes.partition(|(old, _)| new(*old).is_some());
    picture.more_lanes += others.len();
    picture.lanes = kept_lanes.into_iter().map(|(_, lane)| lane).collect();
    let others = HashMap::<&str, &Lane>::from_iter(others.iter().map(|(_, it)| (&*it.name, it)));
    show_inside(&mut picture.lanes, &others);
    let arrows = std::mem::take(&mut picture.arrows).into_iter();
    picture.arrows = arrows
        .filter_map(|mut arrow| {
            (arrow.from, arrow.to) = (new(arrow.from)?, new(arrow.to)?);
            Some(arrow)
        })
        .collect();
    let before = picture.steps.len();
    picture.steps.retain_mut(|step| {
        let lane = new(step.lane);
        step.lane = lane.unwrap_or_default();
        lane.is_some()
    });
    picture.more_steps += before - picture.steps.len();
    picture
        .remarks
        .iter_mut()
        .for_each(|remark| remark.lane = new(remark.lane).unwrap_or(0));
}

/// Whoever runs a task that is not shown is shown to do what the task does.
fn show_inside(lanes: &mut [Lane], hidden: &HashMap<&str, &Lane>) {
    for lane in lanes {
        let spans = std::mem::take(&mut lane.spans).into_iter();
        let shown = spans.flat_map(|span| match &span.state {
            State::Lends(task) if hidden.contains_key(task.as_str()) => {
                inside(hidden[task.as_str()], &span)
            }
            _ => vec![span],
        });
        lane.spans = shown.collect();
    }
}

/// What a task did while a thread ran it.
fn inside(task: &Lane, span: &Span) -> Vec<Span> {
    let first = task.spans.partition_point(|inner| inner.to <= span.from);
    let inner = task.spans[first..]
        .iter()
        .take_while(|inner| inner.from < span.to);
    let inner = inner.map(|inner| Span {
        from: inner.from.max(span.from),
        to: inner.to.min(span.to),
        ..inner.clone()
    });
    inner.collect()
}

/// Keeps so many steps.
pub(crate) fn steps(picture: &mut Picture, most: usize) {
    picture.more_steps += picture.steps.len().saturating_sub(most);
    picture.steps.truncate(most);
}
