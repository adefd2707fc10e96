//! The tasks of tokio in the table of `:threads`, and in words.

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

/// How many tasks, and which.
pub(super) fn list(tasks: &[&TaskState]) -> String {
    let named = tasks.iter().take(words::NAMED);
    let names: Vec<String> = named.map(|task| task.id.to_string()).collect();
    let more = match tasks.len().saturating_sub(words::NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let count = words::count(tasks.len(), "task");
    format!("{count}: {}{more}", names.join(", "))
}

/// Why tasks that were asked to stop have not.
pub(super) fn go_on(tasks: &[&TaskState]) -> Vec<String> {
    let (running, waiting): (Vec<&TaskState>, Vec<&TaskState>) =
        tasks.iter().partition(|task| task.is_running);
    let mut lines = Vec::new();
    if !running.is_empty() {
        lines.push(format!(
            "{} in code that does not ask whether to stop; to be stopped at the next `.await`",
            list(&running)
        ));
    }
    if !waiting.is_empty() {
        lines.push(format!(
            "{} to be stopped when the runtime runs again; nobody drives it just now",
            list(&waiting)
        ));
    }
    lines
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

    fn task(id: u64, is_running: bool) -> TaskState {
        TaskState {
            id,
            is_blocking: false,
            cell: 3,
            spawned_at: Location {
                file: "cells/3/lib.rs".into(),
                line: 1,
                column: 1,
            },
            is_running,
            since: 1_500_000,
            busy: 20_000,
        }
    }

    #[test]
    fn tasks_that_go_on_say_why() {
        let tasks = [3, 4, 5, 6, 7, 8].map(|id| task(id, id == 3));
        let lines = go_on(&tasks.iter().collect::<Vec<_>>());
        assert_eq!(
            lines,
            [
                "1 task: 3 in code that does not ask whether to stop; to be stopped at the next `.await`",
                "5 tasks: 4, 5, 6, 7 and 1 more to be stopped when the runtime runs again; nobody \
                 drives it just now",
            ]
        );
        assert_eq!(go_on(&[]), [""; 0]);
    }

    #[test]
    fn a_task_says_what_it_waits_for_and_how_long_it_has_run() {
        let task = task(7, false);
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
