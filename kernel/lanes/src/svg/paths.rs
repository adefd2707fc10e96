//! Colours, textures and the numbers of paths.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use crate::condense::Texture;

pub(crate) const CARD: &str = "#fcfcfa";
pub(super) const EDGE: &str = "#c9c9c2";
pub(crate) const INK: &str = "#1f2328";
pub(crate) const FAINT_INK: &str = "#5c6370";
pub(crate) const GRID: &str = "#e6e6e0";
/// Running. The blue and the orange of Okabe and Ito, which all eyes tell apart.
pub(super) const RUN: &str = "#0072b2";
pub(super) const WAIT: &str = "#c65d00";

/// The textures, and the head of arrows.
pub(super) fn definitions() -> Markup {
    html! {
        defs {
            pattern id="w" width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                rect width="6" height="6" fill="#fdf1e3" {}
                path d="M1 0v6" stroke=(WAIT) stroke-width="1.4" stroke-opacity=".75" {}
            }
            pattern id="r" width="5" height="5" patternUnits="userSpaceOnUse" {
                rect width="5" height="5" fill="#fff" {}
                circle cx="2.5" cy="2.5" r="1.1" fill=(RUN) {}
            }
            marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
                markerUnits="userSpaceOnUse" orient="auto" {
                path d="M0 .5L8 4L0 7.5z" fill=(INK) {}
            }
        }
    }
}

/// How a texture fills a path, and what line is around it.
pub(crate) fn fill(texture: Texture) -> (&'static str, &'static str) {
    match texture {
        Texture::Solid => (RUN, RUN),
        Texture::Hollow => ("#eaf3fa", RUN),
        Texture::Dotted => ("url(#r)", RUN),
        Texture::Hatched => ("url(#w)", WAIT),
        Texture::Idle => (EDGE, EDGE),
    }
}

/// A path made of rectangles.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    path: String,
}

impl Boxes {
    pub(super) fn add(&mut self, x: f64, y: f64, width: f64, height: f64) {
        let (x, y) = (number(x), number(y));
        let (width, height, back) = (number(width), number(height), number(-width));
        let written = write!(self.path, "M{x} {y}h{width}v{height}h{back}z");
        written.expect("a String takes everything");
    }

    pub(super) fn draw(self, texture: Texture) -> Markup {
        if self.path.is_empty() {
            return PreEscaped(String::new());
        }
        let (fill, line) = fill(texture);
        html! {
            path d=(self.path) fill=(fill) stroke=(line) stroke-width=".8" {}
        }
    }
}

/// A number with at most one digit behind the point.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.1}");
    match text.strip_suffix(".0") {
        Some("-0") => "0".to_owned(),
        Some(whole) => whole.to_owned(),
        None => text,
    }
}
