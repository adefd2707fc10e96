//! Traces of the lessons, made by hand: what a host would send.
#![allow(unreachable_pub, reason = "a module of several test programs")]

mod lessons;
mod notes;
mod trouble;

pub use lessons::*;
pub use trouble::*;
