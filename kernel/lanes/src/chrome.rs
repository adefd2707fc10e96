//! Lanes for Perfetto and Chrome: their JSON trace format.

use serde_json::{Value, json};

use crate::{Picture, State, text::label, words};

impl Picture {
    /// The lanes as a trace that <https://ui.perfetto.dev> opens: the cell is a process, each lane a
    /// thread of it, each arrow a flow. Its times are microseconds.
    ///
    /// Perfetto's importer (`importers/json` and `slice_tracker.cc` in its repository) cuts times off
    /// to nanoseconds, drops a slice that overlaps another in part, and ties a flow to the slice that is
    /// open on its thread at that moment. The thread whose number is the process's is its main one.
    #[must_use]
    pub fn to_chrome_json(&self) -> String {
        let cell = json!({ "name": format!("In [{}]", self.cell) });
        let mut events = vec![self.event("M", "process_name", 0, json!({ "args": cell }))];
        for (index, lane) in self.lanes.iter().enumerate() {
            let name = json!({ "args": { "name": lane.name } });
            let order = json!({ "args": { "sort_index": index } });
            events.push(self.event("M", "thread_name", index, name));
            events.push(self.event("M", "thread_sort_index", index, order));
            events.extend(lane.spans.iter().map(|span| {
                let place = span.place.map(words::place);
                let more = json!({
                    "ts": micros(span.from),
                    "dur": micros(span.length()),
                    "cat": category(&span.state),
                    "args": { "line": place },
                });
                self.event("X", said(&span.state), index, more)
            }));
            events.extend(lane.marks.iter().map(|mark| {
                let more = json!({ "ts": micros(mark.at), "s": "t", "cat": "print" });
                self.event("i", &mark.text, index, more)
            }));
        }
        for (id, arrow) in self.arrows.iter().enumerate() {
            let name = format!("{:?}", arrow.kind).to_lowercase();
            let from = json!({ "ts": micros(arrow.from_time), "id": id, "cat": "arrow" });
            let to = json!({ "ts": micros(arrow.to_time), "id": id, "cat": "arrow", "bp": "e" });
            events.push(self.event("s", &name, arrow.from, from));
            events.push(self.event("f", &name, arrow.to, to));
        }
        let trace = json!({ "displayTimeUnit": "ms", "traceEvents": events });
        trace.to_string()
    }

    fn event(&self, phase: &str, name: &str, lane: usize, more: Value) -> Value {
        let mut event =
            json!({ "ph": phase, "name": name, "pid": self.cell, "tid": self.cell + lane });
        if let (Some(event), Value::Object(more)) = (event.as_object_mut(), more) {
            event.extend(more);
        }
        event
    }
}

/// Microseconds, of which a thousand times as much, cut off, is the number of nanoseconds again, also
/// if who reads them is wrong in the last digit.
fn micros(nanoseconds: u64) -> f64 {
    (nanoseconds as f64 + 0.25) / 1000.0
}

fn said(state: &State) -> &str {
    match state {
        State::Runs => "runs",
        State::Ready => "ready",
        State::Idle => "nothing to run",
        state => label(state),
    }
}

fn category(state: &State) -> &'static str {
    match state {
        State::Runs | State::Lends(_) => "run",
        State::Ready => "ready",
        State::Waits(_) | State::Idle => "wait",
        State::Says(_) => "state",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nanosecond_is_lost() {
        for nanoseconds in (0..20_000).chain(86_400_000_000_000..86_400_000_020_000) {
            let micros = micros(nanoseconds);
            for read in [micros.next_down(), micros, micros.next_up()] {
                assert_eq!((read * 1000.0) as u64, nanoseconds);
            }
        }
    }
}
