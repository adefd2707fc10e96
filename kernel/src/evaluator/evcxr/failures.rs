//! How a cell can fail that the compiler had accepted, in the words that a student reads.

use std::fmt;

use interleave_protocol::{Location, NoSnapshot, Panic, QuestionMark};

use super::{
    names,
    places::Places,
    report::{CellText, Mark, Remark, Report},
};
use crate::evaluator::Failure;

/// What became of the process of the cells, which has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// A copy of it from before the cell has taken its place.
    Kept,
    /// There is a new one; why there was no copy, if that is known.
    Lost(Option<NoSnapshot>),
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str(
                "Variables and statics are as they were before this cell; what it defined and the \
                 threads that it started are gone, what it wrote to files stays.",
            ),
            Self::Lost(reason) => {
                f.write_str(
                    "The process of the cells was replaced: variables and threads are lost, \
                     functions and types are kept.",
                )?;
                match reason {
                    None | Some(NoSnapshot::Fresh) => Ok(()),
                    Some(reason) => write!(f, " (No copy was at hand: {}.)", words(reason)),
                }
            }
        }
    }
}

/// Why there was no copy.
fn words(reason: &NoSnapshot) -> String {
    const MEGABYTE: u64 = 1024 * 1024;
    match reason {
        NoSnapshot::Fresh => "nothing was to be kept".to_owned(),
        NoSnapshot::Off => "snapshots are switched off".to_owned(),
        NoSnapshot::Threads { count, cells } => {
            let (threads, were) = if *count == 1 {
                ("a thread", "was")
            } else {
                ("threads", "were")
            };
            format!(
                "{threads}{} {were} running, and a copy has no threads",
                of(cells)
            )
        }
        NoSnapshot::Programs => {
            "a program that an earlier cell started was not waited for".to_owned()
        }
        NoSnapshot::Descriptors => {
            "an earlier cell left a pipe, a socket or a locked file open".to_owned()
        }
        NoSnapshot::Memory { bytes } => {
            format!("the cells held {} MB, too much to copy", bytes / MEGABYTE)
        }
        NoSnapshot::Busy => "standard output was locked".to_owned(),
        NoSnapshot::System { error } => format!("the system made none, {error}"),
    }
}

fn of(cells: &[u64]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| format!("In[{cell}]")).collect();
    match cells.as_slice() {
        [] => String::new(),
        cells => format!(" of {}", cells.join(", ")),
    }
}

/// Said when `:dep` needs another build of the prelude while there are variables.
pub(super) const PRELUDE_REPLACED: &str = "The added crates ask crates that every cell uses for more \
    features. The process of the cells was replaced by one with the new builds: variables and \
    threads are lost, functions and types are kept.\n";

/// A failure without a place.
pub(super) fn plain(name: &str, message: &str) -> Failure {
    drawn(name, message, None, None)
}

/// The host did not answer a question.
pub(super) fn no_answer() -> Failure {
    plain("error", "the process that runs the cells does not answer")
}

/// What the student stopped.
#[derive(Debug, Clone)]
pub(super) enum Stopped {
    /// The compiler, before any code of the cell ran.
    Compiler,
    /// The cell, which ended by itself then.
    Cell,
    /// The process that runs the cells.
    Host(Fate),
}

pub(super) fn interrupted(stopped: Stopped) -> Failure {
    let message = match stopped {
        Stopped::Compiler => "the compiler was interrupted. Nothing is lost.".to_owned(),
        Stopped::Cell => "the cell was interrupted. Nothing is lost.".to_owned(),
        Stopped::Host(fate) => format!("the cell was interrupted. {fate}"),
    };
    plain("Interrupted", &message)
}

/// The host has ended. `status` is evcxr's, such as
/// `Subprocess terminated with status: signal: 11 (SIGSEGV)`, or the part behind the colon.
pub(super) fn crashed(status: &str, fate: &Fate) -> Failure {
    let status = status.rsplit("status: ").next().unwrap_or(status).trim();
    match status.parse::<i32>() {
        Ok(code) => plain(
            "exit",
            &format!("the cell ended its process, with exit code {code}. {fate}"),
        ),
        Err(_) => plain("crash", &format!("the cell crashed: {status}. {fate}")),
    }
}

