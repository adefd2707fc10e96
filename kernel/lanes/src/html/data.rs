//! What the script knows of a picture beside the table of steps.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    Picture, State,
    condense::{Piece, Texture, condense},
    svg::{BAR, Rows, WIDTH},
    text::label,
    words,
};

/// So many spans, in units of the drawing, are worth a word of their own.
const NARROW: f64 = 1.0;

/// Where lanes and spans are in the drawing, and what to say of them.
pub(super) fn json(picture: &Picture) -> String {
    let rows = Rows::of(picture);
    let mut texts = Texts::default();
    let lanes = picture.lanes.iter().zip(&rows.lanes).map(|(lane, row)| {
        let pieces = condense(&lane.spans, rows.scale.time(NARROW));
        let spans = pieces.iter().map(|piece| {
            let place = match piece {
                Piece::One(span) => span.place.map(words::place),
                Piece::Many(_) => None,
            };
            let text = texts.index(said(piece));
            match place {
                Some(place) => json!([piece.from(), piece.to(), text, place]),
                None => json!([piece.from(), piece.to(), text]),
            }
        });
        json!({ "name": lane.name, "y": row.y, "spans": spans.collect::<Value>() })
    });
    let lanes = lanes.collect::<Value>();
    let sources = picture.sources.iter();
    let sources = sources.map(|source| json!({ "number": source.number, "code": source.code }));
    let data = json!({
        "end": picture.end,
        "left": rows.scale.left,
        "width": rows.scale.width,
        "size": [WIDTH, rows.height],
        "bar": BAR,
        "lanes": lanes,
        "texts": texts.all,
        "sources": sources.collect::<Value>(),
    });
    data.to_string()
}

fn said(piece: &Piece<'_>) -> String {
    match piece {
        Piece::One(span) => match &span.state {
            State::Runs => "runs".to_owned(),
            State::Lends(task) => format!("runs {task}"),
            State::Ready => "ready, does not run yet".to_owned(),
            State::Idle => "has nothing to run".to_owned(),
            state => label(state).to_owned(),
        },
        Piece::Many(many) => shares(many.shares),
    }
}

/// `runs 40 %, waits 60 %`.
fn shares(shares: [u64; 5]) -> String {
    let whole = shares.iter().sum::<u64>().max(1);
    let shares = Texture::ALL.into_iter().zip(shares);
    let shares = shares.filter(|(_, share)| *share > 0);
    let parts = shares.map(|(texture, share)| {
        let what = match texture {
            Texture::Solid => "runs",
            Texture::Hollow => "runs tasks",
            Texture::Dotted => "ready",
            Texture::Hatched => "waits",
            Texture::Idle => "nothing to run",
        };
        format!("{what} {:.0} %", 100.0 * share as f64 / whole as f64)
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
    fn index(&mut self, text: String) -> usize {
        let next = self.all.len();
        let index = *self.indexes.entry(text.clone()).or_insert(next);
        if index == next {
            self.all.push(text);
        }
        index
    }
}
