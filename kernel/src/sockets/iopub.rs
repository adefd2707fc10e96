//! iopub: what every front end shall see, in order.

use std::sync::Arc;

use jupyter_protocol::{IoPubWelcome, JupyterMessageContent, StreamContent};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Duration, Instant, sleep_until},
};
use tracing::warn;
use zeromq::{SocketRecv as _, SocketSend as _, XPubSocket, ZmqMessage};

use super::{
    backlog::{Backlog, Drain},
    stream_buffer::{Piece, StreamBuffer},
    updates::{Update, Updates},
};
use crate::wire::{Codec, Parent};

/// How long text may wait for more of it, so that a thousand prints do not become a thousand
/// messages. Short enough for a progress bar to look smooth.
const PATIENCE: Duration = Duration::from_millis(30);

/// Publishes, from any thread.
#[derive(Debug, Clone)]
pub struct Publisher {
    queue: mpsc::UnboundedSender<Item>,
    backlog: Arc<Backlog>,
}

/// A place in the order of publications.
#[derive(Debug)]
pub struct Barrier(oneshot::Receiver<()>);

#[derive(Debug)]
enum Item {
    Message {
        parent: Option<Arc<Parent>>,
        content: JupyterMessageContent,
    },
    /// Content of a size that counts as backlog.
    Sized {
        parent: Arc<Parent>,
        content: JupyterMessageContent,
        bytes: usize,
    },
    Stream(Piece),
    Update(Update),
    Barrier(oneshot::Sender<()>),
}

impl Publisher {
    pub(super) fn spawn(tasks: &mut JoinSet<()>, socket: XPubSocket, codec: Codec) -> Self {
        let (queue, items) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        let task = Iopub {
            socket,
            codec,
            buffer: StreamBuffer::default(),
            updates: Updates::default(),
            deadline: None,
            drain: Drain(Arc::clone(&backlog)),
        };
        tasks.spawn(task.run(items));
        Self { queue, backlog }
    }

    /// Publishes a message that belongs to `parent`.
    pub fn publish(&self, parent: Option<Arc<Parent>>, content: JupyterMessageContent) {
        self.send(Item::Message { parent, content });
    }

    /// Publishes text of a cell, together with what follows shortly. Blocks while too much text
    /// waits, so it is not for tasks.
    pub fn stream(&self, parent: Arc<Parent>, content: StreamContent) {
        self.backlog.add(content.text.len());
        self.send(Item::Stream(Piece { parent, content }));
    }

    /// Publishes what a cell shows beside text. Blocks as [`stream`](Self::stream) does; `bytes` is
    /// about its size.
    ///
    /// Of several updates of one display that follow each other shortly, only the last is published.
    pub fn display(&self, parent: Arc<Parent>, content: JupyterMessageContent, bytes: usize) {
        self.backlog.add(bytes);
        self.send(match content {
            JupyterMessageContent::UpdateDisplayData(content) => Item::Update(Update {
                parent,
                content,
                bytes,
            }),
            content => Item::Sized {
                parent,
                content,
                bytes,
            },
        });
    }

    /// A barrier behind everything published so far.
    pub fn barrier(&self) -> Barrier {
        let (sender, reached) = oneshot::channel();
        self.send(Item::Barrier(sender));
        Barrier(reached)
    }

    fn send(&self, item: Item) {
        // A task that is gone means that the kernel ends; there is nobody to see this any more.
        let _ = self.queue.send(item);
    }
}

impl Barrier {
    /// Waits until everything before the barrier has left.
    pub async fn reached(self) {
        let _ = self.0.await;
    }
}

/// The task's own state.
struct Iopub {
    socket: XPubSocket,
    codec: Codec,
    buffer: StreamBuffer,
    updates: Updates,
    /// When what is in `buffer` and `updates` has waited long enough.
    deadline: Option<Instant>,
    drain: Drain,
}

