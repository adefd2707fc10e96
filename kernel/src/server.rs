//! Runs a kernel: starts the tasks and threads, tells the [`Session`] what happens and does what it
//! says, and ends everything in order.

mod evaluation;
mod historian;
mod output;

use std::{path::PathBuf, sync::mpsc as std_mpsc};

use anyhow::Context as _;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
    time::{Duration, Instant, timeout},
};
use tracing::{error, warn};

use self::historian::Historian;
use crate::{
    evaluator::{Controls, Factory},
    session::{Action, Event, Job, KernelInfo, ReplyTo, Session},
    sockets::{Links, Sockets},
    wire::{Channel, Codec},
};

/// How long the evaluator may take to end. Jupyter kills a kernel that takes more than 5 s.
const EVALUATOR_GRACE: Duration = Duration::from_secs(2);

/// How long the last messages may take to leave; more means that nobody reads them.
const FLUSH_GRACE: Duration = Duration::from_secs(1);

/// What makes one kernel different from another.
#[derive(Debug, Default)]
pub struct Config {
    /// What it says about itself.
    pub info: KernelInfo,
    /// Where the history is kept; in memory without it.
    pub history: Option<PathBuf>,
}

/// A wish from outside of Jupyter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Stop the running cell.
    Interrupt,
    /// End the kernel.
    Stop,
}

/// Serves until a client asks for shutdown, or [`Signal::Stop`] comes.
///
/// What to listen on, what to run and when to stop are arguments; nothing is read from the
/// environment.
///
/// # Errors
///
/// When a thread cannot be started, or a task that owns a socket has ended.
pub async fn serve(
    sockets: Sockets,
    (controls, factory): (Controls, Factory),
    config: Config,
    signals: mpsc::UnboundedReceiver<Signal>,
) -> anyhow::Result<()> {
    let (events, received) = mpsc::unbounded_channel();
    let deliver = move |event| {
        // A receiver that is gone means that the kernel has ended.
        let _ = events.send(event);
    };
    let codec = Codec::new(&sockets.connection().key);
    let (links, mut tasks) = sockets.start(&codec, {
        let deliver = deliver.clone();
        move |channel, incoming| deliver(Event::Request(channel, incoming))
    });
    let (jobs, queue) = std_mpsc::channel();
    let historian = Historian::spawn(config.history, deliver.clone())?;
    evaluation::spawn(factory, queue, links.clone(), deliver)?;
    let mut server = Server {
        session: Session::new(config.info, controls.is_complete),
        links,
        historian,
        controls,
        jobs: Some(jobs),
        give_up: None,
    };
    let result = server.run(received, signals, &mut tasks).await;
    server.finish(tasks).await;
    result
}

struct Server {
    session: Session,
    links: Links,
    historian: Historian,
    controls: Controls,
    /// Work for the evaluator; dropped to end it.
    jobs: Option<std_mpsc::Sender<Job>>,
    /// When to stop waiting for the evaluator; set once the kernel is ending.
    give_up: Option<Instant>,
}

impl Server {
    async fn run(
        &mut self,
        mut events: mpsc::UnboundedReceiver<Event>,
        mut signals: mpsc::UnboundedReceiver<Signal>,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<()> {
        loop {
            let event = tokio::select! {
                Some(event) = events.recv() => event,
                Some(signal) = signals.recv() => match signal {
                    Signal::Interrupt => Event::Interrupt,
                    Signal::Stop => Event::Stop,
                },
                Some(ended) = tasks.join_next() => return task_ended(ended),
                () = at(self.give_up) => {
                    warn!("the evaluator does not end; it is left behind");
                    Event::EvaluatorGone
                }
            };
            if let (Event::EvaluatorStarted(Err(reason)), None) = (&event, self.give_up) {
                error!("the evaluator cannot be started: {reason}");
            }
            let gone = matches!(event, Event::EvaluatorGone);
            for action in self.session.handle(event) {
                self.perform(action);
            }
            if gone && self.give_up.is_some() {
                return Ok(());
            }
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Publish(parent, content) => self.links.iopub.publish(parent, content),
            Action::Reply(to, content) => self.reply(&to, &content),
            Action::Evaluate(job) => self.evaluate(job),
            Action::Interrupt => {
                // In this order: a cell that loses its question asks whether it was interrupted.
                self.controls.interrupt.interrupt();
                self.links.stdin.cancel();
            }
            Action::Record { line, source } => self.historian.record(line, source),
            Action::RecordOutput { line, output } => self.historian.record_output(line, output),
            Action::SearchHistory(to, request) => self.historian.search(to, request),
            Action::Stop => {
                self.give_up = Some(Instant::now() + EVALUATOR_GRACE);
                self.end_evaluator();
            }
        }
    }

    fn reply(&self, to: &ReplyTo, content: &jupyter_protocol::JupyterMessageContent) {
        match to.channel {
            // What a cell showed has left when its reply does.
            Channel::Shell => {
                let barrier = self.links.iopub.barrier();
                self.links.shell.reply(Some(barrier), &to.parent, content);
            }
            Channel::Control => self.links.control.reply(None, &to.parent, content),
        }
    }

    fn evaluate(&self, job: Job) {
        // Without a receiver the evaluator's thread has ended, which is an event of its own.
        if let Some(jobs) = &self.jobs {
            if matches!(job, Job::Execute { .. }) {
                self.controls.interrupt.expect();
            }
            let _ = jobs.send(job);
        }
    }

    fn end_evaluator(&mut self) {
        self.jobs = None;
        self.controls.interrupt.shut_down();
        self.links.stdin.cancel();
    }

    /// Lets everything out that was said, then ends the tasks.
    async fn finish(mut self, mut tasks: JoinSet<()>) {
        self.end_evaluator();
        let flush = async {
            self.historian.finish().await;
            self.links.iopub.barrier().reached().await;
            self.links.shell.flush().await;
            self.links.control.flush().await;
        };
        if timeout(FLUSH_GRACE, flush).await.is_err() {
            warn!("the last messages could not be delivered in time");
        }
        tasks.shutdown().await;
    }
}

/// The tasks serve for as long as the kernel does, so this is a fault of ours.
fn task_ended(result: Result<(), JoinError>) -> anyhow::Result<()> {
    result.context("a task that owns a socket has failed")?;
    anyhow::bail!("a task that owns a socket has ended")
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
