//! Traces of the lessons, made by hand: what a host would send.
#![allow(unreachable_pub, reason = "a module of several test programs")]

use interleave_lanes::Trace;

mod lessons;
mod notes;
mod trouble;

pub use lessons::*;
pub use trouble::*;

/// Each scene, with its name.
#[allow(dead_code, reason = "some of the test programs want single ones")]
pub fn all() -> Vec<(&'static str, Trace)> {
    vec![
        ("sequential", sequential()),
        ("timers", timers()),
        ("callback", callback()),
        ("future", future()),
        ("event_loop", event_loop()),
        ("generator", generator()),
        ("pool", pool()),
        ("executor", executor()),
        ("deadlock", deadlock()),
        ("tokio", tokio()),
        ("blocking", blocking()),
        ("greedy", greedy()),
        ("contended", contended()),
        ("kept", kept()),
        ("lost", lost()),
        ("between_cells", between_cells()),
        ("flood", flood()),
        ("hostile", hostile()),
        ("4 threads", many(4)),
        ("12 threads", many(12)),
        ("60 threads", many(60)),
    ]
}
