//! The seam between the kernel, which knows Jupyter, and what evaluates cells, which knows Rust.
//!
//! An evaluator is blocking and lives on one thread. It knows no message of the protocol: it takes
//! a [`Cell`], says what happens through an [`OutputSink`], and ends with an [`Outcome`].

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

#[cfg(feature = "evcxr")]
pub mod evcxr;
pub mod scripted;

/// Runs cells, one at a time, and knows what they defined.
pub trait Evaluator {
    /// Runs a cell to its end. Everything it showed was given to `output` before this returns.
    fn execute(&mut self, cell: &Cell, output: &OutputSink) -> Outcome;

    /// Prepares for what is likely to come. Called once, when nobody waits for anything.
    fn warm_up(&mut self) {}

    /// What may stand at `cursor`, a byte offset into `code`.
    fn complete(&mut self, code: &str, cursor: usize) -> Completions;

    /// What stands at `cursor`, a byte offset into `code`.
    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Inspection>;
}

/// Builds an evaluator on the thread where it will live. Called again when one has panicked.
pub type Factory = Box<dyn FnMut() -> anyhow::Result<Box<dyn Evaluator>> + Send>;

/// How the kernel reaches an evaluator from outside its thread.
#[derive(Debug, Clone)]
pub struct Controls {
    /// Stops the running cell.
    pub interrupt: Arc<dyn Interrupt>,
    /// Whether a piece of code is ready to run; pure, so it is answered while a cell runs.
    pub is_complete: fn(&str) -> Completeness,
}

/// Stops the running cell, from any thread.
pub trait Interrupt: std::fmt::Debug + Send + Sync {
    /// A cell is about to be handed to [`Evaluator::execute`], on another thread: an interrupt from
    /// now on is meant for it.
    fn expect(&self) {}

    /// Makes the running [`Evaluator::execute`] return [`Outcome::Failed`] soon. Does nothing when
    /// no cell runs.
    fn interrupt(&self);

    /// Ends everything that the evaluator started, for good: a cell that runs is abandoned.
    fn shut_down(&self);
}

/// An evaluator that cannot be made: each cell is answered with the reason.
pub fn unavailable(reason: &anyhow::Error) -> (Controls, Factory) {
    #[derive(Debug)]
    struct NothingRuns;

    impl Interrupt for NothingRuns {
        fn interrupt(&self) {}

        fn shut_down(&self) {}
    }

    let reason = format!("{reason:#}");
    let controls = Controls {
        interrupt: Arc::new(NothingRuns),
        is_complete: |_| Completeness::Complete,
    };
    (controls, Box::new(move || Err(anyhow::anyhow!("{reason}"))))
}

/// A cell to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The number in `In [n]`.
    pub number: usize,
    /// Its text.
    pub code: String,
    /// Whether the front end can be asked for input.
    pub allow_stdin: bool,
}

/// Where an evaluator says what a cell shows.
#[derive(Clone)]
pub struct OutputSink(Arc<dyn Fn(Output) + Send + Sync>);

impl OutputSink {
    /// A sink that hands every output to `deliver`, in order.
    pub fn new(deliver: impl Fn(Output) + Send + Sync + 'static) -> Self {
        Self(Arc::new(deliver))
    }

    /// Shows something.
    pub fn send(&self, output: Output) {
        (self.0)(output);
    }
}

impl std::fmt::Debug for OutputSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OutputSink")
    }
}

/// Something that a cell shows, or asks.
#[derive(Debug)]
pub enum Output {
    /// Text on standard output or standard error, as it came: a part of a line, or many lines.
    Stream {
        /// Which of the two.
        stream: Stream,
        /// The text.
        text: String,
    },
    /// A value.
    Display(interleave_protocol::Display),
    /// Documentation that the cell asked for; front ends show it in a pane or a pager.
    Page(Inspection),
    /// Something that the cell started has failed. The cell itself goes on, or has ended.
    Failure(Failure),
    /// Remove what the cell showed so far.
    Clear {
        /// Only when the next output arrives.
        wait: bool,
    },
    /// The cell reads standard input.
    Input {
        /// Text to show beside the input box.
        prompt: String,
        /// Whether to hide what is typed.
        password: bool,
        /// Takes the answer; dropped when nobody can be asked.
        reply: oneshot::Sender<String>,
    },
}

impl Output {
    /// About how many bytes it has as a message.
    pub fn size(&self) -> usize {
        match self {
            Self::Stream { text, .. } => text.len(),
            Self::Display(display) => {
                let values = display.data.iter().chain(&display.metadata);
                values
                    .map(|(mime, value)| mime.len() + value_size(value))
                    .sum()
            }
            Self::Failure(failure) => failure.traceback.iter().map(String::len).sum(),
            Self::Page(_) | Self::Clear { .. } | Self::Input { .. } => 0,
        }
    }
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    }
}

/// One of the two text streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a cell ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It ran to its end.
    Finished,
    /// It did not. A student's mistake is a result like any other, not a failure of the kernel.
    Failed(Failure),
    /// It asks the kernel to end, as `:quit` does.
    Quit,
}

/// Why a cell did not run to its end, in the words that the student reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The kind: an error code (`E0382`), `panic`, `Interrupted`, or the name of an error type.
    pub name: String,
    /// One line.
    pub value: String,
    /// The full report, coloured with ANSI escapes, one line an element.
    pub traceback: Vec<String>,
}

/// What may stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Completions {
    /// Start of the text to replace, a byte offset.
    pub start: usize,
    /// End of the text to replace, a byte offset.
    pub end: usize,
    /// The choices, best first.
    pub matches: Vec<Completion>,
}

impl Completions {
    /// None, at a byte of the code.
    pub fn nothing(at: usize) -> Self {
        Self {
            start: at,
            end: at,
            matches: Vec::new(),
        }
    }
}

/// One choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The code to insert.
    pub code: String,
    /// What it is: `function`, `module`, `keyword`, … (JupyterLab shows an icon for it).
    pub kind: String,
    /// Its type or signature, if known.
    pub signature: Option<String>,
}

/// What stands at a place, keyed by MIME type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Inspection(pub BTreeMap<String, Value>);

/// Whether a piece of code is ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Yes.
    Complete,
    /// More is needed; the text is the indentation of the next line.
    Incomplete(String),
    /// It cannot become right by adding more.
    Invalid,
}
