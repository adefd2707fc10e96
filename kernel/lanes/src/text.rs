//! Lanes in letters, for a console, and to be read aloud.

use std::collections::HashSet;

use unicode_width::UnicodeWidthStr;

use crate::{
    Lane, LaneKind, Picture, State,
    condense::{Piece, Texture, condense},
    scale::Scale,
    words,
};

const WIDEST_NAME: usize = 24;
const NARROWEST_LANE: usize = 20;

impl Picture {
    /// The lanes in letters, in lines of at most `width` columns where names allow.
    #[must_use]
    pub fn to_ascii(&self, width: usize) -> String {
        let names = self.lanes.iter().map(|lane| name(lane).width());
        let names = names.max().unwrap_or(0).min(WIDEST_NAME);
        let columns = width.saturating_sub(names + 3).max(NARROWEST_LANE);
        let mut lines = vec![self.summary(), String::new()];
        let before = " ".repeat(names + 2);
        lines.push(format!("{before}{}", self.axis(columns)));
        for (index, lane) in self.lanes.iter().enumerate() {
            let bar = self.bar(lane, columns);
            lines.push(format!("{} |{bar}|", words::pad(&name(lane), names)));
            let notes = self.notes(index, columns);
            lines.extend(notes.map(|notes| format!("{before}{notes}")));
        }
        lines.extend(self.more());
        lines.push(String::new());
        let remarks = self.remarks.iter().map(ToString::to_string);
        let below = [self.legend(), self.caption.to_string()].into_iter();
        for text in below.chain(remarks) {
            lines.extend(textwrap::wrap(&text, width).into_iter().map(Into::into));
        }
        let lines = lines.iter().map(|line| line.trim_end());
        lines.collect::<Vec<_>>().join("\n")
    }

    fn scale(&self, columns: usize) -> Scale {
        Scale {
            end: self.end,
            left: 0.0,
            width: columns as f64,
        }
    }

    fn axis(&self, columns: usize) -> String {
        let scale = self.scale(columns);
        let mut axis = Line::new(columns);
        for tick in scale.ticks(columns as u64 / 14) {
            axis.write(
                scale.x(tick) as usize,
                &format!("'{}", scale.tick_label(tick)),
            );
        }
        axis.text
    }

    fn bar(&self, lane: &Lane, columns: usize) -> String {
        let scale = self.scale(columns);
        let column = |time| (scale.x(time) as usize).min(columns);
        let mut bar = vec![' '; columns];
        let pieces = condense(&lane.spans, scale.time(1.0));
        for piece in &pieces {
            // What is narrower than a column shows only where nothing wider begins.
            let from = column(piece.from()).min(columns - 1);
            let to = column(piece.to()).clamp(from + 1, columns);
            bar[from..to].fill(letter(piece));
        }
        let mut line = Line {
            text: bar.into_iter().collect(),
        };
        if let Some(ended) = self.cell_ended.map(column).filter(|ended| *ended < columns) {
            line.over_spaces(ended, "|");
        }
        // From the right, because letters of a label can be two columns wide.
        for piece in pieces.iter().rev() {
            let (from, to) = (column(piece.from()), column(piece.to()));
            if let (Piece::One(span), 6..) = (piece, to - from) {
                line.over(from + 1, &words::cut(label(&span.state), to - from - 2));
            }
        }
        line.text
    }

    /// What was printed, and by whom the lane was started or woken; as far as there is room.
    fn notes(&self, lane: usize, columns: usize) -> Option<String> {
        let scale = self.scale(columns);
        let marks = self.lanes[lane].marks.iter();
        let marks = marks.map(|mark| (mark.at, '^', mark.text.clone()));
        let arrows = self.arrows.iter().filter(|arrow| arrow.to == lane);
        let arrows = arrows.map(|arrow| {
            let space = if arrow.text.is_empty() { "" } else { ": " };
            let from = &self.lanes[arrow.from].name;
            (arrow.to_time, '<', format!("{from}{space}{}", arrow.text))
        });
        let mut notes: Vec<_> = marks.chain(arrows).collect();
        notes.sort_by_key(|(at, ..)| *at);
        let mut line = Line::new(columns);
        for (at, sign, note) in notes {
            let column = (scale.x(at) as usize).min(columns - 1);
            let note = words::cut(&note, WIDEST_NAME);
            match (column + 1).checked_sub(note.width() + 1) {
                Some(left) if column + 1 + note.width() > columns => {
                    line.write(left, &format!("{note}{sign}"));
                }
                _ => line.write(column, &format!("{sign}{note}")),
            }
        }
        (!line.text.is_empty()).then_some(line.text)
    }

