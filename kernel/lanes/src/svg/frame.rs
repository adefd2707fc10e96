//! The card, the axis, the names and the words below.

use maud::{Markup, html};
use unicode_width::UnicodeWidthStr;

use super::{
    bars::inset,
    paths::{CARD, EDGE, FAINT_INK, GRID, INK, fill, number},
    rows::{AXIS, BAR, LETTER, MARGIN, Row, Rows, SMALL_LETTER, WIDTH, indent, wide},
};
use crate::{ArrowKind, Lane, LaneKind, Picture, condense::Texture, words};

pub(super) fn card(rows: &Rows) -> Markup {
    let (width, height) = (f64::from(WIDTH) - 1.0, f64::from(rows.height) - 1.0);
    html! {
        rect x=".5" y=".5" width=(number(width)) height=(number(height)) rx="8" fill=(CARD)
            stroke=(EDGE) {}
    }
}

/// Lines for times, and for the end of the cell.
pub(super) fn grid(picture: &Picture, rows: &Rows) -> Markup {
    let width = f64::from(WIDTH) - 1.0;
    let ticks = rows.scale.ticks(7);
    let end = picture.cell_ended.map(|ended| rows.scale.x(ended));
    let last = rows.scale.left + rows.scale.width;
    let end = end.filter(|end| picture.is_running || last - end > 1.0);
    html! {
        @for tick in ticks {
            @let x = rows.scale.x(tick);
            path d={ "M" (number(x)) " " (number(AXIS)) "V" (number(rows.bottom)) } stroke=(GRID) {}
            @let label = rows.scale.tick_label(tick);
            @let room = width - 8.0 - wide(&label, SMALL_LETTER) / 2.0;
            text x=(number(x.min(room))) y=(number(AXIS - 6.0)) font-size="11" fill=(FAINT_INK)
                text-anchor="middle" { (label) }
        }
        @if let Some(x) = end {
            path d={ "M" (number(x)) " " (number(AXIS)) "V" (number(rows.bottom)) } stroke=(INK)
                stroke-dasharray="6 3" {}
            @let (x, anchor) = if x > width / 2.0 { (x - 4.0, "end") } else { (x + 4.0, "start") };
            text x=(number(x)) y=(number(rows.bottom)) font-size="11" fill=(INK)
                text-anchor=(anchor) { "the cell ends" }
        }
    }
}

/// What a lane is called.
pub(super) fn name(picture: &Picture, lane: &Lane, row: &Row, rows: &Rows) -> Markup {
    let x = MARGIN + indent(lane);
    let room = rows.scale.left - 10.0 - x;
    let name = words::cut(&lane.name, (room / LETTER) as usize);
    let is_thread = matches!(lane.kind, LaneKind::Thread(_));
    let left = room - wide(&name, LETTER) - 4.0;
    let line = lane.made_at.map(|place| match place.cell == picture.cell {
        true => format!(":{}", place.line),
        false => words::place(place),
    });
    let line = line.filter(|line| wide(line, SMALL_LETTER) < left);
    html! {
        text x=(number(x)) y=(number(row.y + BAR - 4.0))
            font-weight=[is_thread.then_some("600")] { (name) }
        @if let Some(line) = line {
            text x=(number(rows.scale.left - 10.0)) y=(number(row.y + BAR - 4.0)) font-size="10"
                fill=(FAINT_INK) text-anchor="end" { (line) }
        }
    }
}

/// The lines below the lanes, but for the legend.
pub(super) fn lines(picture: &Picture) -> Vec<String> {
    const COLUMNS: usize = 140;
    let mut lines = vec![String::new()];
    let caption = picture.caption.to_string();
    for part in caption.split(" · ") {
        let last = lines.last_mut().expect("there is a first");
        if last.is_empty() {
            last.push_str(part);
        } else if last.width() + part.width() > COLUMNS {
            lines.push(part.to_owned());
        } else {
            last.push_str(" · ");
            last.push_str(part);
        }
    }
    lines.extend(picture.more());
    lines
}

/// The legend, and the numbers.
pub(super) fn below(picture: &Picture, rows: &Rows, more_arrows: usize) -> Markup {
    let mut x = MARGIN;
    let y = rows.line(0);
    let mut place = |width: f64| {
        let here = x;
        x += width;
        here
    };
    let used = used(picture);
    html! {
        @for texture in LEGEND {
            @if used.contains(&texture) {
                @let what = texture.meaning();
                @let here = place(28.0 + wide(what, SMALL_LETTER));
                @let (fill, line) = fill(texture);
                @let (top, height) = inset(texture, y - 9.0, 10.0);
                rect x=(number(here)) y=(number(top)) width="16" height=(number(height)) fill=(fill)
                    stroke=(line) stroke-width=".8" {}
                text x=(number(here + 21.0)) y=(number(y)) font-size="11" fill=(FAINT_INK) { (what) }
            }
        }
        @if picture.lanes.iter().any(|lane| !lane.marks.is_empty()) {
            @let here = place(60.0);
            path d={ "M" (number(here + 8.0)) " " (number(y)) "l-4 -7h8z" } fill=(INK) {}
            text x=(number(here + 18.0)) y=(number(y)) font-size="11" fill=(FAINT_INK) { "prints" }
        }
        @for (kind, what) in ARROWS {
            @if picture.arrows.iter().any(|arrow| arrow.kind == kind) {
                @let here = place(40.0 + wide(what, SMALL_LETTER));
                path d={ "M" (number(here)) " " (number(y - 4.0)) "h22" } stroke=(INK)
                    stroke-width="1.1" stroke-dasharray=[kind.dashes()] marker-end="url(#a)" {}
                text x=(number(here + 27.0)) y=(number(y)) font-size="11" fill=(FAINT_INK) { (what) }
            }
        }
        @if more_arrows > 0 {
            @let here = place(0.0);
            text x=(number(here)) y=(number(y)) font-size="11" fill=(FAINT_INK) {
                (words::count(more_arrows, "more arrow")) " not drawn"
            }
        }
        @for (index, line) in rows.lines.iter().enumerate() {
            text x=(number(MARGIN)) y=(number(rows.line(index + 1))) { (line) }
        }
    }
}

const LEGEND: [Texture; 5] = [
    Texture::Solid,
    Texture::Hatched,
    Texture::Dotted,
    Texture::Hollow,
    Texture::Idle,
];

const ARROWS: [(ArrowKind, &str); 3] = [
    (ArrowKind::Spawn, "starts"),
    (ArrowKind::Wake, "wakes"),
    (ArrowKind::Join, "ends a join"),
];

/// The textures that there are.
fn used(picture: &Picture) -> Vec<Texture> {
    let lanes = picture.lanes.iter();
    let lanes = lanes.filter(|lane| !matches!(lane.kind, LaneKind::Object(_)));
    let spans = lanes.flat_map(|lane| &lane.spans);
    let mut used = Vec::from_iter(spans.map(|span| Texture::of(&span.state)));
    used.sort_unstable();
    used.dedup();
    used
}
