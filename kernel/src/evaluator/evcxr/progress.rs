//! A bar in the cell while real cargo fetches and compiles what `:dep` adds.

use std::{
    collections::BTreeMap,
    os::unix::net::UnixDatagram,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use interleave_protocol::{BuildProgress, Display, DisplayRole, at_socket};
use rustix::event::{PollFd, PollFlags};
use serde_json::Value;

use super::host_link::HostLink;
use crate::evaluator::Output;

/// Longer than any message: the names of as many crates as there are processors.
const LONGEST: usize = 16 * 1024;

/// So many characters the bar has as text.
const TEXT_WIDTH: u32 = 20;

/// Shows what the compilers tell, while a cell runs.
#[derive(Debug, Clone)]
pub(super) struct Progress(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    socket: UnixDatagram,
    link: HostLink,
    cell: Option<Cell>,
}

#[derive(Debug)]
struct Cell {
    id: u64,
    bar: Option<Bar>,
}

#[derive(Debug)]
struct Bar {
    since: Instant,
    latest: BuildProgress,
}

impl Progress {
    /// Listens at `path` and shows what comes through `link`.
    pub(super) fn listen(path: &Path, link: HostLink) -> Result<Self> {
        let socket = at_socket(path, |path| UnixDatagram::bind(path))
            .with_context(|| format!("cannot listen at {}", path.display()))?;
        socket.set_nonblocking(true)?;
        let waiting = socket.try_clone()?;
        let cell = None;
        let progress = Self(Arc::new(Mutex::new(Inner { socket, link, cell })));
        let shower = progress.clone();
        thread::Builder::new()
            .name("interleave-progress".into())
            .spawn(move || {
                loop {
                    let mut polled = [PollFd::new(&waiting, PollFlags::IN)];
                    match rustix::event::poll(&mut polled, None) {
                        Ok(_) | Err(rustix::io::Errno::INTR) => shower.lock().show_what_came(),
                        Err(error) => {
                            tracing::error!(%error, "cannot wait for the progress of compilers");
                            return;
                        }
                    }
                }
            })
            .context("cannot start a thread")?;
        Ok(progress)
    }

    /// From now on progress is that of this cell.
    pub(super) fn begin(&self, id: u64) {
        let mut inner = self.lock();
        // Of a compiler that was stopped; it has no cell any more.
        inner.cell = None;
        inner.show_what_came();
        inner.cell = Some(Cell { id, bar: None });
    }

    /// The cell is over.
    pub(super) fn end(&self) {
        let mut inner = self.lock();
        inner.show_what_came();
        let Some(Cell { id, bar: Some(bar) }) = inner.cell.take() else {
            return;
        };
        let seconds = bar.since.elapsed().as_secs_f64();
        let text = format!("{} ({seconds:.1} s)", last_words(&bar.latest));
        inner.send(id, DisplayRole::Update, &text, None);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn show_what_came(&mut self) {
        let mut bytes = vec![0; LONGEST];
        let mut latest: Option<BuildProgress> = None;
        while let Ok(length) = self.socket.recv(&mut bytes) {
            let line = bytes.get(..length).unwrap_or_default();
            // Only the last of several that waited is news.
            latest = interleave_protocol::from_line(line).ok().or(latest);
        }
        let (Some(latest), Some(cell)) = (latest, &mut self.cell) else {
            return;
        };
        let id = cell.id;
        let role = match &mut cell.bar {
            Some(bar) => {
                bar.latest = latest.clone();
                DisplayRole::Update
            }
            None => {
                let since = Instant::now();
                let latest = latest.clone();
                cell.bar = Some(Bar { since, latest });
                DisplayRole::Show
            }
        };
        let (text, part) = words(&latest);
        self.send(id, role, &text, part);
    }

    fn send(&self, id: u64, role: DisplayRole, text: &str, part: Option<(u32, u32)>) {
        let data = match part {
            Some(part) => with_bar(text, part),
            None => BTreeMap::from([("text/plain".to_owned(), Value::from(text))]),
        };
        self.link.show(Output::Display(Display {
            role,
            data,
            display_id: Some(format!("interleave-dep-{id}")),
            ..Display::default()
        }));
    }
}

/// What happens, and how much of it is done.
fn words(progress: &BuildProgress) -> (String, Option<(u32, u32)>) {
    match progress {
        BuildProgress::Updating => ("asking the crate registry".to_owned(), None),
        BuildProgress::Downloading { done, total } => (
            format!("downloading crates: {done} of {total}"),
            Some((*done, *total)),
        ),
        BuildProgress::Compiling { done, total, names } => (
            format!("compiling crates: {done} of {total} ({names})"),
            Some((*done, *total)),
        ),
    }
}

/// What was done when the cell ended, also when it was stopped or failed.
fn last_words(progress: &BuildProgress) -> String {
    match progress {
        BuildProgress::Updating => "asked the crate registry".to_owned(),
        BuildProgress::Downloading { done, total } => {
            format!("downloaded {done} of {total} crates")
        }
        // The last bar that cargo draws stands one short of the end.
        BuildProgress::Compiling { done, total, .. } if done + 1 >= *total => {
            "compiled the crates".to_owned()
        }
        BuildProgress::Compiling { done, total, .. } => {
            format!("stopped compiling crates at {done} of {total}")
        }
    }
}

fn with_bar(text: &str, (done, total): (u32, u32)) -> BTreeMap<String, Value> {
    let filled = (done * TEXT_WIDTH).checked_div(total).unwrap_or_default();
    let bar = format!(
        "[{:width$}] {text}",
        "#".repeat(filled as usize),
        width = TEXT_WIDTH as usize
    );
    // The names of crates hold no character that HTML gives a meaning.
    let html = format!(r#"<progress value="{done}" max="{total}"></progress> {text}"#);
    BTreeMap::from([
        ("text/plain".to_owned(), Value::from(bar)),
        ("text/html".to_owned(), Value::from(html)),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_text_and_html() {
        let step = BuildProgress::Compiling {
            done: 3,
            total: 12,
            names: "syn, serde".into(),
        };
        let (text, part) = words(&step);
        let data = with_bar(&text, part.unwrap());
        assert_eq!(
            data["text/plain"],
            "[#####               ] compiling crates: 3 of 12 (syn, serde)"
        );
        assert_eq!(
            data["text/html"],
            r#"<progress value="3" max="12"></progress> compiling crates: 3 of 12 (syn, serde)"#
        );
    }

    #[test]
    fn nothing_to_do_is_an_empty_bar() {
        assert_eq!(
            with_bar("x", (0, 0))["text/plain"],
            "[                    ] x"
        );
    }

    #[test]
    fn what_was_stopped_says_so() {
        let at = |done| {
            last_words(&BuildProgress::Compiling {
                done,
                total: 5,
                names: String::new(),
            })
        };
        assert_eq!(at(2), "stopped compiling crates at 2 of 5");
        assert_eq!(at(4), "compiled the crates");
    }
}
