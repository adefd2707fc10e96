//! The five ZeroMQ sockets. Each is owned by a task; others send to that task.
//!
//! No task ends because of what a peer does: bad messages, failed sends and vanished peers are
//! logged. A task ends when the kernel does.

mod backlog;
mod heartbeat;
mod iopub;
mod router;
mod stdin;
mod stream_buffer;
mod updates;

use anyhow::Context as _;
use tokio::task::JoinSet;
use zeromq::{Endpoint, RouterSocket, Socket, XPubSocket};

pub use self::{
    iopub::{Barrier, Publisher},
    router::ReplySender,
    stdin::{InputRequest, InputSender},
};
use crate::{
    connection::{ConnectionInfo, Transport},
    wire::{Channel, Codec, Incoming},
};

/// Bound sockets that nobody serves yet. Clients can connect to them; their messages wait.
pub struct Sockets {
    heartbeat: RouterSocket,
    shell: RouterSocket,
    control: RouterSocket,
    stdin: RouterSocket,
    iopub: XPubSocket,
    connection: ConnectionInfo,
}

/// How to reach the tasks that own the sockets.
#[derive(Debug, Clone)]
pub struct Links {
    /// Replies to requests that came on shell.
    pub shell: ReplySender,
    /// Replies to requests that came on control.
    pub control: ReplySender,
    /// What everyone shall see.
    pub iopub: Publisher,
    /// Questions to the person at the front end.
    pub stdin: InputSender,
}

impl Sockets {
    /// Binds all five. A port 0 is replaced by a free one, see [`Sockets::connection`].
    ///
    /// # Errors
    ///
    /// When an address is wrong or taken.
    pub async fn bind(connection: &ConnectionInfo) -> anyhow::Result<Self> {
        let mut real = connection.clone();
        number_ipc_sockets(&mut real);
        let mut sockets = Self {
            heartbeat: RouterSocket::new(),
            shell: RouterSocket::new(),
            control: RouterSocket::new(),
            stdin: RouterSocket::new(),
            iopub: XPubSocket::new(),
            connection: connection.clone(),
        };
        bind(&mut sockets.heartbeat, &real.hb_url(), &mut real.hb_port).await?;
        bind(&mut sockets.shell, &real.shell_url(), &mut real.shell_port).await?;
        bind(
            &mut sockets.control,
            &real.control_url(),
            &mut real.control_port,
        )
        .await?;
        bind(&mut sockets.stdin, &real.stdin_url(), &mut real.stdin_port).await?;
        bind(&mut sockets.iopub, &real.iopub_url(), &mut real.iopub_port).await?;
        sockets.connection = real;
        Ok(sockets)
    }

    /// Where the sockets listen, with the ports they really got.
    pub fn connection(&self) -> &ConnectionInfo {
        &self.connection
    }

    /// Starts the tasks. Requests go to `deliver`, which must not block.
    pub fn start(
        self,
        codec: &Codec,
        deliver: impl Fn(Channel, Incoming) + Clone + Send + 'static,
    ) -> (Links, JoinSet<()>) {
        let mut tasks = JoinSet::new();
        tasks.spawn(heartbeat::echo(self.heartbeat));
        let mut serve = |socket: RouterSocket, channel| {
            let (send, receive) = socket.split();
            let deliver = deliver.clone();
            let deliver = move |incoming| deliver(channel, incoming);
            tasks.spawn(router::receive(receive, channel, codec.clone(), deliver));
            ReplySender::spawn(&mut tasks, send, codec.clone())
        };
        let links = Links {
            shell: serve(self.shell, Channel::Shell),
            control: serve(self.control, Channel::Control),
            iopub: Publisher::spawn(&mut tasks, self.iopub, codec.clone()),
            stdin: InputSender::spawn(&mut tasks, self.stdin, codec.clone()),
        };
        (links, tasks)
    }
}

impl std::fmt::Debug for Sockets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sockets").finish_non_exhaustive()
    }
}

/// A port is only a suffix of a file name with this transport, so the system picks no free one.
fn number_ipc_sockets(connection: &mut ConnectionInfo) {
    if connection.transport == Transport::TCP {
        return;
    }
    let ports = [
        &mut connection.hb_port,
        &mut connection.shell_port,
        &mut connection.control_port,
        &mut connection.stdin_port,
        &mut connection.iopub_port,
    ];
    for (port, number) in ports.into_iter().zip(1..) {
        if *port == 0 {
            *port = number;
        }
    }
}

async fn bind<S: Socket>(socket: &mut S, url: &str, port: &mut u16) -> anyhow::Result<()> {
    let endpoint = socket
        .bind(url)
        .await
        .with_context(|| format!("cannot listen on {url}"))?;
    if let Endpoint::Tcp(_, real) = endpoint {
        *port = real;
    }
    Ok(())
}
