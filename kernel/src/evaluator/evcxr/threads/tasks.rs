//! The tasks of tokio in the table of `:threads`.

use std::collections::HashMap;

use interleave_protocol::{Location, TaskState, TaskStates};

use super::{Row, place, words};
use crate::evaluator::evcxr::host_link::HostLink;

/// So many are listed; a table of thousands helps nobody.
const MOST_ROWS: usize = 100;

/// The tasks that cells have spawned, oldest first, and how many more there are.
pub(super) fn rows(link: &HostLink, states: &TaskStates) -> (Vec<Row>, usize) {
    let mut lines: HashMap<&Location, Option<(usize, usize)>> = HashMap::new();
    let shown = states.tasks.iter().take(MOST_ROWS);
    let rows = shown.map(|task| {
        let line = lines.entry(&task.spawned_at);
        let line = *line.or_insert_with(|| link.line_of(&task.spawned_at));
        let cell = || link.number_of(task.cell).map(|cell| format!("In[{cell}]"));
        row(task, line.as_ref().map(place).or_else(cell))
    });
    let rows: Vec<Row> = rows.collect();
    let more = states.tasks.len() - rows.len() + states.unlisted;
    (rows, more)
}

fn row(task: &TaskState, started: Option<String>) -> Row {
    let state = match (task.is_running, task.is_blocking) {
        (true, _) => "runs",
        (false, true) => "waits for a thread",
        (false, false) => "waits to be woken",
    };
    Row {
        number: format!("task {}", task.id),
        name: String::new(),
        started: started.unwrap_or_default(),
        state: state.to_owned(),
        since: span(task.since),
        cpu: span(task.busy),
    }
}

fn span(microseconds: u64) -> String {
    words::span(microseconds as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_says_what_it_waits_for_and_how_long_it_has_run() {
        let task = TaskState {
            id: 7,
            is_blocking: false,
            cell: 3,
            spawned_at: Location {
                file: "cells/3/lib.rs".into(),
                line: 1,
                column: 1,
            },
            is_running: false,
            since: 1_500_000,
            busy: 20_000,
        };
        let cells = |task: &TaskState| row(task, Some("In[3]:1".into())).cells().map(str::to_owned);
        assert_eq!(
            cells(&task),
            [
                "task 7",
                "",
                "In[3]:1",
                "waits to be woken",
                "1.5 s",
                "20 ms"
            ]
        );
        let blocking = TaskState {
            is_blocking: true,
            ..task.clone()
        };
        assert_eq!(cells(&blocking)[3], "waits for a thread");
        let running = TaskState {
            is_running: true,
            ..task
        };
        assert_eq!(cells(&running)[3], "runs");
    }
}
