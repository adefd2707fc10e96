//! Which threads a command means.

use interleave_protocol::{Thread, ThreadKind};

use super::words;

/// The threads that cells have started: the ones that commands can be about.
pub(super) fn students(threads: &[Thread]) -> Vec<&Thread> {
    let is_student = |thread: &&Thread| thread.kind == ThreadKind::Student;
    threads.iter().filter(is_student).collect()
}

/// Those that are called by one of the names or numbers; all of them if there is none, or `all`.
///
/// # Errors
///
/// When a name is nobody's: words that list the right ones.
pub(super) fn select<'a>(threads: &[&'a Thread], names: &str) -> Result<Vec<&'a Thread>, String> {
    let mut selected: Vec<&Thread> = Vec::new();
    for name in names.split([' ', ',']).filter(|name| !name.is_empty()) {
        let is_meant = |thread: &&&Thread| {
            name == "all"
                || thread.number.to_string() == name
                || thread.name.as_deref() == Some(name)
        };
        let before = selected.len();
        selected.extend(threads.iter().filter(is_meant));
        if selected.len() == before && name != "all" {
            return Err(unknown(threads, name));
        }
    }
    if names.trim().is_empty() {
        selected.extend(threads);
    }
    selected.sort_by_key(|thread| thread.number);
    selected.dedup_by_key(|thread| thread.number);
    Ok(selected)
}

fn unknown(threads: &[&Thread], name: &str) -> String {
    let names: Vec<String> = threads
        .iter()
        .map(|thread| words::name_and_number(thread))
        .collect();
    if names.is_empty() {
        return format!("no thread is called `{name}`: no thread that a cell started is running");
    }
    format!(
        "no thread is called `{name}`. There are: {}",
        names.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use interleave_protocol::ThreadState;

    use super::{super::words::tests::thread, *};

    fn threads() -> Vec<Thread> {
        let with_number = |name: &str, number| Thread {
            number,
            ..thread(name, ThreadState::Running)
        };
        let unnamed = Thread {
            name: None,
            ..with_number("", 9)
        };
        let pool = Thread {
            kind: ThreadKind::Pool,
            ..with_number("tokio-worker", 3)
        };
        vec![
            pool,
            with_number("a", 7),
            with_number("b", 8),
            unnamed,
            with_number("a", 10),
        ]
    }

    #[track_caller]
    fn check(names: &str, expected: &[u64]) {
        let threads = threads();
        let selected = select(&students(&threads), names).unwrap();
        let numbers: Vec<u64> = selected.iter().map(|thread| thread.number).collect();
        assert_eq!(numbers, expected);
    }

    #[test]
    fn a_thread_is_meant_by_its_name_or_its_number() {
        check("", &[7, 8, 9, 10]);
        check("all", &[7, 8, 9, 10]);
        check("a", &[7, 10]);
        check("9, b", &[8, 9]);
        check("b 8", &[8]);
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        let threads = threads();
        let error = select(&students(&threads), "c").unwrap_err();
        assert_eq!(
            error,
            "no thread is called `c`. There are: a (7), b (8), thread 9, a (10)"
        );
        let error = select(&students(&threads), "3").unwrap_err();
        assert!(
            error.contains("`3`"),
            "a thread of a pool is nobody's: {error}"
        );
        let error = select(&[], "c").unwrap_err();
        assert!(error.ends_with("no thread that a cell started is running"));
        assert_eq!(select(&[], "all"), Ok(Vec::new()));
    }
}
