//! How a cell can fail that the compiler had accepted, in the words that a student reads.

use std::{fmt, process::ExitStatus};

use bytesize::ByteSize;
use interleave_protocol::{Interrupted, Location, NoSnapshot, Panic, QuestionMark};

use super::{
    last_words::Report as CellReport,
    memory::MemoryLimit,
    names,
    places::{Place, Places},
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
    /// The cell, which had come to its end.
    Cell,
    /// The process that runs the cells.
    Host(Fate),
}

/// `stuck` says why the cell could not go on, if that is known.
pub(super) fn interrupted(stopped: Stopped, stuck: Option<&str>) -> Failure {
    let message = match stopped {
        Stopped::Compiler => "the compiler was interrupted. Nothing is lost.".to_owned(),
        Stopped::Cell => "the cell was interrupted. Nothing is lost.".to_owned(),
        Stopped::Host(fate) => match stuck {
            Some(reason) => {
                format!("the cell was interrupted. It was stuck: {reason} (:why). {fate}")
            }
            None => format!("the cell was interrupted. {fate}"),
        },
    };
    plain("Interrupted", &message)
}

/// The host has stopped the cell, or left it behind.
pub(super) fn stopped(how: &Interrupted, report: &CellReport, places: &Places) -> Failure {
    let at = how.at.iter().find_map(|at| places.of_address(at));
    let place = at.or_else(|| places.of_panic(report.stopped_at.as_ref()?));
    let mut mark = place.and_then(|place| mark_at(place, places));
    if let Some(mark) = &mut mark {
        mark.label = "stopped here".to_owned();
    }
    let kept = "variables, statics and threads of other cells are kept";
    let note = match (how.left_behind, report.lost.as_slice()) {
        (false, _) => kept.to_owned(),
        (true, []) => format!("{LEFT_BEHIND}; {kept}"),
        (true, lost) => format!(
            "{LEFT_BEHIND}, and what it uses is lost: {}; other {kept}",
            listed(lost)
        ),
    };
    let note = match &report.stuck {
        Some(reason) => format!("it was stuck: {reason} (:why); {note}"),
        None => note,
    };
    let message = "the cell was interrupted";
    drawn("Interrupted", message, mark, Some(&note))
}

const LEFT_BEHIND: &str = "it could not be stopped there, so it was left behind and waits for ever";

/// `a`, `b`, `c`
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The host has ended. `status` is evcxr's, such as
/// `Subprocess terminated with status: signal: 11 (SIGSEGV)`, or the part behind the colon.
///
/// `last_words` is what it said at last on standard error, and `limit` what it could have taken.
pub(super) fn crashed(status: &str, last_words: &str, limit: MemoryLimit, fate: &Fate) -> Failure {
    let status = status.rsplit("status: ").next().unwrap_or(status).trim();
    if let Ok(code) = status.parse::<i32>() {
        let message = format!("the cell ended its process, with exit code {code}. {fate}");
        return plain("exit", &message);
    }
    if let Some(bytes) = refused_allocation(last_words) {
        return out_of_memory(bytes, limit, fate);
    }
    let reason = overflow(last_words).unwrap_or(status);
    plain("crash", &format!("the cell crashed: {reason}. {fate}"))
}

/// std's `stack_overflow::signal_handler` names the thread.
fn overflow(last_words: &str) -> Option<&str> {
    let mut lines = last_words.lines();
    lines.rfind(|line| line.ends_with("has overflowed its stack"))
}

/// How many bytes could not be had: std's `default_alloc_error_hook` says it before it aborts.
fn refused_allocation(last_words: &str) -> Option<&str> {
    let (_, rest) = last_words.rsplit_once("memory allocation of ")?;
    let (bytes, _) = rest.split_once(" bytes failed")?;
    Some(bytes)
}

