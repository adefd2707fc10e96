//! What happened at one moment: prints, and arrows between lanes.

use std::{collections::HashSet, fmt::Write};

use interleave_protocol::Stream;
use maud::{Markup, html};

use super::{
    Detail,
    paths::{CARD, INK, WAIT, number},
    rows::{BAR, MONO_LETTER, Rows, SMALL_LETTER, WIDTH, wide},
};
use crate::{Arrow, ArrowKind, Lane, LaneKind, Picture, Span, text::label, words};

const WIDEST_TEXT: usize = 32;
/// Arrows nearer to one another than that are one.
const NEAR: f64 = 4.0;

/// What was printed: a small wedge at its moment, and the text where there is room. So are values that
/// come from the lane above, and states of objects that are too short for their names.
pub(super) fn above(picture: &Picture, index: usize, rows: &Rows, detail: Detail) -> Markup {
    let (lane, row) = (&picture.lanes[index], &rows.lanes[index]);
    let mut wedges = Wedges::default();
    for mark in &lane.marks {
        wedges.add(rows.scale.x(mark.at), row.y, mark.stream, detail);
    }
    let mut line = Line::default();
    for (at, text) in notes(picture, index, rows) {
        line.write(rows.scale.x(at), text);
    }
    line.texts.truncate(detail.texts);
    html! {
        (wedges.draw())
        @for (x, anchor, text) in line.texts { (written(x, row.strip + 11.0, anchor, &text)) }
    }
}

/// What is written above a lane, and when, in order.
fn notes<'a>(picture: &'a Picture, index: usize, rows: &Rows) -> Vec<(u64, &'a str)> {
    let lane = &picture.lanes[index];
    let prints = lane.marks.iter().map(|mark| (mark.at, &*mark.text));
    let arrows = picture.arrows.iter().filter(|it| !it.text.is_empty());
    let values = arrows.filter(|arrow| index == arrow.from.max(arrow.to));
    let values = values.map(|arrow| (arrow.to_time, &*arrow.text));
    let states = short_states(lane, rows).map(|span| (span.from, label(&span.state)));
    let mut notes = Vec::from_iter(prints.chain(values).chain(states));
    notes.sort_by_key(|(at, _)| *at);
    notes
}

/// Wedges at moments, one path for each colour.
#[derive(Debug, Default)]
struct Wedges {
    output: String,
    errors: String,
    last: Option<f64>,
}

impl Wedges {
    fn add(&mut self, x: f64, y: f64, stream: Stream, detail: Detail) {
        // Nearer to one another they are one black line anyway.
        if self.last.is_some_and(|last| x - last < 2.0 * detail.narrow) {
            return;
        }
        self.last = Some(x);
        let path = match stream {
            Stream::Stdout => &mut self.output,
            Stream::Stderr => &mut self.errors,
        };
        let written = write!(path, "M{} {}l-4 -7h8z", number(x), number(y));
        written.expect("a String takes everything");
    }

    fn draw(&self) -> Markup {
        html! {
            @for (path, colour) in [(&self.output, INK), (&self.errors, WAIT)] {
                @if !path.is_empty() { path d=(path) fill=(colour) {} }
            }
        }
    }
}

fn short_states<'a>(lane: &'a Lane, rows: &Rows) -> impl Iterator<Item = &'a Span> {
    let is_object = matches!(lane.kind, LaneKind::Object(_));
    let spans = lane.spans.iter().filter(move |_| is_object);
    spans.filter(|span| wide(label(&span.state), SMALL_LETTER) >= rows.scale.wide(span) - 10.0)
}

/// A text with a rim, which makes it readable on everything.
fn written(x: f64, y: f64, anchor: &str, text: &str) -> Markup {
    html! {
        text x=(number(x)) y=(number(y)) font-size="11" text-anchor=(anchor)
            font-family="ui-monospace, monospace"
            stroke=(CARD) stroke-width="3" paint-order="stroke" { (text) }
    }
}

/// Texts side by side, each at its moment; those for which there is no room are left out.
#[derive(Debug, Default)]
struct Line {
    texts: Vec<(f64, &'static str, String)>,
    free: f64,
}

impl Line {
    /// Writes to the right of the place, or else to the left.
    fn write(&mut self, x: f64, text: &str) {
        let text = words::cut(text, WIDEST_TEXT);
        let width = wide(&text, MONO_LETTER) + 8.0;
        let fits_right = x + width <= f64::from(WIDTH) - 8.0;
        let (start, anchor, left) = match fits_right {
            true => (x + 5.0, "start", x),
            false => (x - 5.0, "end", x - width),
        };
        if left >= self.free {
            self.texts.push((start, anchor, text));
            self.free = left + width + 2.0;
        }
    }
}

impl ArrowKind {
    /// How its line is broken.
    pub(crate) fn dashes(self) -> Option<&'static str> {
        match self {
            Self::Spawn => Some("5 3"),
            Self::Join => Some("2 2"),
            Self::Wake | Self::Enter | Self::Leave => None,
        }
    }
}

/// Arrows, and how many are not drawn.
pub(super) struct Arrows {
    pub(super) drawn: Markup,
    pub(super) more: usize,
}

pub(super) fn arrows(picture: &Picture, rows: &Rows, detail: Detail) -> Arrows {
    let mut taken = HashSet::new();
    let place = |arrow: &Arrow| (rows.scale.x(arrow.to_time) / NEAR) as i64;
    let arrows = picture.arrows.iter();
    let distinct = arrows.filter(|it| taken.insert((it.kind, it.from, it.to, place(it))));
    let distinct = Vec::from_iter(distinct.take(detail.arrows));
    let drawn = html! { @for arrow in &distinct { (draw(arrow, rows)) } };
    Arrows {
        drawn,
        more: picture.arrows.len() - distinct.len(),
    }
}

fn draw(arrow: &Arrow, rows: &Rows) -> Markup {
    let (from, to) = (&rows.lanes[arrow.from], &rows.lanes[arrow.to]);
    let (x1, x2) = (rows.scale.x(arrow.from_time), rows.scale.x(arrow.to_time));
    // From edge to edge: the bars stay free.
    let (y1, y2) = match from.y < to.y {
        true => (from.y + BAR, to.y),
        false => (from.y, to.y + BAR),
    };
    html! {
        path d={ "M" (number(x1)) " " (number(y1)) "L" (number(x2)) " " (number(y2)) } fill="none"
            stroke=(INK) stroke-width="1.1" stroke-dasharray=[arrow.kind.dashes()] marker-end="url(#a)" {}
    }
}
