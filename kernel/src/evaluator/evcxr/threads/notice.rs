//! The line at the end of a cell that leaves threads or tasks running.

use interleave_protocol::{Resting, Thread};

use super::words;

/// What to do about them; said where there are any.
const COMMANDS: &str = ":threads lists, :join waits, :stop stops";
/// The same where there is nothing to wait for.
const COMMANDS_IF_ALL_REST: &str = ":threads lists, :stop stops";

/// Says which threads of a cell still run, and how many tasks; and what waits for an event loop to run.
/// `None` when there is nothing.
pub(in crate::evaluator::evcxr) fn of_left(
    threads: &[Thread],
    tasks: usize,
    resting: Resting,
) -> Option<String> {
    let (timers, others): (Vec<&Thread>, Vec<&Thread>) = threads
        .iter()
        .partition(|thread| words::is_pending_timer(thread));
    let timers = match timers.len() {
        0 => None,
        1 => Some("1 timer of this cell is still to fire".to_owned()),
        count => Some(format!("{count} timers of this cell are still to fire")),
    };
    let others = match others.len() {
        0 => None,
        1 => Some(words::list(&others).replacen(':', " of this cell still runs:", 1)),
        _ => Some(words::list(&others).replacen(':', " of this cell still run:", 1)),
    };
    let tasks = match tasks {
        0 => None,
        1 => Some("1 task of this cell still runs".to_owned()),
        count => Some(format!("{count} tasks of this cell still run")),
    };
    let going_on = [others, tasks, timers].into_iter().flatten();
    let mut parts: Vec<String> = going_on.collect();
    let commands = if parts.is_empty() {
        COMMANDS_IF_ALL_REST
    } else {
        COMMANDS
    };
    parts.extend(of_resting(resting));
    (!parts.is_empty()).then(|| format!("{} ({commands})", parts.join("; ")))
}

fn of_resting(resting: Resting) -> Option<String> {
    let Resting { tasks, callbacks } = resting;
    let who = match (tasks, callbacks) {
        (0, 0) => return None,
        (tasks, 0) => words::count(tasks, "task"),
        (0, callbacks) => words::count(callbacks, "callback"),
        (tasks, callbacks) => {
            let [tasks, callbacks] = [(tasks, "task"), (callbacks, "callback")]
                .map(|(number, noun)| words::count(number, noun));
            format!("{tasks} and {callbacks}")
        }
    };
    let waits = if tasks + callbacks == 1 {
        "waits"
    } else {
        "wait"
    };
    Some(format!(
        "{who} of this cell {waits} until the event loop runs again"
    ))
}

#[cfg(test)]
mod tests {
    use interleave_protocol::{FutexUse, ThreadState};

    use super::{super::words::tests::thread, *};

    const FIRES: ThreadState = ThreadState::Futex {
        address: 8,
        used_by: FutexUse::Condvar,
        seconds: Some(1.0),
    };

    #[track_caller]
    fn check(threads: &[Thread], expected: &str) {
        check_with_tasks(threads, 0, expected);
    }

    #[track_caller]
    fn check_with_tasks(threads: &[Thread], tasks: usize, expected: &str) {
        let expected = format!("{expected} (:threads lists, :join waits, :stop stops)");
        assert_eq!(of_left(threads, tasks, Resting::default()), Some(expected));
    }

    #[test]
    fn threads_are_named_and_timers_are_counted() {
        let worker = thread("worker", ThreadState::Running);
        let timer = thread("Timer-1", FIRES);
        assert_eq!(of_left(&[], 0, Resting::default()), None);
        check(
            std::slice::from_ref(&worker),
            "1 thread of this cell still runs: worker",
        );
        check(
            std::slice::from_ref(&timer),
            "1 timer of this cell is still to fire",
        );
        let both = [timer.clone(), worker.clone(), timer, worker.clone()];
        check(
            &both,
            "2 threads of this cell still run: worker, worker; 2 timers of this cell are still to fire",
        );
        check(
            &vec![worker; 6],
            "6 threads of this cell still run: worker, worker, worker, worker and 2 more",
        );
    }

    #[test]
    fn tasks_are_counted() {
        check_with_tasks(&[], 1, "1 task of this cell still runs");
        let both = [
            thread("worker", ThreadState::Running),
            thread("Timer-1", FIRES),
        ];
        check_with_tasks(
            &both,
            3,
            "1 thread of this cell still runs: worker; 3 tasks of this cell still run; \
             1 timer of this cell is still to fire",
        );
    }

    #[test]
    fn what_rests_is_counted_and_nobody_is_told_to_wait_for_it() {
        let said = |tasks, callbacks| of_resting(Resting { tasks, callbacks }).unwrap();
        assert_eq!(
            said(1, 0),
            "1 task of this cell waits until the event loop runs again"
        );
        assert_eq!(
            said(2, 1),
            "2 tasks and 1 callback of this cell wait until the event loop runs again"
        );
        assert!(said(0, 2).starts_with("2 callbacks of this cell wait "));
        let resting = Resting {
            tasks: 1,
            callbacks: 0,
        };
        let alone = of_left(&[], 0, resting).unwrap();
        assert!(alone.ends_with(" again (:threads lists, :stop stops)"));
        let worker = thread("worker", ThreadState::Running);
        let both = of_left(&[worker], 0, resting).unwrap();
        assert!(
            both.starts_with("1 thread of this cell still runs: worker; 1 task of this cell waits")
        );
        assert!(both.ends_with(" again (:threads lists, :join waits, :stop stops)"));
    }

    #[test]
    fn a_timer_whose_function_runs_is_a_thread() {
        check(
            &[thread("Timer-1", ThreadState::Running)],
            "1 thread of this cell still runs: Timer-1",
        );
    }
}