fn out_of_memory(bytes: &str, limit: MemoryLimit, fate: &Fate) -> Failure {
    let wanted = match bytes.parse() {
        Ok(bytes) => ByteSize(bytes).to_string(),
        Err(_) => format!("{bytes} bytes"),
    };
    let reason = match limit.bytes() {
        Some(_) => format!(
            "the cell asked for {wanted} more, and all cells together may take {limit}. \
             `:memory limit 16GB` in a cell of its own sets another limit, `:memory limit none` \
             takes it away"
        ),
        None => format!("the cell asked for {wanted} more, which the system does not have"),
    };
    plain("OutOfMemory", &format!("{reason}. {fate}"))
}

/// The host had ended before the cell began, by a thread that an earlier cell has left behind or
/// from outside.
pub(super) fn ended_before(status: ExitStatus, last_words: &str) -> Failure {
    let how = match (refused_allocation(last_words), overflow(last_words)) {
        (Some(bytes), _) if !status.success() => format!("no memory for {bytes} bytes more"),
        (_, Some(overflow)) if !status.success() => overflow.to_owned(),
        _ => status.to_string(),
    };
    let fate = Fate::Lost(None);
    let message = format!(
        "after the last cell was over, the process of the cells has ended ({how}). \
         This cell has not run. {fate}"
    );
    plain("crash", &message)
}

/// The compiled cell could not be loaded, for example because the process may open no more files.
pub(super) fn cannot_load(reason: &str, fate: &Fate) -> Failure {
    plain(
        "crash",
        &format!("the cell cannot be loaded: {reason}. {fate}"),
    )
}

/// Something is missing at a byte of the newest cell.
pub(super) fn dropped(at: usize, message: &str, places: &Places) -> Failure {
    let cell = places.current().and_then(|index| places.cell(index));
    let mark = cell.map(|cell| Mark {
        cell: CellText::of(cell),
        span: at..at,
        label: "here".to_owned(),
        primary: true,
    });
    let report = Report {
        message: message.to_owned(),
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
pub(super) fn panicked(panic: Option<&Panic>, remark: Option<&str>, places: &Places) -> Failure {
    let message = panic.map_or("the cell panicked", |panic| panic.message.as_str());
    let mark = panic.and_then(|panic| mark(panic.location.as_ref()?, places));
    drawn("panic", message, mark, remark)
}

/// A panic ended a thread or a task that a cell started.
pub(super) fn panicked_aside(panic: &Panic, remark: Option<&str>, places: &Places) -> Failure {
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
    let remark = remark.map(|remark| format!(" About this panic: {remark}."));
    let note = format!(
        "{ended} A `Mutex` of std that it had locked is poisoned: `lock()` gives an `Err`.{}",
        remark.unwrap_or_default()
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
    mark_at(places.of_panic(location)?, places)
}

fn mark_at(place: Place, places: &Places) -> Option<Mark> {
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
        let crashed = |status, fate: &Fate| crashed(status, "", "none".parse().unwrap(), fate);
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

    #[test]
    fn what_the_process_said_last_explains_the_crash() {
        let crashed = |words, limit: &str| {
            let status = "Subprocess terminated with status: signal: 6 (SIGABRT)";
            crashed(status, words, limit.parse().unwrap(), &Fate::Kept)
        };
        let words = "one line\nmemory allocation of 4294967296 bytes failed\n";
        let memory = crashed(words, "2GiB");
        assert_eq!(memory.name, "OutOfMemory");
        for part in ["4.0 GiB more", "may take 2.0 GiB", ":memory limit"] {
            assert!(memory.value.contains(part), "{}", memory.value);
        }
        assert!(!crashed(words, "none").value.contains(":memory"));
        let words = "\nthread 'deep' (7) has overflowed its stack\nfatal runtime error\n";
        let overflow = crashed(words, "none");
        assert_eq!(overflow.name, "crash");
        assert!(overflow.value.contains("'deep' (7) has overflowed"));
    }
}