/// A `let` names nothing. `at` is the byte of the newest cell where the name is missing.
pub(super) fn dropped(at: usize, places: &Places) -> Failure {
    let cell = places.current().and_then(|index| places.cell(index));
    let mark = cell.map(|cell| Mark {
        cell: CellText::of(cell),
        span: at..at,
        label: "here".to_owned(),
        primary: true,
    });
    let report = Report {
        message: "expected a pattern behind `let`".to_owned(),
        marks: mark.into_iter().collect(),
        ..Report::default()
    };
    Failure {
        name: "error".to_owned(),
        value: report.message.clone(),
        traceback: report.draw(),
    }
}

/// A panic left the cell.
pub(super) fn panicked(panic: Option<&Panic>, places: &Places) -> Failure {
    let message = panic.map_or("the cell panicked", |panic| panic.message.as_str());
    let mark = panic.and_then(|panic| mark(panic.location.as_ref()?, places));
    drawn("panic", message, mark, None)
}

/// A panic ended a thread or a task that a cell started.
pub(super) fn panicked_aside(panic: &Panic, places: &Places) -> Failure {
    let (who, ended) = match &panic.task {
        Some(task) => {
            let spawned = places.of_panic(&task.spawned_at);
            let spawned = spawned.map_or_else(String::new, |place| {
                format!(" (spawned at {})", places.describe(place))
            });
            let who = format!("task {}{spawned}", task.id);
            (
                who,
                "The task has ended: awaiting its `JoinHandle` gives an `Err`.",
            )
        }
        None => {
            let name = panic.thread.as_deref();
            let who = name.map_or("a thread without a name".to_owned(), |name| {
                format!("thread '{name}'")
            });
            (who, "The thread has ended: its `join()` gives an `Err`.")
        }
    };
    let message = format!("{who} panicked: {}", panic.message);
    let note = format!(
        "{ended} A `Mutex` of std that it had locked is poisoned: `lock()` gives an `Err`."
    );
    let mark = panic
        .location
        .as_ref()
        .and_then(|location| mark(location, places));
    drawn("panic", &message, mark, Some(&note))
}

/// An `Err` left the cell through `?`.
pub(super) fn returned_early(error: &QuestionMark, places: &Places) -> Failure {
    let mark = error
        .location
        .as_ref()
        .and_then(|location| mark(location, places));
    let note = "`?` ended the cell here, because the value was an `Err`";
    drawn(
        &names::short(&error.type_name),
        &error.message,
        mark,
        Some(note),
    )
}

fn mark(location: &Location, places: &Places) -> Option<Mark> {
    let place = places.of_panic(location)?;
    let cell = places.cell(place.cell)?;
    Some(Mark::from_place(CellText::of(cell), place))
}

fn drawn(name: &str, message: &str, mark: Option<Mark>, note: Option<&str>) -> Failure {
    let note = note.map(|note| Remark {
        is_help: false,
        message: note.to_owned(),
        marks: Vec::new(),
        changes: Vec::new(),
    });
    let report = Report {
        is_warning: false,
        code: Some(name.to_owned()),
        message: message.to_owned(),
        marks: mark.into_iter().collect(),
        remarks: note.into_iter().collect(),
    };
    Failure {
        name: name.to_owned(),
        value: message.to_owned(),
        traceback: report.draw(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exit_and_a_crash_are_told_apart() {
        let lost = Fate::Lost(Some(NoSnapshot::Threads {
            count: 2,
            cells: vec![1, 3],
        }));
        let exit = crashed(
            "Subprocess terminated with status: exit status: 3",
            &Fate::Kept,
        );
        assert_eq!(exit.name, "exit");
        assert!(exit.value.contains("exit code 3"), "{}", exit.value);
        assert!(exit.value.contains("as they were before this cell"));
        let crash = crashed("signal: 6 (SIGABRT)", &lost);
        assert_eq!(crash.name, "crash");
        assert!(
            crash.value.contains("signal: 6 (SIGABRT)"),
            "{}",
            crash.value
        );
        assert!(crash.value.contains("lost") && crash.value.contains("threads of In[1], In[3]"));
    }
}
