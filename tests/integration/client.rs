//! A front end for tests.
//!
//! Its methods block, with one generous timeout, and panic at the line of the test that called.
//! [`Client::finish`] must be called, and fails if the kernel said anything that the test did not
//! read.

use std::{
    collections::HashSet,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_now::now;
use interleave_kernel::connection::ConnectionInfo;
use serde_json::{Value, json};
use tokio::{runtime::Runtime, time::timeout};
use zeromq::{
    DealerSocket, ReqSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket, ZmqMessage,
};

use crate::{
    launch::Kernel,
    message::{Message, Request},
};

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Shared by all tests, so that a test that ends does not stop the tasks of another.
pub static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
});

/// A socket on which requests go out and answers come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Shell,
    Control,
    Stdin,
}

pub struct Client {
    shell: DealerSocket,
    control: DealerSocket,
    stdin: DealerSocket,
    iopub: SubSocket,
    heartbeat: ReqSocket,
    pub connection: ConnectionInfo,
    pub kernel: Kernel,
    session: String,
    seen: HashSet<String>,
    finished: bool,
}

/// What came of a cell.
#[derive(Debug)]
pub struct Executed {
    pub id: String,
    pub reply: Value,
    /// Everything on iopub between busy and idle.
    pub outputs: Vec<Message>,
}

impl Client {
    /// Connects, and waits until the kernel says that nothing on iopub will be missed.
    #[track_caller]
    pub fn connect(connection: ConnectionInfo, kernel: Kernel) -> Self {
        let session = uuid::Uuid::new_v4().to_string();
        let dealer = || {
            let mut options = SocketOptions::default();
            options.peer_identity(session.parse().expect("short enough for an identity"));
            DealerSocket::with_options(options)
        };
        let mut client = Self {
            shell: dealer(),
            control: dealer(),
            stdin: dealer(),
            iopub: SubSocket::new(),
            heartbeat: ReqSocket::new(),
            connection,
            kernel,
            session: session.clone(),
            seen: HashSet::new(),
            finished: false,
        };
        RUNTIME.block_on(client.connect_sockets());
        let welcome = client.iopub();
        assert_eq!(welcome.kind(), "iopub_welcome");
        assert_eq!(welcome.content, json!({"subscription": ""}));
        assert_eq!(welcome.parent, json!({}));
        client
    }

    async fn connect_sockets(&mut self) {
        let connection = &self.connection;
        self.iopub.connect(&connection.iopub_url()).await.unwrap();
        self.iopub.subscribe("").await.unwrap();
        self.shell.connect(&connection.shell_url()).await.unwrap();
        self.control
            .connect(&connection.control_url())
            .await
            .unwrap();
        self.stdin.connect(&connection.stdin_url()).await.unwrap();
        self.heartbeat.connect(&connection.hb_url()).await.unwrap();
    }

    /// Sends a request and gives its id.
    #[track_caller]
    pub fn send(&mut self, channel: Channel, msg_type: &str, content: Value) -> String {
        let request = Request::new(&self.connection.key, &self.session, msg_type, &content);
        self.send_frames(channel, request.frames);
        request.id
    }

    /// Answers a message of the kernel's, saying which.
    #[track_caller]
    pub fn answer(&mut self, to: &Message, msg_type: &str, content: Value) {
        let (key, session) = (&self.connection.key, &self.session);
        let answer = Request::answering(key, session, msg_type, &content, &to.header);
        self.send_frames(Channel::Stdin, answer.frames);
    }

    /// Sends frames that may be no message at all.
    #[track_caller]
    pub fn send_frames(&mut self, channel: Channel, frames: Vec<Vec<u8>>) {
        let frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        let message = ZmqMessage::try_from(frames).expect("a message has frames");
        let sent = RUNTIME.block_on(self.dealer(channel).send(message));
        sent.expect("the kernel is connected");
    }

    /// The next message on a channel.
    #[track_caller]
    pub fn receive(&mut self, channel: Channel) -> Message {
        let socket = self.dealer(channel);
        let received = RUNTIME.block_on(async { timeout(PATIENCE, socket.recv()).await });
        let Ok(received) = received else {
            panic!("nothing came on {channel:?}");
        };
        self.check(received.expect("the kernel is connected"))
    }

    /// The next message on a channel, which must answer the request `id`.
    #[track_caller]
    pub fn reply(&mut self, channel: Channel, id: &str) -> Message {
        let reply = self.receive(channel);
        assert_eq!(reply.parent_id(), id, "{reply:?}");
        reply
    }

    /// The next message on iopub, except that the kernel is starting.
    #[track_caller]
    pub fn iopub(&mut self) -> Message {
        self.iopub_or_nothing().expect("something comes on iopub")
    }

    /// The same; `None` if nothing comes.
    #[track_caller]
    pub fn iopub_or_nothing(&mut self) -> Option<Message> {
        loop {
            let socket = &mut self.iopub;
            let received = RUNTIME.block_on(async { timeout(PATIENCE, socket.recv()).await });
            let message = self.check(received.ok()?.expect("the kernel is connected"));
            if !is_starting(&message) {
                return Some(message);
            }
        }
    }

    /// The next message on iopub, which must belong to the request `id` and be what `summary` says.
    #[track_caller]
    pub fn expect(&mut self, id: &str, summary: &str) -> Message {
        let message = self.iopub();
        assert_eq!(message.summary(), summary, "{message:?}");
        assert_eq!(message.parent_id(), id, "{message:?}");
        message
    }

