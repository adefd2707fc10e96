//! Where everything stands. A unit is a pixel at full size.

use unicode_width::UnicodeWidthStr;

use crate::{Lane, LaneKind, Picture, Span, scale::Scale, text::label};

pub(crate) const WIDTH: u32 = 960;
pub(super) const MARGIN: f64 = 16.0;
/// Of the axis, from the top.
pub(crate) const AXIS: f64 = 26.0;
pub(crate) const BAR: f64 = 16.0;
/// For what was printed, above the bar.
const STRIP: f64 = 15.0;
const GAP: f64 = 11.0;
const TIGHT_GAP: f64 = 6.0;
/// Before a task, which belongs to the lane above.
const TASK_GAP: f64 = 3.0;
/// With more lanes than these there is less between them.
const MANY_LANES: usize = 14;
pub(super) const INDENT: f64 = 14.0;
const LINE: f64 = 17.0;
/// A letter of the names, in bold. On the wide side: no font in use is wider on average.
pub(super) const LETTER: f64 = 7.5;
/// A letter of a smaller text.
pub(super) const SMALL_LETTER: f64 = 6.2;
/// A letter of what was printed.
pub(super) const MONO_LETTER: f64 = 6.7;

#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) lanes: Vec<Row>,
    pub(crate) scale: Scale,
    /// Where the lanes end.
    pub(crate) bottom: f64,
    pub(crate) height: u32,
    /// What is written below the lanes.
    pub(super) lines: Vec<String>,
}

/// Where a lane stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// The top of its bar.
    pub(crate) y: f64,
    /// Where texts above it stand, if there are any.
    pub(crate) strip: f64,
}

impl Rows {
    pub(crate) fn of(picture: &Picture) -> Self {
        let left = MARGIN + gutter(picture) + 10.0;
        let scale = Scale {
            end: picture.end,
            left,
            width: f64::from(WIDTH) - MARGIN - left - 4.0,
        };
        let is_tight = picture.lanes.len() > MANY_LANES;
        let mut y = AXIS + 12.0;
        let mut lanes = Vec::new();
        for (index, lane) in picture.lanes.iter().enumerate() {
            let is_task = matches!(lane.kind, LaneKind::Task(_));
            if index > 0 {
                y += match (is_task, is_tight) {
                    (true, _) => TASK_GAP,
                    (_, true) => TIGHT_GAP,
                    (_, false) => GAP,
                };
            }
            let strip = y;
            y += if has_texts_above(picture, index, scale) {
                STRIP
            } else {
                0.0
            };
            lanes.push(Row { y, strip });
            y += BAR;
        }
        let lines = super::frame::lines(picture);
        // Room for the words at the end of the cell.
        let bottom = y + 12.0;
        let height = bottom + LINE * (lines.len() as f64 + 1.0) + 14.0;
        Self {
            lanes,
            scale,
            bottom,
            height: height.ceil() as u32,
            lines,
        }
    }

    pub(super) fn line(&self, index: usize) -> f64 {
        self.bottom + 6.0 + LINE * (index as f64 + 1.0)
    }
}

/// Whether something is written above the bar: what was printed, values that come from the lane
/// above, states that are too short for their names.
fn has_texts_above(picture: &Picture, index: usize, scale: Scale) -> bool {
    let lane = &picture.lanes[index];
    let fits = |span: &Span| wide(label(&span.state), SMALL_LETTER) < scale.wide(span) - 10.0;
    let is_object = matches!(lane.kind, LaneKind::Object(_));
    let mut arrows = picture.arrows.iter();
    let has_values = arrows.any(|it| !it.text.is_empty() && index == it.from.max(it.to));
    has_values || !lane.marks.is_empty() || is_object && !lane.spans.iter().all(fits)
}

/// As wide as the longest name and its line, within reason.
fn gutter(picture: &Picture) -> f64 {
    let lanes = picture.lanes.iter();
    let names = lanes.map(|lane| {
        let line = lane.made_at.map_or(0.0, |_| 4.0 * SMALL_LETTER);
        indent(lane) + wide(&lane.name, LETTER) + line
    });
    names.fold(80.0, f64::max).min(190.0) + 1.0
}

pub(super) fn indent(lane: &Lane) -> f64 {
    if lane.is_indented() { INDENT } else { 0.0 }
}

/// How wide a text is.
pub(super) fn wide(text: &str, letter: f64) -> f64 {
    text.width() as f64 * letter
}
