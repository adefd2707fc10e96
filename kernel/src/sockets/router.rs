//! Shell and control: requests in, replies out. The halves are owned by a task each, so that
//! requests arrive while a reply waits for its turn.

use bytes::Bytes;
use jupyter_protocol::JupyterMessageContent;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};
use tracing::{debug, warn};
use zeromq::{RouterRecvHalf, RouterSendHalf, SocketRecv as _, SocketSend as _, ZmqMessage};

use super::Barrier;
use crate::wire::{Channel, Codec, Incoming, Parent};

/// Decodes requests and hands them to `deliver`, for ever. What cannot be decoded is dropped.
pub(super) async fn receive(
    mut socket: RouterRecvHalf,
    channel: Channel,
    codec: Codec,
    deliver: impl Fn(Incoming),
) {
    loop {
        let message = match socket.recv().await {
            Ok(message) => message,
            Err(error) => {
                warn!(?channel, "receiving failed: {error}");
                continue;
            }
        };
        match codec.decode(&message.into_vec()) {
            Ok(incoming) => {
                debug!(?channel, request = ?incoming.request, "received");
                deliver(incoming);
            }
            Err(error) => warn!(?channel, "dropped a message: {error}"),
        }
    }
}

/// Sends replies on one socket, in order.
#[derive(Debug, Clone)]
pub struct ReplySender {
    queue: mpsc::UnboundedSender<Item>,
    codec: Codec,
}

#[derive(Debug)]
enum Item {
    Reply {
        after: Option<Barrier>,
        parts: Vec<Bytes>,
    },
    Flush(oneshot::Sender<()>),
}

impl ReplySender {
    pub(super) fn spawn(tasks: &mut JoinSet<()>, socket: RouterSendHalf, codec: Codec) -> Self {
        let (queue, items) = mpsc::unbounded_channel();
        tasks.spawn(send(socket, items));
        Self { queue, codec }
    }

    /// Replies to `parent`, once `after` is reached if there is such a barrier.
    pub fn reply(&self, after: Option<Barrier>, parent: &Parent, content: &JupyterMessageContent) {
        let (_, parts) = self.codec.reply(parent, content);
        // A task that is gone means that the kernel ends; nobody waits for this reply any more.
        let _ = self.queue.send(Item::Reply { after, parts });
    }

    /// Waits until every reply given so far was handed to ZeroMQ.
    pub async fn flush(&self) {
        let (sender, flushed) = oneshot::channel();
        let _ = self.queue.send(Item::Flush(sender));
        let _ = flushed.await;
    }
}

async fn send(mut socket: RouterSendHalf, mut items: mpsc::UnboundedReceiver<Item>) {
    while let Some(item) = items.recv().await {
        match item {
            Item::Reply { after, parts } => {
                if let Some(barrier) = after {
                    barrier.reached().await;
                }
                let Ok(message) = ZmqMessage::try_from(parts) else {
                    continue;
                };
                if let Err(error) = socket.send(message).await {
                    warn!("a reply could not be delivered: {error}");
                }
            }
            Item::Flush(sender) => {
                let _ = sender.send(());
            }
        }
    }
}
