//! What one lane did so far.

use crate::{Mark, Place};

/// Times are absolute.
#[derive(Debug)]
pub(crate) struct Track<Doing> {
    pub(crate) pieces: Vec<Piece<Doing>>,
    pub(crate) open: Option<(u64, Doing, Option<Place>)>,
    pub(crate) marks: Vec<Mark>,
    /// When it was first heard of.
    pub(crate) first: Option<u64>,
    /// Whether it did something for the cell of the picture.
    pub(crate) is_own: bool,
}

/// Some time spent in one way.
#[derive(Debug, Clone)]
pub(crate) struct Piece<Doing> {
    pub(crate) from: u64,
    /// `None` while it goes on.
    pub(crate) to: Option<u64>,
    pub(crate) doing: Doing,
    pub(crate) place: Option<Place>,
}

impl<Doing> Default for Track<Doing> {
    fn default() -> Self {
        Self {
            pieces: Vec::new(),
            open: None,
            marks: Vec::new(),
            first: None,
            is_own: false,
        }
    }
}

impl<Doing: Clone + PartialEq> Track<Doing> {
    /// From this time on it does something else, or nothing that is known.
    pub(crate) fn turn(&mut self, time: u64, doing: Option<Doing>, place: Option<Place>) {
        self.first.get_or_insert(time);
        match (&mut self.open, &doing) {
            (Some((_, now, known)), Some(doing)) if now == doing => {
                *known = known.or(place);
                return;
            }
            _ => {}
        }
        if let Some((from, doing, place)) = self.open.take()
            && from < time
        {
            let to = Some(time);
            self.pieces.push(Piece {
                from,
                to,
                doing,
                place,
            });
        }
        self.open = doing.map(|doing| (time, doing, place));
    }

    /// What it does now.
    pub(crate) fn now(&self) -> Option<&Doing> {
        self.open.as_ref().map(|(_, doing, _)| doing)
    }

    /// Says in which line it does what it does now, if that was not known.
    pub(crate) fn is_at(&mut self, place: Option<Place>) {
        if let Some((_, _, known)) = &mut self.open {
            *known = known.or(place);
        }
    }

    /// Cuts what it does now, or has done last, in two: from `time` on it did something else.
    ///
    /// For what is learnt afterwards: that a thread was ready since somebody woke it.
    pub(crate) fn split(&mut self, time: u64, doing: Doing) {
        let Some((from, now, place)) = self.open.take() else {
            return;
        };
        if from < time {
            let to = Some(time);
            self.pieces.push(Piece {
                from,
                to,
                doing: now,
                place,
            });
        }
        self.open = Some((from.max(time), doing, place));
    }

    /// What it did and does, with the time at which each began.
    pub(crate) fn doings_in_time(&self) -> impl Iterator<Item = (u64, &Doing)> {
        let past = self.pieces.iter().map(|piece| (piece.from, &piece.doing));
        past.chain(self.open.iter().map(|(from, doing, _)| (*from, doing)))
    }

    /// What it did and does.
    pub(crate) fn doings(&self) -> impl Iterator<Item = &Doing> {
        self.doings_in_time().map(|(_, doing)| doing)
    }

    /// Everything, with what goes on at the end.
    pub(crate) fn all_pieces(&self) -> Vec<Piece<Doing>> {
        let open = self.open.iter().map(|(from, doing, place)| Piece {
            from: *from,
            to: None,
            doing: doing.clone(),
            place: *place,
        });
        self.pieces.iter().cloned().chain(open).collect()
    }
}
