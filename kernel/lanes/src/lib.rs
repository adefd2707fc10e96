//! Draws what threads and tasks did while a cell ran: one lane for each, side by side. Pure.

mod trace;

pub use trace::{Event, Place, Source, Trace};
