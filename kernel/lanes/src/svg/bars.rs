//! What a lane did.

use maud::{Markup, html};

use super::{
    Detail,
    paths::{Boxes, CARD, FAINT_INK, number},
    rows::{BAR, Row, Rows, SMALL_LETTER, wide},
};
use crate::{
    Lane, Picture, Span, State,
    condense::{Many, Piece, Texture, condense},
    text::label,
    words,
};

/// Narrower than that it would not be seen.
const NARROWEST: f64 = 1.0;

/// The bars of all lanes: one path for each texture, which is small.
pub(super) fn bars(picture: &Picture, rows: &Rows, detail: Detail) -> Markup {
    let mut boxes: [Boxes; 5] = Default::default();
    for (lane, row) in picture.lanes.iter().zip(&rows.lanes) {
        add(&mut boxes, lane, row, rows, detail);
    }
    let textures = Texture::ALL.into_iter().rev();
    let boxes = textures.zip(boxes.into_iter().rev());
    html! {
        @for (texture, boxes) in boxes { (boxes.draw(texture)) }
        @for (lane, row) in picture.lanes.iter().zip(&rows.lanes) {
            @if let Some(span) = lane.spans.last().filter(|span| goes_on(span)) {
                (torn(rows.scale.x(span.to), row.y))
            }
        }
    }
}

fn add(boxes: &mut [Boxes; 5], lane: &Lane, row: &Row, rows: &Rows, detail: Detail) {
    for piece in condense(&lane.spans, rows.scale.time(detail.narrow)) {
        let (from, to) = (rows.scale.x(piece.from()), rows.scale.x(piece.to()));
        // A hair between two of them, so that one after the other is not one.
        let hair = if to - from > 4.0 { 1.0 } else { 0.0 };
        let (x, width) = (from + hair / 2.0, (to - from - hair).max(NARROWEST));
        match piece {
            Piece::One(span) => {
                let texture = Texture::of(&span.state);
                let (y, height) = inset(texture, row.y, BAR);
                boxes[texture as usize].add(x, y, width, height);
            }
            Piece::Many(many) => shares(boxes, &many, (x, width), row.y),
        }
    }
}

/// An object stays in its last state, and a thread without work waits for more: that says nothing.
fn goes_on(span: &Span) -> bool {
    span.goes_on && !matches!(span.state, State::Says(_) | State::Idle)
}

/// The edge of what goes on when the picture ends.
fn torn(x: f64, y: f64) -> Markup {
    html! {
        path d={ "M" (number(x + 1.0)) " " (number(y - 1.0)) "l-5 4.5 5 4.5-5 4.5 5 4.5" } fill="none"
            stroke=(CARD) stroke-width="3" {}
    }
}

/// Of several spans the heights say the shares.
fn shares(boxes: &mut [Boxes; 5], many: &Many, (x, width): (f64, f64), top: f64) {
    let whole: u64 = many.shares.iter().sum();
    let mut y = top;
    for (texture, share) in Texture::ALL.into_iter().zip(many.shares).rev() {
        let height = BAR * share as f64 / whole.max(1) as f64;
        if share > 0 {
            boxes[texture as usize].add(x, y, width, height);
        }
        y += height;
    }
}

/// A thread with nothing to run is a line, not a bar.
pub(super) fn inset(texture: Texture, y: f64, height: f64) -> (f64, f64) {
    match texture {
        Texture::Idle => (y + height / 2.0 - 0.5, 1.0),
        _ => (y, height),
    }
}

/// What the bars are about, where it fits into them.
pub(super) fn labels(lane: &Lane, row: &Row, rows: &Rows, detail: Detail) -> Markup {
    let mut spans = Vec::from_iter(lane.spans.iter().filter_map(|span| {
        let (from, to) = (rows.scale.x(span.from), rows.scale.x(span.to));
        let text = fitting(span, to - from - 10.0)?;
        Some((span, (from + to) / 2.0, text))
    }));
    spans.truncate(detail.texts);
    let y = row.y + BAR - 4.5;
    html! {
        @for (span, x, text) in spans {
            @if matches!(span.state, State::Waits(_)) {
                @let width = wide(&text, SMALL_LETTER) + 6.0;
                rect x=(number(x - width / 2.0)) y=(number(row.y + 2.0)) width=(number(width))
                    height=(number(BAR - 4.0)) rx="3" fill=(CARD) {}
            }
            text x=(number(x)) y=(number(y)) font-size="11" text-anchor="middle"
                fill=[matches!(span.state, State::Lends(_)).then_some(FAINT_INK)]
                { (text) }
        }
    }
}

/// As much of the label as fits, if that is enough to be read.
fn fitting(span: &Span, room: f64) -> Option<String> {
    let full = label(&span.state);
    let columns = (room / SMALL_LETTER).max(0.0) as usize;
    let text = words::cut(full, columns);
    let is_enough = text == full || columns >= 6;
    (is_enough && !full.is_empty()).then_some(text)
}
