//! Where the outputs of a cell go. The sink stays with its cell: a thread that prints after the
//! cell has ended prints there.

use std::sync::Arc;

use jupyter_protocol::ClearOutput;

use crate::{
    evaluator::{Cell, Output, OutputSink, Stream},
    session,
    sockets::{InputRequest, Links},
    wire::Parent,
};

/// Why reading standard input fails.
const NOBODY_TO_ASK: &str =
    "The cell reads standard input, but this front end does not ask for any (allow_stdin).\n";

/// About the size of a message without content.
const ENVELOPE: usize = 1024;

/// A sink that shows everything below the cell that `parent` asked for.
pub(super) fn of_cell(links: &Links, parent: Arc<Parent>, cell: &Cell) -> OutputSink {
    let links = links.clone();
    let (number, allow_stdin) = (cell.number, cell.allow_stdin);
    OutputSink::new(move |output| {
        let parent = Arc::clone(&parent);
        // A message is more than what it brings.
        let bytes = output.size() + ENVELOPE;
        match output {
            Output::Stream { stream, text } => {
                links.iopub.stream(parent, session::stream(stream, text));
            }
            Output::Display(display) => {
                let content = session::display(display, number);
                links.iopub.display(parent, content, bytes);
            }
            Output::Failure(failure) => {
                let content = session::error(&failure);
                links.iopub.display(parent, content, bytes);
            }
            Output::Clear { wait } => {
                let content = ClearOutput { wait };
                links.iopub.display(parent, content.into(), bytes);
            }
            // Travels with the reply.
            Output::Page(_) => {}
            Output::Input {
                prompt,
                password,
                reply,
            } if allow_stdin => links.stdin.ask(InputRequest {
                parent,
                after: links.iopub.barrier(),
                prompt,
                password,
                reply,
            }),
            // Dropping the sender says that nobody can be asked; the error that the cell then gets
            // from its system has no words for it.
            Output::Input { .. } => {
                let text = NOBODY_TO_ASK.to_owned();
                links
                    .iopub
                    .stream(parent, session::stream(Stream::Stderr, text));
            }
        }
    })
}

/// A sink that shows nothing.
pub(super) fn silent() -> OutputSink {
    OutputSink::new(drop)
}
