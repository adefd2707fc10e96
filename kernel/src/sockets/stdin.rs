//! stdin: questions to the person at the front end, one at a time, and their answers.

use std::{collections::VecDeque, sync::Arc};

use jupyter_protocol as jupyter;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tracing::{debug, warn};
use zeromq::{RouterSocket, SocketRecv as _, SocketSend as _, ZmqMessage};

use super::Barrier;
use crate::wire::{Codec, Incoming, Parent, Request};

/// A question.
#[derive(Debug)]
pub struct InputRequest {
    /// The cell that asks; its front end is asked.
    pub parent: Arc<Parent>,
    /// What must be seen before the question.
    pub after: Barrier,
    /// Text beside the input box.
    pub prompt: String,
    /// Whether to hide what is typed.
    pub password: bool,
    /// Takes the answer; dropped when there will be none.
    pub reply: oneshot::Sender<String>,
}

/// Asks, from any thread.
#[derive(Debug, Clone)]
pub struct InputSender(mpsc::UnboundedSender<Item>);

#[derive(Debug)]
enum Item {
    Ask(InputRequest),
    Cancel,
}

impl InputSender {
    pub(super) fn spawn(tasks: &mut JoinSet<()>, socket: RouterSocket, codec: Codec) -> Self {
        let (queue, items) = mpsc::unbounded_channel();
        let task = Stdin {
            socket,
            codec,
            waiting: VecDeque::new(),
            asked: None,
        };
        tasks.spawn(task.run(items));
        Self(queue)
    }

    /// Asks, after the questions asked before were answered.
    pub fn ask(&self, request: InputRequest) {
        // A task that is gone drops the request, which tells the cell that nobody answers.
        let _ = self.0.send(Item::Ask(request));
    }

    /// Gives up all questions that were not answered yet.
    pub fn cancel(&self) {
        let _ = self.0.send(Item::Cancel);
    }
}

/// A question that the front end shows.
struct Asked {
    msg_id: String,
    identities: Vec<bytes::Bytes>,
    reply: oneshot::Sender<String>,
}

/// The task's own state.
struct Stdin {
    socket: RouterSocket,
    codec: Codec,
    waiting: VecDeque<InputRequest>,
    asked: Option<Asked>,
}

impl Stdin {
    async fn run(mut self, mut items: mpsc::UnboundedReceiver<Item>) {
        loop {
            tokio::select! {
                message = self.socket.recv() => match message {
                    Ok(message) => self.answer(message),
                    Err(error) => warn!("stdin: {error}"),
                },
                item = items.recv() => match item {
                    Some(Item::Ask(request)) => self.waiting.push_back(request),
                    Some(Item::Cancel) => {
                        self.waiting.clear();
                        self.asked = None;
                    }
                    None => return,
                },
                () = abandoned(&mut self.asked) => self.asked = None,
            }
            self.ask_next().await;
        }
    }

    async fn ask_next(&mut self) {
        while self.asked.is_none()
            && let Some(request) = self.waiting.pop_front()
        {
            self.asked = self.ask(request).await;
        }
    }

    async fn ask(&mut self, request: InputRequest) -> Option<Asked> {
        request.after.reached().await;
        let content = jupyter::InputRequest {
            prompt: request.prompt,
            password: request.password,
        };
        let (msg_id, parts) = self.codec.reply(&request.parent, &content.into());
        let message = ZmqMessage::try_from(parts).ok()?;
        if let Err(error) = self.socket.send(message).await {
            warn!("a question could not be delivered: {error}");
            return None;
        }
        Some(Asked {
            msg_id,
            identities: request.parent.identities.clone(),
            reply: request.reply,
        })
    }

    fn answer(&mut self, message: ZmqMessage) {
        let incoming = match self.codec.decode(&message.into_vec()) {
            Ok(incoming) => incoming,
            Err(error) => return warn!("stdin: dropped a message: {error}"),
        };
        let Some(asked) = self.asked.take_if(|asked| asked.is_answered_by(&incoming)) else {
            return debug!("stdin: nobody waits for {incoming:?}");
        };
        match incoming.request {
            Request::InputReply(reply) if reply.status == jupyter::ReplyStatus::Ok => {
                // The cell may have ended since; then nobody needs the answer.
                let _ = asked.reply.send(reply.value);
            }
            other => debug!("stdin: the question was refused: {other:?}"),
        }
    }
}

impl Asked {
    /// JupyterLab says which question it answers. `jupyter_client` does not, so there the sender
    /// must be the one that was asked.
    fn is_answered_by(&self, incoming: &Incoming) -> bool {
        match &incoming.in_reply_to {
            Some(id) => *id == self.msg_id,
            None => incoming.parent.identities == self.identities,
        }
    }
}

/// Waits until nobody waits for the answer any more.
async fn abandoned(asked: &mut Option<Asked>) {
    match asked {
        Some(asked) => asked.reply.closed().await,
        None => std::future::pending().await,
    }
}
