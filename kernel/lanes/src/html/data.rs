//! What the script knows of a picture beside the table of steps.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    Lane, LaneKind, Picture, State,
    condense::{Many, Piece, Texture, condense},
    svg::{AXIS, BAR, CARD, FAINT_INK, GRID, INK, Rows, WIDTH, fill},
    text::label,
    words,
};

/// Spans narrower than so many units of the drawing are told as one: it can be zoomed.
const NARROW: f64 = 0.1;
/// As many spans as a page can carry for a cell.
const MOST_SPANS: usize = 1500;
const MOST_MARKS: usize = 200;

/// The place that a page keeps for the drawing before it is decoded, as CSS: so nothing below jumps.
pub(super) fn room(picture: &Picture) -> String {
    let height = Rows::of(picture).height;
    format!("width:{WIDTH}px;aspect-ratio:auto {WIDTH}/{height}")
}

/// Where lanes and spans are in the drawing, and what to say of them.
pub(super) fn json(picture: &Picture) -> String {
    let rows = Rows::of(picture);
    let pieces = pieces(picture, &rows);
    let mut texts = Texts::default();
    let lanes = picture.lanes.iter().zip(&rows.lanes).zip(pieces);
    let lanes = lanes.map(|((lane, row), pieces)| {
        let spans = pieces.iter().map(|piece| texts.span(piece));
        json!({
            "name": lane.name,
            "isObject": matches!(lane.kind, LaneKind::Object(_)),
            "y": row.y,
            "strip": row.strip,
            "spans": spans.collect::<Value>(),
            "marks": marks(lane),
        })
    });
    let lanes = lanes.collect::<Value>();
    let arrows = picture.arrows.iter().take(MOST_MARKS).map(|it| {
        json!([
            it.from,
            it.from_time,
            it.to,
            it.to_time,
            it.kind.dashes(),
            it.text
        ])
    });
    let sources = picture.sources.iter();
    let sources = sources.map(|source| json!({ "number": source.number, "code": source.code }));
    let data = json!({
        "end": picture.end,
        "left": rows.scale.left,
        "width": rows.scale.width,
        "size": [WIDTH, rows.height],
        "axis": AXIS,
        "bottom": rows.bottom,
        "bar": BAR,
        "lanes": lanes,
        "arrows": arrows.collect::<Value>(),
        "texts": texts.all,
        "fills": Texture::ALL.map(fill),
        "colours": { "ink": INK, "faint": FAINT_INK, "grid": GRID, "card": CARD },
        "sources": sources.collect::<Value>(),
    });
    data.to_string()
}

/// The pieces of each lane, as fine as there is room for.
fn pieces<'a>(picture: &'a Picture, rows: &Rows) -> Vec<Vec<Piece<'a>>> {
    let mut narrow = NARROW;
    loop {
        let time = rows.scale.time(narrow);
        let lanes = picture.lanes.iter();
        let pieces = Vec::from_iter(lanes.map(|lane| condense(&lane.spans, time)));
        if pieces.iter().map(Vec::len).sum::<usize>() <= MOST_SPANS || time > picture.end {
            return pieces;
        }
        narrow *= 2.0;
    }
}

fn marks(lane: &Lane) -> Value {
    let marks = lane.marks.iter().take(MOST_MARKS);
    marks.map(|mark| json!([mark.at, mark.text])).collect()
}

fn said(state: &State) -> String {
    match state {
        State::Runs => "runs".to_owned(),
        State::Lends(task) => format!("runs {task}"),
        State::Ready => "ready, does not run yet".to_owned(),
        State::Idle => "has nothing to run".to_owned(),
        state => label(state).to_owned(),
    }
}

/// `runs 40 %, waits 60 %`.
fn shares(many: &Many) -> String {
    let shares = Texture::ALL.into_iter().zip(many.percents());
    let shares = shares.filter(|(_, share)| *share > 0);
    let parts = shares.map(|(texture, share)| {
        let what = match texture {
            Texture::Solid => "runs",
            Texture::Hollow => "runs tasks",
            Texture::Dotted => "ready",
            Texture::Hatched => "waits",
            Texture::Idle => "nothing to run",
        };
        format!("{what} {share} %")
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Texts that come again and again, each once.
#[derive(Debug, Default)]
struct Texts {
    all: Vec<String>,
    indexes: HashMap<String, usize>,
}

impl Texts {
    /// When, what to say, what to write into it, how to draw it, and where in the code it is.
    fn span(&mut self, piece: &Piece<'_>) -> Value {
        let (from, to) = (piece.from(), piece.to());
        match piece {
            Piece::One(span) => {
                let (said, label) = (self.index(said(&span.state)), label(&span.state));
                let label = self.index(label.to_owned());
                let texture = Texture::of(&span.state) as usize;
                match span.place {
                    Some(place) => json!([from, to, said, label, texture, words::place(place)]),
                    None => json!([from, to, said, label, texture]),
                }
            }
            Piece::Many(many) => {
                let (said, label) = (self.index(shares(many)), self.index(String::new()));
                json!([from, to, said, label, many.percents()])
            }
        }
    }

    fn index(&mut self, text: String) -> usize {
        let next = self.all.len();
        let index = *self.indexes.entry(text.clone()).or_insert(next);
        if index == next {
            self.all.push(text);
        }
        index
    }
}
