//! A type that doubles thirty times makes rustc take all memory there is, or write its name for hours:
//! it gets limits.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// From now on this process, and those that it starts, may take so many bytes each; see
/// [`interleave_protocol::CellFacts::memory_limit`].
pub fn memory(bytes: Option<u64>) {
    let Some(bytes) = bytes else { return };
    let limit = Rlimit {
        current: Some(bytes),
        maximum: getrlimit(Resource::Data).maximum,
    };
    // An error means that a lower limit holds already.
    let _ = setrlimit(Resource::Data, limit);
}

/// From now on this process, and those that it starts, may compute so many seconds each. Then the
/// system ends them; see setrlimit(2).
pub fn processor(seconds: u64) {
    let limit = Rlimit {
        current: Some(seconds),
        maximum: getrlimit(Resource::Cpu).maximum,
    };
    let _ = setrlimit(Resource::Cpu, limit);
}

/// What `work` starts may compute so many seconds each.
pub fn within<T>(seconds: u64, work: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Cpu);
    processor(seconds);
    let done = work();
    let _ = setrlimit(Resource::Cpu, before);
    done
}
