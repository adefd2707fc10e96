//! What a compiler asks of a tool that is loaded already; see the crate `interleave-forkserver`.

use std::ffi::CString;

use serde::{Deserialize, Serialize};

/// Environment variable of a tool: the path of the socket at which it is to take requests.
pub const FORKSERVER_SOCKET_ENV: &str = "INTERLEAVE_FORKSERVER_SOCKET";

/// Environment variable of a tool: the [`ForkRequest::identity`] that it has.
pub const FORKSERVER_IDENTITY_ENV: &str = "INTERLEAVE_FORKSERVER_IDENTITY";

/// The most bytes of a request: what a socket of the kind `SOCK_SEQPACKET` takes by default on Linux
/// (`net.core.wmem_default`), and a little less.
pub const MOST_OF_REQUEST: usize = 200_000;

/// What a copy waits for before it begins: so that nobody does what another does by now.
pub const FORK_BEGINS: [u8; 1] = [1];

/// One message, with four descriptors: the working directory, then the standard streams. Each answer has
/// four bytes in the order of the machine. The first is the number of the copy; it begins when it is sent
/// [`FORK_BEGINS`], and ends when the connection does. The second is the status that `wait` gave of it.
/// A server that is another tool than the one that is meant closes the connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkRequest {
    /// Of the files of the tool. Those on the disk may have been replaced since it was loaded.
    pub identity: String,
    /// With the name of the program first.
    pub arguments: Vec<CString>,
    /// `NAME=VALUE`.
    pub environment: Vec<CString>,
    /// The process group to enter.
    pub group: i32,
    /// The most bytes of data that it may have; see `RLIMIT_DATA` in setrlimit(2).
    pub data: Option<u64>,
    /// The most seconds that it may compute.
    pub seconds: Option<u64>,
}
