//! The history's thread: a disk may be slow, and the kernel must not wait for it.

use std::{
    path::PathBuf,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use anyhow::Context as _;
use tokio::sync::oneshot;
use tracing::error;

use crate::{
    history::{Entry, History},
    session::{Event, ReplyTo},
    wire::HistoryRequest,
};

/// How to reach the thread.
#[derive(Debug)]
pub(super) struct Historian(Sender<Command>);

#[derive(Debug)]
enum Command {
    Record(usize, String),
    RecordOutput(usize, String),
    Search(ReplyTo, HistoryRequest),
    Flush(oneshot::Sender<()>),
}

impl Historian {
    /// Starts the thread. It opens `path` there, and gives what was found to `deliver`.
    ///
    /// # Errors
    ///
    /// When the system gives no thread.
    pub(super) fn spawn(
        path: Option<PathBuf>,
        deliver: impl Fn(Event) + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (sender, commands) = mpsc::channel();
        thread::Builder::new()
            .name("history".into())
            .spawn(move || run(path, &commands, deliver))
            .context("cannot start the history's thread")?;
        Ok(Self(sender))
    }

    /// Keeps the text of a cell.
    pub(super) fn record(&self, line: usize, source: String) {
        self.send(Command::Record(line, source));
    }

    /// Keeps the value of a cell.
    pub(super) fn record_output(&self, line: usize, output: String) {
        self.send(Command::RecordOutput(line, output));
    }

    /// Looks for cells. The answer is [`Event::HistoryFound`].
    pub(super) fn search(&self, to: ReplyTo, request: HistoryRequest) {
        self.send(Command::Search(to, request));
    }

    /// Waits until everything is on the disk.
    pub(super) async fn finish(&self) {
        let (sender, finished) = oneshot::channel();
        self.send(Command::Flush(sender));
        let _ = finished.await;
    }

    fn send(&self, command: Command) {
        // The thread lives as long as this sender.
        let _ = self.0.send(command);
    }
}

fn run(path: Option<PathBuf>, commands: &Receiver<Command>, deliver: impl Fn(Event)) {
    let history = History::open(path.as_deref())
        .inspect_err(|error| error!("there will be no history: {error:#}"))
        .ok();
    for command in commands {
        match command {
            Command::Record(line, source) => {
                history.iter().for_each(|it| it.record(line, &source));
            }
            Command::RecordOutput(line, output) => {
                history
                    .iter()
                    .for_each(|it| it.record_output(line, &output));
            }
            Command::Search(to, request) => {
                let found = history.as_ref().map(|it| it.search(&request));
                let entries: Vec<Entry> = found.unwrap_or_default();
                let output = request.output;
                deliver(Event::HistoryFound {
                    to,
                    output,
                    entries,
                });
            }
            Command::Flush(sender) => {
                let _ = sender.send(());
            }
        }
    }
}
