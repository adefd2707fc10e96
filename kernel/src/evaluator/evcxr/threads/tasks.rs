//! The tasks of tokio and of event loops in the table of `:threads`, and in words.

use std::collections::HashMap;

use interleave_protocol::{Location, TaskKind, TaskState, TaskStates};

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

/// By which a command can name it: `task 7`, `Task-1`, `callback-3`.
pub(super) fn name(task: &TaskState) -> String {
    match &task.in_loop {
        Some(in_loop) => in_loop.name.clone(),
        None => format!("task {}", task.id),
    }
}

/// The same in a list of tasks.
fn short_name(task: &TaskState) -> String {
    match &task.in_loop {
        Some(in_loop) => in_loop.name.clone(),
        None => task.id.to_string(),
    }
}

/// How many tasks, and which.
pub(super) fn list(tasks: &[&TaskState]) -> String {
    let named = tasks.iter().take(words::NAMED);
    let names: Vec<String> = named.map(|task| short_name(task)).collect();
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
    let (resting, waiting): (Vec<&TaskState>, Vec<&TaskState>) =
        waiting.iter().partition(|task| task.in_loop.is_some());
    if !resting.is_empty() {
        lines.push(format!(
            "{} to be stopped when the event loop runs again",
            list(&resting)
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
    let function = task.in_loop.as_ref().and_then(|it| it.function.clone());
    Row {
        number: name(task),
        name: function.unwrap_or_default(),
        started: started.unwrap_or_default(),
        state: state(task),
        since: span(task.since),
        cpu: span(task.busy),
    }
}

fn state(task: &TaskState) -> String {
    let due = task.in_loop.as_ref().and_then(|it| it.due);
    let due = due.filter(|due| *due > 0).map(span);
    match (task.is_running, task.kind, due, task.rests()) {
        (true, ..) => "runs".to_owned(),
        (false, TaskKind::Blocking, ..) => "waits for a thread".to_owned(),
        (false, _, None, false) => "waits to be woken".to_owned(),
        (false, _, None, true) => "waits until the event loop runs again".to_owned(),
        (false, _, Some(due), false) => format!("due in {due}"),
        (false, _, Some(due), true) => format!("due in {due}, if the event loop runs then"),
    }
}

fn span(microseconds: u64) -> String {
    words::span(microseconds as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use interleave_protocol::InLoop;

    use super::*;

    fn task(id: u64, is_running: bool) -> TaskState {
        TaskState {
            kind: TaskKind::Tokio,
            id,
            in_loop: None,
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
            kind: TaskKind::Blocking,
            ..task.clone()
        };
        assert_eq!(cells(&blocking)[3], "waits for a thread");
        let running = TaskState {
            is_running: true,
            ..task
        };
        assert_eq!(cells(&running)[3], "runs");
    }

    #[test]
    fn what_an_event_loop_has_says_when_it_goes_on() {
        let in_loop = InLoop {
            name: "Task-2".into(),
            function: Some("hello".into()),
            is_driven: false,
            due: None,
        };
        let resting = TaskState {
            kind: TaskKind::Coroutine,
            in_loop: Some(in_loop.clone().into()),
            ..task(9, false)
        };
        let cells = row(&resting, None);
        assert_eq!((&*cells.number, &*cells.name), ("Task-2", "hello"));
        assert_eq!(cells.state, "waits until the event loop runs again");
        let said = |is_driven, due| {
            let in_loop = InLoop {
                is_driven,
                due,
                ..in_loop.clone()
            };
            state(&TaskState {
                in_loop: Some(in_loop.into()),
                ..resting.clone()
            })
        };
        assert_eq!(said(true, None), "waits to be woken");
        assert_eq!(said(true, Some(3_000_000)), "due in 3.0 s");
        assert_eq!(
            said(false, Some(3_000_000)),
            "due in 3.0 s, if the event loop runs then"
        );
        assert_eq!(
            said(false, Some(0)),
            "waits until the event loop runs again"
        );
        assert_eq!(
            go_on(&[&resting, &task(3, false)])[0],
            "1 task: Task-2 to be stopped when the event loop runs again"
        );
    }
}
