//! `:threads`: the threads of the host, as a student reads of them.

use std::collections::{BTreeMap, HashMap};

use interleave_protocol::{CodeAddress, Thread, ThreadKind, ThreadState};
use serde_json::Value;

use super::host_link::{HostLink, Threads};

pub(super) mod join;
pub(super) mod notice;
mod select;
pub(super) mod stop;
mod tasks;
pub(super) mod words;

/// A thread that a cell started, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    number: String,
    name: String,
    started: String,
    state: String,
    since: String,
    cpu: String,
}

const HEADINGS: [&str; 6] = ["id", "name", "started in", "state", "for", "cpu time"];

impl Row {
    fn cells(&self) -> [&str; 6] {
        let Self {
            number,
            name,
            started,
            state,
            since,
            cpu,
        } = self;
        [number, name, started, state, since, cpu].map(String::as_str)
    }
}

/// What `:threads` shows; `None` when the host does not answer.
pub(super) fn list(link: &HostLink) -> Option<BTreeMap<String, Value>> {
    let threads = link.threads()?;
    let (tasks, more_tasks) = tasks::rows(link, &link.tasks()?);
    let students = select::students(&threads.known).into_iter();
    let mut places = PlacesSoFar::new(link);
    let rows: Vec<Row> = students
        .map(|thread| row(thread, &threads, &mut places))
        .chain(tasks)
        .collect();
    let below = below(&threads, rows.len(), more_tasks);
    let text = if rows.is_empty() {
        below.clone()
    } else {
        format!("{}\n{below}", plain(&rows))
    };
    let html = if rows.is_empty() {
        String::new()
    } else {
        html(&rows)
    };
    let below = if below.is_empty() {
        String::new()
    } else {
        format!("<p>{}</p>", escape(&below))
    };
    let html = format!("{html}{below}");
    Some(BTreeMap::from([
        ("text/plain".to_owned(), Value::from(text.trim_end())),
        ("text/html".to_owned(), Value::from(html)),
    ]))
}

fn row(thread: &Thread, all: &Threads, places: &mut PlacesSoFar<'_>) -> Row {
    let named = if words::is_pending_timer(thread) {
        None
    } else {
        places.link.wait_by_name(thread)
    };
    let state = named.unwrap_or_else(|| words::state(thread, &name_of_joined(thread, all)));
    Row {
        number: thread.number.to_string(),
        name: thread.name.clone().unwrap_or_default(),
        started: places.of_birth(thread).unwrap_or_default(),
        state: match places.of_wait(thread) {
            Some(place) => format!("{state}, {place}"),
            None => state,
        },
        since: words::span(thread.since),
        cpu: words::span(thread.cpu),
    }
}

/// The lines of cells that were looked up so far: many threads are started on the same one, and a
/// look reads the whole shared object.
struct PlacesSoFar<'a> {
    link: &'a HostLink,
    found: HashMap<Vec<CodeAddress>, Vec<(usize, usize)>>,
}

impl<'a> PlacesSoFar<'a> {
    fn new(link: &'a HostLink) -> Self {
        let found = HashMap::new();
        Self { link, found }
    }

    fn lines(&mut self, callers: &[CodeAddress]) -> &[(usize, usize)] {
        let link = self.link;
        let lines = self.found.entry(callers.to_vec());
        lines.or_insert_with(|| link.lines_of(callers))
    }

    /// Where a thread waits, even if that is in a function of an earlier cell.
    fn of_wait(&mut self, thread: &Thread) -> Option<String> {
        self.lines(&thread.at).first().map(place)
    }

    /// The line of the cell that started the thread, not of a function that helped; or at least the
    /// cell.
    fn of_birth(&mut self, thread: &Thread) -> Option<String> {
        let cell = self.link.number_of(thread.cell)?;
        let mut lines = self.lines(&thread.birth).iter();
        let line = lines.find(|(number, _)| *number == cell);
        Some(line.map_or_else(|| format!("In[{cell}]"), place))
    }
}

fn place((number, line): &(usize, usize)) -> String {
    format!("In[{number}]:{line}")
}

/// The name of the thread whose end this one waits for.
fn name_of_joined(thread: &Thread, all: &Threads) -> String {
    let ThreadState::Joining {
        thread: Some(number),
    } = thread.state
    else {
        return "a thread".to_owned();
    };
    let joined = all.known.iter().find(|other| other.number == number);
    words::name(number, joined.and_then(|joined| joined.name.as_deref()))
}

/// What is not in the table.
fn below(threads: &Threads, listed: usize, more_tasks: usize) -> String {
    let mut lines = Vec::new();
    if listed == 0 && threads.unseen == 0 {
        lines.push("No thread or task that a cell started is running.".to_owned());
    }
    if threads.unseen > 0 {
        lines.push(format!(
            "{} more threads are too many to list.",
            threads.unseen
        ));
    }
    if more_tasks > 0 {
        lines.push(format!("{more_tasks} more tasks are too many to list."));
    }
    let pools = threads
        .known
        .iter()
        .filter(|thread| thread.kind == ThreadKind::Pool);
    match pools.count() {
        0 => {}
        1 => lines.push(
            "1 thread of a pool (tokio, rayon, an executor) works for every cell.".to_owned(),
        ),
        count => lines.push(format!(
            "{count} threads of pools (tokio, rayon, executors) work for every cell."
        )),
    }
    lines.join("\n")
}

fn plain(rows: &[Row]) -> String {
    let lines: Vec<[&str; 6]> = std::iter::once(HEADINGS)
        .chain(rows.iter().map(Row::cells))
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let align = |line: &[&str; 6]| {
        let cells = line.iter().enumerate();
        let padded = cells.map(|(column, text)| format!("{text:0$}", width(column).unwrap_or(0)));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(align).collect::<Vec<_>>().join("\n")
}

fn html(rows: &[Row]) -> String {
    let line = |cells: [&str; 6], tag: &str| {
        let cells = cells.map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)));
        format!("<tr>{}</tr>", cells.concat())
    };
    let body: String = rows.iter().map(|row| line(row.cells(), "td")).collect();
    format!(
        "<table><thead>{}</thead><tbody>{body}</tbody></table>",
        line(HEADINGS, "th")
    )
}

/// Text as HTML that shows it.
fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\n', "<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: &str, name: &str) -> Row {
        Row {
            number: number.into(),
            name: name.into(),
            started: "In[3]".into(),
            state: "runs".into(),
            since: "1.0 s".into(),
            cpu: "0 ms".into(),
        }
    }

    #[test]
    fn columns_are_aligned_by_characters() {
        let text = plain(&[row("12", "工人"), row("7", "worker")]);
        assert_eq!(
            text,
            "id  name    started in  state  for    cpu time\n\
             12  工人      In[3]       runs   1.0 s  0 ms\n\
             7   worker  In[3]       runs   1.0 s  0 ms"
        );
    }

    #[test]
    fn a_name_is_shown_and_not_taken_for_html() {
        assert!(html(&[row("1", "<b>&")]).contains("<td>&lt;b&gt;&amp;</td>"));
    }
}