    /// Everything on iopub from the `busy` to the `idle` of a request.
    #[track_caller]
    pub fn outputs(&mut self, id: &str) -> Vec<Message> {
        self.expect(id, "status busy");
        let mut outputs = Vec::new();
        loop {
            let message = self.iopub();
            assert_eq!(message.parent_id(), id, "{message:?}");
            match message.summary().as_str() {
                "status idle" => return outputs,
                _ => outputs.push(message),
            }
        }
    }

    /// Sends a request that shows nothing, and gives its reply.
    #[track_caller]
    pub fn ask(&mut self, channel: Channel, msg_type: &str, content: Value) -> Value {
        let id = self.send(channel, msg_type, content);
        let reply = self.reply(channel, &id);
        assert_eq!(reply.kind(), msg_type.replace("_request", "_reply"));
        let outputs = self.outputs(&id);
        assert!(outputs.is_empty(), "{outputs:?}");
        reply.content
    }

    /// Sends a cell, as JupyterLab does, and gives its id.
    #[track_caller]
    pub fn send_cell(&mut self, code: &str) -> String {
        let content = json!({
            "code": code,
            "silent": false,
            "store_history": true,
            "user_expressions": {},
            "allow_stdin": true,
            "stop_on_error": true,
        });
        self.send(Channel::Shell, "execute_request", content)
    }

    /// Starts a cell that runs until it is interrupted, and gives its id.
    #[track_caller]
    pub fn spin(&mut self) -> String {
        let cell = self.send_cell("print started\nspin");
        self.expect(&cell, "status busy");
        self.expect(&cell, "execute_input");
        self.expect(&cell, "stream started\n");
        cell
    }

    /// Runs a cell to its end.
    #[track_caller]
    pub fn execute(&mut self, code: &str) -> Executed {
        let id = self.send_cell(code);
        self.finish_cell(id)
    }

    /// Runs a cell with a request of the test's own.
    #[track_caller]
    pub fn execute_request(&mut self, content: Value) -> Executed {
        let id = self.send(Channel::Shell, "execute_request", content);
        self.finish_cell(id)
    }

    #[track_caller]
    fn finish_cell(&mut self, id: String) -> Executed {
        let outputs = self.outputs(&id);
        let reply = self.reply(Channel::Shell, &id);
        assert_eq!(reply.kind(), "execute_reply");
        Executed {
            id,
            reply: reply.content,
            outputs,
        }
    }

    /// Waits until the kernel has read everything sent before on a channel. Cells wait in their
    /// queue, this does not.
    #[track_caller]
    pub fn synchronize(&mut self, channel: Channel) {
        self.ask(channel, "kernel_info_request", json!({}));
    }

    /// Sends bytes to the heartbeat and gives the echo.
    #[track_caller]
    pub fn beat(&mut self, bytes: &'static [u8]) -> Vec<Vec<u8>> {
        let socket = &mut self.heartbeat;
        let echo = RUNTIME.block_on(async {
            socket.send(ZmqMessage::from(bytes.to_vec())).await.unwrap();
            timeout(PATIENCE, socket.recv()).await
        });
        to_vecs(echo.expect("the heart beats").unwrap())
    }

    /// Checks that nothing is left unread, shuts the kernel down, and waits for its end.
    #[track_caller]
    pub fn finish(mut self) {
        self.synchronize(Channel::Shell);
        self.synchronize(Channel::Control);
        let reply = self.ask(
            Channel::Control,
            "shutdown_request",
            json!({"restart": false}),
        );
        assert_eq!(reply, json!({"status": "ok", "restart": false}));
        self.ended();
    }

    /// Waits for the end of a kernel that was told to end, and checks that nothing is left unread.
    #[track_caller]
    pub fn ended(mut self) {
        self.finished = true;
        let started = Instant::now();
        self.kernel.wait();
        assert!(started.elapsed() < PATIENCE);
        for left in [
            now(self.shell.recv()),
            now(self.control.recv()),
            now(self.stdin.recv()),
        ] {
            assert!(left.is_none(), "left unread: {left:?}");
        }
        while let Some(left) = now(self.iopub.recv()) {
            let left = self.check(left.expect("what was sent can be read"));
            assert!(is_starting(&left), "left unread on iopub: {left:?}");
        }
    }

    /// Gives up without looking at what is left, for a client that shares its kernel.
    pub fn disconnect(mut self) {
        self.finished = true;
    }

    fn dealer(&mut self, channel: Channel) -> &mut DealerSocket {
        match channel {
            Channel::Shell => &mut self.shell,
            Channel::Control => &mut self.control,
            Channel::Stdin => &mut self.stdin,
        }
    }

    #[track_caller]
    fn check(&mut self, message: ZmqMessage) -> Message {
        let message = Message::check(&to_vecs(message), &self.connection.key);
        let id = message.header["msg_id"].to_string();
        assert!(self.seen.insert(id), "an id was used twice: {message:?}");
        message
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("the test has to call finish(), which looks for unread messages");
        }
    }
}

/// Only heard by those who come early.
fn is_starting(message: &Message) -> bool {
    message.content["execution_state"] == "starting"
}

fn to_vecs(message: ZmqMessage) -> Vec<Vec<u8>> {
    message.iter().map(|frame| frame.to_vec()).collect()
}

mod futures_now {
    //! What a future has to say without waiting.

    use std::{
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::RUNTIME;

    pub fn now<F: Future>(future: F) -> Option<F::Output> {
        let _inside = RUNTIME.enter();
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        }
    }
}