impl Iopub {
    async fn run(mut self, mut items: mpsc::UnboundedReceiver<Item>) {
        loop {
            // Subscriptions first: this socket knows a subscriber only after `recv`, and who
            // subscribed before a message was queued shall get it. Then the clock, or a cell that
            // prints without a pause would never be seen.
            tokio::select! {
                biased;
                subscription = self.socket.recv() => match subscription {
                    Ok(message) => self.welcome(&message).await,
                    // The socket says it here when a subscriber has gone.
                    Err(error) => warn!("iopub: {error}"),
                },
                () = at(self.deadline) => self.flush().await,
                item = items.recv() => match item {
                    Some(item) => self.handle(item).await,
                    None => return,
                },
            }
        }
    }

    async fn handle(&mut self, item: Item) {
        match item {
            Item::Stream(piece) => self.stream(piece).await,
            Item::Update(update) => self.update(update).await,
            Item::Sized {
                parent,
                content,
                bytes,
            } => {
                self.flush().await;
                let parts = self.codec.publish(Some(&parent), &content);
                self.send(parts).await;
                self.drain.remove(bytes);
            }
            Item::Message { parent, content } => {
                self.flush().await;
                let parts = self.codec.publish(parent.as_deref(), &content);
                self.send(parts).await;
            }
            Item::Barrier(sender) => {
                self.flush().await;
                // Who does not wait any more need not be told.
                let _ = sender.send(());
            }
        }
    }

    async fn stream(&mut self, piece: Piece) {
        let ready = self.buffer.push(piece);
        if !ready.is_empty() && self.updates.is_empty() {
            self.deadline = None;
        }
        for piece in ready {
            self.send_piece(piece).await;
        }
        if !self.buffer.is_empty() {
            self.wait_for_more();
        }
    }

    /// An update changes what stands elsewhere, so text that comes meanwhile need not wait for it.
    async fn update(&mut self, update: Update) {
        if self.updates.is_full() {
            self.flush().await;
        }
        if let Some(replaced) = self.updates.push(update) {
            self.drain.remove(replaced.bytes);
        }
        self.wait_for_more();
    }

    fn wait_for_more(&mut self) {
        self.deadline
            .get_or_insert_with(|| Instant::now() + PATIENCE);
    }

    async fn flush(&mut self) {
        self.deadline = None;
        if let Some(piece) = self.buffer.take() {
            self.send_piece(piece).await;
        }
        for update in self.updates.take() {
            let content = update.content.into();
            let parts = self.codec.publish(Some(&update.parent), &content);
            self.send(parts).await;
            self.drain.remove(update.bytes);
        }
    }

    async fn send_piece(&mut self, piece: Piece) {
        let Piece { parent, content } = piece;
        let bytes = content.text.len();
        let parts = self.codec.publish(Some(&parent), &content.into());
        self.send(parts).await;
        self.drain.remove(bytes);
    }

    /// Tells a new subscriber that from now on it misses nothing.
    ///
    /// <https://jupyter.org/enhancement-proposals/65-jupyter-xpub/jupyter-xpub.html>
    async fn welcome(&mut self, message: &ZmqMessage) {
        // A subscription is the byte 1 and the topic; 0 takes it back.
        let Some([1, topic @ ..]) = message.get(0).map(|frame| &frame[..]) else {
            return;
        };
        let content = IoPubWelcome::new(String::from_utf8_lossy(topic).into_owned());
        let topic = bytes::Bytes::copy_from_slice(topic);
        let parts = self.codec.publish_to(topic, &content.into());
        self.send(parts).await;
    }

    async fn send(&mut self, parts: Vec<bytes::Bytes>) {
        let Ok(message) = ZmqMessage::try_from(parts) else {
            return;
        };
        if let Err(error) = self.socket.send(message).await {
            warn!("iopub: a message could not be delivered: {error}");
        }
    }
}

/// Waits for a moment, or for ever if there is none.
async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
