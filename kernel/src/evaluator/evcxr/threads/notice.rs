//! The line at the end of a cell that leaves threads or tasks running.

use interleave_protocol::Thread;

use super::words;

/// What to do about them; said where there are any.
const COMMANDS: &str = ":threads lists, :join waits, :stop stops";

/// Says which threads of a cell still run, and how many tasks. `None` when none does.
pub(in crate::evaluator::evcxr) fn of_left(threads: &[Thread], tasks: usize) -> Option<String> {
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
    let parts: Vec<String> = [others, tasks, timers].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("{} ({COMMANDS})", parts.join("; ")))
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
        assert_eq!(of_left(threads, tasks), Some(expected));
    }

    #[test]
    fn threads_are_named_and_timers_are_counted() {
        let worker = thread("worker", ThreadState::Running);
        let timer = thread("Timer-1", FIRES);
        assert_eq!(of_left(&[], 0), None);
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
    fn a_timer_whose_function_runs_is_a_thread() {
        check(
            &[thread("Timer-1", ThreadState::Running)],
            "1 thread of this cell still runs: Timer-1",
        );
    }
}
