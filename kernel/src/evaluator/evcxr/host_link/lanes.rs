//! Shows what the threads of cells do, while they run and afterwards.

use std::{collections::BTreeMap, time::Instant};

use interleave_lanes::Picture;
use interleave_protocol::{Display, DisplayRole, HostRequest, TraceBatch};
use rustix::time::Timespec;
use serde_json::{Value, json};

use super::{
    super::lanes::{Beginning, Lanes, Mode},
    Host, HostLink, State,
    threads::say,
};
use crate::evaluator::Output;

/// Metadata by which a program tells lanes from what a cell shows itself.
const MARK: &str = "interleave";

/// Columns of a picture in letters.
const WIDTH: usize = 100;

impl HostLink {
    /// Whether cells show what their threads did.
    pub(in crate::evaluator::evcxr) fn lanes_mode(&self) -> Mode {
        self.lock().lanes.mode
    }

    /// From now on they do so.
    pub(in crate::evaluator::evcxr) fn choose_lanes(&self, mode: Mode) {
        self.change_lanes(|lanes| lanes.mode = mode);
    }

    /// Whether the cell that is about to run shows its lanes, whatever the others do.
    pub(in crate::evaluator::evcxr) fn want_lanes(&self, are_wanted: bool) {
        self.change_lanes(|lanes| lanes.are_wanted = are_wanted);
    }

    fn change_lanes(&self, change: impl FnOnce(&mut Lanes)) {
        let mut state = self.lock();
        let were_noted = state.lanes.are_noted();
        change(&mut state.lanes);
        if let Some(host) = &state.host
            && were_noted != state.lanes.are_noted()
        {
            state.choose_trace(host);
        }
    }

    /// What the threads of a cell did: of the one with this number in `In [n]`, or of the newest.
    pub(in crate::evaluator::evcxr) fn draw_lanes(&self, number: Option<usize>) -> Option<Picture> {
        let state = &mut *self.lock();
        let mut recordings = state.lanes.recordings();
        let recording =
            recordings.find(|each| number.is_none_or(|number| number == each.number()))?;
        Some(recording.draw(&state.places))
    }
}

impl State {
    /// Tells a new host, which traces unless it is told not to.
    pub(super) fn choose_trace(&self, host: &Host) {
        let is_on = self.lanes.are_noted();
        // An error means that the host is gone.
        let _ = say(host, &HostRequest::Trace { is_on });
    }

    /// The newest cell begins to run.
    pub(super) fn begin_lanes(&mut self, host_count: u64) {
        let newest = self.places.current().and_then(|at| self.places.cell(at));
        if let (Some(source), Some(output)) = (newest, self.outputs.newest()) {
            self.lanes.begin(Beginning {
                host_count,
                output,
                number: source.number,
                compiled: self.began.elapsed(),
            });
        }
    }

    pub(super) fn take_trace(&mut self, cell: u64, batch: TraceBatch) {
        let lost = batch.lost;
        self.lanes.take(batch, &self.places);
        if lost > 0 {
            self.lanes.lose(cell, lost);
        }
    }

    /// The newest cell has ended: shows what its threads did.
    pub(super) fn end_lanes(&mut self) {
        let Some(newest) = self.lanes.newest().filter(|newest| newest.is_running()) else {
            return;
        };
        let output = newest.output;
        self.lanes.end();
        self.show_lanes(output, Instant::now());
    }

    /// Brings up to date what is on the page, where it is time to.
    pub(super) fn grow_lanes(&mut self) {
        let now = Instant::now();
        let due: Vec<usize> = self
            .lanes
            .recordings()
            .filter(|each| each.shown.is_due(now, each.is_running()))
            .map(|each| each.output)
            .collect();
        for output in due {
            self.show_lanes(output, Instant::now());
        }
    }

    /// How long to wait for news, at most: lanes grow while nothing happens.
    pub(super) fn until_lanes_grow(&mut self) -> Option<Timespec> {
        let now = Instant::now();
        let times = self.lanes.recordings();
        let next = times.filter_map(|each| each.shown.time_left(now, each.is_running()));
        Timespec::try_from(next.min()?).ok()
    }

    /// The cell has removed what it had shown, lanes among it.
    pub(super) fn forget_shown_lanes(&mut self, cell: u64) {
        let output = self.outputs.place(cell);
        if let Some(recording) = output.and_then(|output| self.lanes.of_output(output)) {
            recording.shown.id = None;
        }
    }

    fn show_lanes(&mut self, output: usize, start: Instant) {
        let mode = self.lanes.mode;
        let Some(recording) = self.lanes.of_output(output) else {
            return;
        };
        let picture = recording.draw(&self.places);
        let is_on_page = recording.shown.id.is_some();
        let is_open = recording.is_open(mode);
        let is_wanted = is_open || (mode == Mode::Auto && picture.has_concurrency());
        recording.shown.drawn(start, Instant::now());
        if !is_wanted && !is_on_page {
            return;
        }
        // Names of the displays of cells have another form.
        let id = format!("interleave-lanes-{}-{output}", std::process::id());
        recording.shown.id = Some(id.clone());
        let html = match recording.is_running() {
            true => picture.to_live_html(&id),
            false => picture.to_last_html(&id, is_open),
        };
        let display = Display {
            role: if is_on_page {
                DisplayRole::Update
            } else {
                DisplayRole::Show
            },
            data: representations(&picture, html),
            metadata: BTreeMap::from([(MARK.to_owned(), json!({ "lanes": true }))]),
            display_id: Some(id),
        };
        self.outputs.show_beside(output, Output::Display(display));
    }
}

/// A picture for a front end that shows pictures, and for one that does not.
pub(in crate::evaluator::evcxr) fn representations(
    picture: &Picture,
    html: String,
) -> BTreeMap<String, Value> {
    let text = picture.to_ascii(WIDTH);
    BTreeMap::from([
        ("text/html".to_owned(), Value::from(html)),
        ("text/plain".to_owned(), Value::from(text)),
    ])
}
