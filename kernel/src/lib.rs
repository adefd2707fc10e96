//! The kernel of Interleave: Rust cells in Jupyter, made for learning concurrency.
//!
//! Data goes one way. In reading order:
//!
//! - [`wire`]: bytes ⇄ typed messages, pure;
//! - [`sockets`]: a task owns each of the five ZeroMQ sockets;
//! - [`session`]: the state machine, an event in, actions out;
//! - [`evaluator`]: what runs cells, behind a small trait;
//! - [`server`]: starts all of these, performs the actions, ends in order;
//! - [`install`]: puts all of it where Jupyter finds it, and checks it;
//! - [`history`], [`connection`], [`lifeline`], [`cli`]: the cells of earlier runs, the connection
//!   file, the process that started us, the command line.

pub mod cli;
pub mod connection;
pub mod evaluator;
pub mod history;
pub mod install;
pub mod lifeline;
pub mod server;
pub mod session;
pub mod sockets;
pub mod wire;
