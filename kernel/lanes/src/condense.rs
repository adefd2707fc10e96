//! Spans that are too narrow to be drawn each.

use crate::{Span, State};

/// What is drawn as one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece<'a> {
    One(&'a Span),
    /// Several, each narrower than can be drawn.
    Many(Many),
}

/// Several spans, of which only the shares can be shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Many {
    pub(crate) from: u64,
    pub(crate) to: u64,
    /// Time spent in each texture, in the order of [`Texture`].
    pub(crate) shares: [u64; 5],
}

/// How a state is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Texture {
    Solid,
    Hollow,
    Dotted,
    Hatched,
    /// A line.
    Idle,
}

impl Texture {
    pub(crate) const ALL: [Self; 5] = [
        Self::Solid,
        Self::Hollow,
        Self::Dotted,
        Self::Hatched,
        Self::Idle,
    ];

    /// What to say of it in a legend.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Solid => "runs",
            Self::Hollow => "runs a task below",
            Self::Dotted => "ready, does not run yet",
            Self::Hatched => "sleeps or waits",
            Self::Idle => "nothing to run",
        }
    }

    pub(crate) fn of(state: &State) -> Self {
        match state {
            State::Runs => Self::Solid,
            State::Lends(_) | State::Says(_) => Self::Hollow,
            State::Waits(_) => Self::Hatched,
            State::Ready => Self::Dotted,
            State::Idle => Self::Idle,
        }
    }
}

impl Piece<'_> {
    pub(crate) fn from(&self) -> u64 {
        match self {
            Self::One(span) => span.from,
            Self::Many(many) => many.from,
        }
    }

    pub(crate) fn to(&self) -> u64 {
        match self {
            Self::One(span) => span.to,
            Self::Many(many) => many.to,
        }
    }
}

/// Draws as one what is narrower than `narrow`, in nanoseconds, and stands side by side.
pub(crate) fn condense(spans: &[Span], narrow: u64) -> Vec<Piece<'_>> {
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    for span in spans {
        let last = pieces.last_mut().filter(|_| span.length() < narrow);
        match last {
            // Whatever is between them is narrower still.
            Some(last) if last.to() - last.from() < narrow && span.from - last.to() < narrow => {
                *last = Piece::Many(many(last, span));
            }
            _ => pieces.push(Piece::One(span)),
        }
    }
    pieces
}

fn many(piece: &Piece<'_>, span: &Span) -> Many {
    let mut many = match piece {
        Piece::Many(many) => many.clone(),
        Piece::One(first) => {
            let mut shares = [0; 5];
            shares[Texture::of(&first.state) as usize] += first.length();
            Many {
                from: first.from,
                to: first.to,
                shares,
            }
        }
    };
    many.to = span.to;
    many.shares[Texture::of(&span.state) as usize] += span.length();
    many
}

impl Many {
    /// The shares in percent, rounded.
    pub(crate) fn percents(&self) -> [u64; 5] {
        let whole = self.shares.iter().sum::<u64>().max(1);
        self.shares.map(|share| (100 * share + whole / 2) / whole)
    }

    /// What it was most of the time.
    pub(crate) fn main(&self) -> Texture {
        let most = Texture::ALL
            .into_iter()
            .max_by_key(|it| self.shares[*it as usize]);
        most.unwrap_or(Texture::Solid)
    }
}
