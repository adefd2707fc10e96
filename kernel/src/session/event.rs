//! What goes into the session and what comes out.

use std::sync::Arc;

use jupyter_protocol::JupyterMessageContent;

use super::{Done, Job};
use crate::{
    history,
    wire::{Channel, HistoryRequest, Incoming, Parent},
};

/// Something that happened.
#[derive(Debug)]
pub enum Event {
    /// A client asks.
    Request(Channel, Incoming),
    /// An evaluator was built, or cannot be.
    EvaluatorStarted(Result<(), String>),
    /// The evaluator did what [`Action::Evaluate`] said.
    Done(Done),
    /// The evaluator's thread has ended, or is not waited for any longer.
    EvaluatorGone,
    /// The answer to [`Action::SearchHistory`].
    HistoryFound {
        /// Who asked.
        to: ReplyTo,
        /// Whether results are wanted beside the sources.
        output: bool,
        /// What was found.
        entries: Vec<history::Entry>,
    },
    /// Somebody outside wants the running cell to stop.
    Interrupt,
    /// Somebody outside wants the kernel to end.
    Stop,
}

/// Something to do.
#[derive(Debug)]
pub enum Action {
    /// Send to all front ends.
    Publish(Option<Arc<Parent>>, JupyterMessageContent),
    /// Answer a request.
    Reply(ReplyTo, JupyterMessageContent),
    /// Give work to the evaluator. [`Event::Done`] follows.
    Evaluate(Job),
    /// Stop the running cell, and the question it may be asking.
    Interrupt,
    /// Keep the text of a cell.
    Record {
        /// Its number.
        line: usize,
        /// Its text.
        source: String,
    },
    /// Keep the value of a cell.
    RecordOutput {
        /// Its number.
        line: usize,
        /// The text of its value.
        output: String,
    },
    /// Look for cells. [`Event::HistoryFound`] follows.
    SearchHistory(ReplyTo, HistoryRequest),
    /// End the evaluator, then the kernel. [`Event::EvaluatorGone`] follows.
    Stop,
}

/// Where an answer goes.
#[derive(Debug, Clone)]
pub struct ReplyTo {
    /// By which socket.
    pub channel: Channel,
    /// To which request.
    pub parent: Arc<Parent>,
}
