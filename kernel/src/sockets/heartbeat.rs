//! The heartbeat: whatever comes goes back, also while a cell runs.

use tracing::warn;
use zeromq::{RouterSocket, SocketRecv as _, SocketSend as _};

/// Echoes for ever.
///
/// The protocol names a REP socket. A ROUTER does the same when a message goes back with the
/// identity it came with, and it has no state that a vanished client could leave in disorder.
pub(super) async fn echo(mut socket: RouterSocket) {
    loop {
        let result = match socket.recv().await {
            Ok(message) => socket.send(message).await,
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            warn!("heartbeat: {error}");
        }
    }
}
