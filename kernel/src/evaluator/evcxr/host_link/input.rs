//! Asks the front end for what a cell reads from standard input.

use std::{io::Write, thread};

use interleave_protocol::HostRequest;
use tokio::sync::oneshot;

use super::{NEWEST, State};
use crate::evaluator::{Output, evcxr::host::Host};

impl State {
    pub(super) fn ask(&mut self, host: &Host, prompt: String, password: bool) {
        let Ok(mut socket) = host.socket.try_clone() else {
            return;
        };
        let (reply, answer) = oneshot::channel();
        let question = Output::Input {
            prompt,
            password,
            reply,
        };
        // Only a cell that runs can ask: front ends answer no other.
        self.outputs.send(NEWEST, question);
        let waiting = thread::Builder::new()
            .name("interleave-input".into())
            .spawn(move || {
                let value = answer.blocking_recv().ok();
                // An error means that the host is gone, and with it the question.
                let _ =
                    socket.write_all(&interleave_protocol::to_line(&HostRequest::Input { value }));
            });
        if let Err(error) = waiting {
            tracing::error!(%error, "cannot wait for input");
        }
    }
}
