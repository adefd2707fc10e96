//! What a thread does, in words.

use interleave_protocol::{FutexUse, Thread, ThreadState};

/// How to speak of a thread.
pub(in super::super) fn name(number: u64, name: Option<&str>) -> String {
    name.map_or_else(|| format!("thread {number}"), str::to_owned)
}

/// A name and the number that tells the thread from others of that name: `worker (7)`.
pub(super) fn name_and_number(thread: &Thread) -> String {
    match &thread.name {
        Some(name) => format!("{name} ({})", thread.number),
        None => name(thread.number, None),
    }
}

/// So many are named where several are spoken of.
pub(super) const NAMED: usize = 4;

/// How many threads, and which.
pub(super) fn list(threads: &[&Thread]) -> String {
    let named = threads.iter().take(NAMED);
    let names: Vec<String> = named
        .map(|thread| name(thread.number, thread.name.as_deref()))
        .collect();
    let more = match threads.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let count = count(threads.len(), "thread");
    format!("{count}: {}{more}", names.join(", "))
}

/// What there is to say once so many threads and tasks have ended, or `have` done something else.
pub(super) fn have(threads: usize, tasks: usize, done: &str) -> String {
    let has = if threads + tasks == 1 { "has" } else { "have" };
    let who = match (threads, tasks) {
        (0, 0) => return "No thread or task that a cell started is running.".to_owned(),
        (threads, 0) => count(threads, "thread"),
        (0, tasks) => count(tasks, "task"),
        both => format!("{} and {}", count(both.0, "thread"), count(both.1, "task")),
    };
    format!("{who} {has} {done}.")
}

/// Why a thread that was asked to stop has not.
pub(super) fn goes_on(thread: &Thread, state: &str, place: Option<&str>) -> String {
    let place = place.map_or(String::new(), |place| format!(", {place}"));
    let until = match thread.state {
        ThreadState::Running => "it is in code that does not ask whether to stop",
        _ => "it stops when that wait ends",
    };
    format!(
        "{} goes on: it {state}{place}; {until}.",
        name_and_number(thread)
    )
}

/// So many of something.
pub(super) fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// What the thread does. `joined` is the thread whose end it may be waiting for.
pub(in super::super) fn state(thread: &Thread, joined: &str) -> String {
    match thread.state {
        ThreadState::Running => "runs".to_owned(),
        ThreadState::Sleeping { seconds } => format!("sleeps {} more", span(seconds)),
        ThreadState::Futex {
            seconds: Some(seconds),
            ..
        } if is_pending_timer(thread) => format!("fires in {}", span(seconds)),
        ThreadState::Futex {
            used_by, seconds, ..
        } => {
            let limit = seconds.map(|seconds| format!(", {} at most", span(seconds)));
            format!("{}{}", futex(used_by), limit.unwrap_or_default())
        }
        ThreadState::Joining { .. } => format!("joins {joined}"),
        ThreadState::Io => "waits for data".to_owned(),
        ThreadState::Process => "waits for another program".to_owned(),
        ThreadState::Input => "waits for input".to_owned(),
    }
}

/// Whether it is the thread of a `threading::Timer` that waits for its time, by the name that the
/// prelude gives to those.
pub(super) fn is_pending_timer(thread: &Thread) -> bool {
    let name = thread.name.as_deref().unwrap_or_default();
    let number = name.strip_prefix("Timer-");
    number.is_some_and(|number| number.parse::<u64>().is_ok())
        && matches!(
            thread.state,
            ThreadState::Futex {
                seconds: Some(_),
                used_by: FutexUse::Condvar | FutexUse::Unknown,
                ..
            }
        )
}

fn futex(used_by: FutexUse) -> &'static str {
    match used_by {
        FutexUse::Lock => "waits for a lock",
        FutexUse::Condvar => "waits at a condition variable",
        FutexUse::Park => "is parked: waits for a message or a wake-up",
        FutexUse::Once => "waits until something is initialized",
        FutexUse::Unknown => "waits for a lock or a wake-up",
    }
}

/// A span of time, to about two digits.
pub(in super::super) fn span(seconds: f64) -> String {
    match seconds {
        ..0.9995 => format!("{:.0} ms", seconds * 1000.0),
        ..59.95 => format!("{seconds:.1} s"),
        ..3599.5 => format!(
            "{} min {:.0} s",
            (seconds / 60.0).floor(),
            (seconds % 60.0).floor()
        ),
        _ => format!(
            "{} h {} min",
            (seconds / 3600.0).floor(),
            (seconds % 3600.0 / 60.0).floor()
        ),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use interleave_protocol::ThreadKind;

    use super::*;

    pub(in super::super) fn thread(name: &str, state: ThreadState) -> Thread {
        Thread {
            number: 4,
            kind: ThreadKind::Student,
            name: Some(name.to_owned()),
            cell: 1,
            birth: Vec::new(),
            state,
            at: Vec::new(),
            since: 0.0,
            cpu: 0.0,
        }
    }

    #[track_caller]
    fn check(name: &str, state: ThreadState, expected: &str) {
        assert_eq!(super::state(&thread(name, state), "worker-2"), expected);
    }

    fn futex_at(used_by: FutexUse, seconds: Option<f64>) -> ThreadState {
        ThreadState::Futex {
            address: 8,
            used_by,
            seconds,
        }
    }

    #[test]
    fn a_state_says_what_is_waited_for() {
        check("a", ThreadState::Running, "runs");
        check(
            "a",
            ThreadState::Sleeping { seconds: 0.8 },
            "sleeps 800 ms more",
        );
        check("a", futex_at(FutexUse::Lock, None), "waits for a lock");
        check(
            "a",
            futex_at(FutexUse::Condvar, Some(2.0)),
            "waits at a condition variable, 2.0 s at most",
        );
        check(
            "a",
            ThreadState::Joining { thread: Some(2) },
            "joins worker-2",
        );
        check("a", ThreadState::Input, "waits for input");
    }

    #[test]
    fn a_timer_fires() {
        check(
            "Timer-3",
            futex_at(FutexUse::Condvar, Some(1.25)),
            "fires in 1.2 s",
        );
        check(
            "Timer-3",
            futex_at(FutexUse::Lock, None),
            "waits for a lock",
        );
        check(
            "Timer-x",
            futex_at(FutexUse::Park, Some(1.0)),
            "is parked: waits for a message or a wake-up, 1.0 s at most",
        );
    }

    #[test]
    fn a_thread_that_goes_on_says_why() {
        let waits = thread("a", futex_at(FutexUse::Lock, None));
        assert_eq!(
            goes_on(&waits, "waits for a lock", Some("In[3]:4")),
            "a (4) goes on: it waits for a lock, In[3]:4; it stops when that wait ends."
        );
        let runs = goes_on(&thread("a", ThreadState::Running), "runs", None);
        assert!(runs.ends_with("does not ask whether to stop."), "{runs}");
        assert_eq!(have(1, 0, "stopped"), "1 thread has stopped.");
        assert_eq!(have(0, 2, "ended"), "2 tasks have ended.");
        assert_eq!(have(2, 1, "ended"), "2 threads and 1 task have ended.");
    }

    #[test]
    fn a_span_has_a_fitting_unit() {
        let spans = [0.0, 0.0004, 0.9, 0.9999, 59.0, 61.0, 7260.0].map(span);
        assert_eq!(
            spans,
            [
                "0 ms",
                "0 ms",
                "900 ms",
                "1.0 s",
                "59.0 s",
                "1 min 1 s",
                "2 h 1 min"
            ]
        );
    }
}
