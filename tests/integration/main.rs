//! The kernel from outside, over real sockets: mostly in this process with the scripted evaluator,
//! and as the real program where processes and signals matter.
//!
//! [`client`] is a front end with an encoder of its own, so that a fault in the kernel's encoder
//! cannot hide itself. It is strict: a message that a test did not ask for fails the test.

#![expect(
    unreachable_pub,
    reason = "nothing here is public; `pub` says that other files use it"
)]

mod client;
mod launch;
mod message;

mod comm;
mod command_line;
mod complete;
mod execute;
mod fuzz;
mod history;
mod inspect;
mod interrupt;
mod is_complete;
mod kernel_info;
mod lifeline;
mod queue;
mod random_interrupts;
mod shutdown;
mod stdin;
mod streams;
mod strictness;
mod tidy;
mod welcome;
mod wire;
