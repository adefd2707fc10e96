//! Draws what threads and tasks did while a cell ran: one lane for each, side by side. Pure.
//!
//! A [`Trace`] is what was noted, a [`Picture`] what there is to see: lanes with their spans and
//! marks, arrows between them, numbers and remarks. It can be written as text, SVG, HTML, and as a
//! trace for Perfetto; all say the same.
//!
//! In every form, *solid* is running, *hatched* is sleeping or waiting, *dotted* is ready to run but
//! not running. A *hollow* stretch of a lane means that it runs what a lane below it shows.

mod caption;
mod chrome;
mod condense;
mod html;
mod picture;
mod reading;
mod remarks;
mod scale;
mod svg;
mod text;
mod trace;
mod trim;
mod words;

pub use caption::Caption;
pub use picture::{
    Arrow, ArrowKind, Lane, LaneKind, Mark, Picture, Remark, Span, State, Step, Wait, WaitKind,
};
pub use trace::{Event, Place, Source, Trace};