    /// What the signs mean, as far as they are there.
    fn legend(&self) -> String {
        let lanes = self.lanes.iter();
        let lanes = lanes.filter(|lane| !matches!(lane.kind, LaneKind::Object(_)));
        let spans = lanes.flat_map(|lane| &lane.spans);
        let used = HashSet::<Texture>::from_iter(spans.map(|span| Texture::of(&span.state)));
        let textures = Texture::ALL
            .into_iter()
            .filter(|texture| used.contains(texture));
        let mut parts = Vec::from_iter(textures.map(|it| format!("{} {}", sign(it), it.meaning())));
        if self.lanes.iter().any(|lane| !lane.marks.is_empty()) {
            parts.push("^ prints".to_owned());
        }
        if !self.arrows.is_empty() {
            parts.push("< started, woken or ended by".to_owned());
        }
        parts.join("   ")
    }

    /// What is not shown.
    pub(crate) fn more(&self) -> Vec<String> {
        let mut more = Vec::new();
        if self.more_lanes > 0 {
            more.push(format!(
                "{} not shown.",
                words::count(self.more_lanes, "more lane")
            ));
        }
        if self.lost > 0 {
            more.push(format!(
                "{} came too fast to be noted: the picture has gaps.",
                words::count(usize::try_from(self.lost).unwrap_or(usize::MAX), "event")
            ));
        }
        more
    }
}

impl std::fmt::Display for crate::Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some(place) => write!(f, "{}: {}", words::place(place), self.text),
            None => f.write_str(&self.text),
        }
    }
}

fn name(lane: &Lane) -> String {
    match lane.kind {
        LaneKind::Task(_) => format!("  {}", lane.name),
        _ => lane.name.clone(),
    }
}

/// What a state has to say beside how it is drawn.
pub(crate) fn label(state: &State) -> &str {
    match state {
        State::Runs | State::Ready | State::Idle => "",
        State::Lends(task) => task,
        State::Waits(wait) => &wait.label,
        State::Says(state) => state,
    }
}

fn letter(piece: &Piece<'_>) -> char {
    let texture = match piece {
        Piece::One(span) => Texture::of(&span.state),
        Piece::Many(many) => many.main(),
    };
    sign(texture)
}

fn sign(texture: Texture) -> char {
    match texture {
        Texture::Solid => '#',
        Texture::Hollow => '=',
        Texture::Hatched => '/',
        Texture::Dotted => '.',
        Texture::Idle => '-',
    }
}

/// A line of text that is written from left to right.
struct Line {
    text: String,
}

impl Line {
    fn new(columns: usize) -> Self {
        let text = String::with_capacity(columns);
        Self { text }
    }

    /// Writes at a column, unless something is there.
    fn write(&mut self, column: usize, text: &str) {
        let now = self.text.width();
        if now == 0 || column > now {
            self.text.push_str(&" ".repeat(column - now));
            self.text.push_str(text);
        }
    }

    /// Writes over what is there, which is one column a letter.
    fn over(&mut self, column: usize, text: &str) {
        let mut letters = self.text.chars();
        let before: String = letters.by_ref().take(column).collect();
        let behind: String = letters.skip(text.width()).collect();
        self.text = format!("{before}{text}{behind}");
    }

    fn over_spaces(&mut self, column: usize, text: &str) {
        if self.text.chars().nth(column) == Some(' ') {
            self.over(column, text);
        }
    }
}
