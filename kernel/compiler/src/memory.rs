//! A type that doubles thirty times makes rustc take all memory there is: it gets a limit.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// From now on this process, and those that it starts, may take so many bytes each; see
/// [`interleave_protocol::CellFacts::memory_limit`].
pub fn limit(bytes: Option<u64>) {
    let Some(bytes) = bytes else { return };
    let limit = Rlimit {
        current: Some(bytes),
        maximum: getrlimit(Resource::Data).maximum,
    };
    // An error means that a lower limit holds already.
    let _ = setrlimit(Resource::Data, limit);
}
