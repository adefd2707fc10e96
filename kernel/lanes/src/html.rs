//! Lanes as an output of a notebook.
//!
//! What a sanitiser leaves of it (an untrusted notebook, GitHub) is a line that opens to the picture,
//! the remarks and a table of the steps. A script adds details under the pointer, a slider and zoom.

mod data;

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{Markup, PreEscaped, html};

use crate::{Picture, Step, svg::Detail, words};

/// A live picture comes five times a second: what it may weigh, in bytes.
const LIVE_BYTES: usize = 30_000;
/// What the picture may weigh in a notebook, which keeps it.
const WHOLE_BYTES: usize = 80_000;
const LEFT: &str = "text-align:left";
const SCRIPT: &str = concat!(
    include_str!("html/open.js"),
    include_str!("html/zoom.js"),
    include_str!("html/lanes.js")
);
const LIVE_SCRIPT: &str = include_str!("html/open.js");

impl Picture {
    /// One line that opens to the picture, and to what happened step by step.
    #[must_use]
    pub fn to_html(&self) -> String {
        self.whole(None, false)
    }

    /// The same, open.
    #[must_use]
    pub fn to_open_html(&self) -> String {
        self.whole(None, true)
    }

    /// What comes after [`to_live_html`](Self::to_live_html), under the same name: it stays open, or
    /// closed, as it was on the page; `is_open` says how it is where there was nothing.
    #[must_use]
    pub fn to_last_html(&self, name: &str, is_open: bool) -> String {
        self.whole(Some(name), is_open)
    }

    fn whole(&self, name: Option<&str>, is_open: bool) -> String {
        let whole = html! {
            div class="interleave-lanes" data-shown=[name] data-lanes=(data::json(self)) {
                details open[is_open] {
                    (self.line())
                    (self.image(WHOLE_BYTES))
                    (self.remarks_below())
                    (self.steps_below())
                }
                // Constant: no text of a student is in it.
                script { (PreEscaped(SCRIPT)) }
            }
        };
        whole.into_string()
    }

    /// The same without steps: small enough to be sent often, and open. A small script keeps it closed
    /// once it was closed. The name tells it from other pictures on the page.
    #[must_use]
    pub fn to_live_html(&self, name: &str) -> String {
        let around = 2000
            + LIVE_SCRIPT.len()
            + self
                .remarks
                .iter()
                .map(|it| 4 * it.text.len())
                .sum::<usize>();
        let image = self.image(LIVE_BYTES.saturating_sub(around));
        let whole = html! {
            div class="interleave-lanes" data-shown=(name) {
                details open { (self.line()) (image) (self.remarks_below()) }
                script { (PreEscaped(LIVE_SCRIPT)) }
            }
        };
        whole.into_string()
    }

    fn line(&self) -> Markup {
        html! { summary { (self.summary()) } }
    }

    /// The picture with as many details as so many bytes hold, if any.
    fn image(&self, bytes: usize) -> Markup {
        let drawn = Detail::ALL.into_iter().map(|detail| self.svg(detail));
        let small = drawn
            .map(|svg| STANDARD.encode(svg))
            .find(|it| it.len() <= bytes);
        html! {
            @if let Some(svg) = small {
                div class="il-frame" style="overflow:auto" {
                    img src={ "data:image/svg+xml;base64," (svg) } alt=(self.spoken())
                        style={ "display:block;max-width:100%;" (data::room(self)) };
                }
            }
        }
    }

    /// What the picture shows, for those who do not see it.
    fn spoken(&self) -> String {
        format!("Lanes: {}. {}.", self.summary(), self.caption)
    }

    fn remarks_below(&self) -> Markup {
        html! { @for remark in &self.remarks { p { (remark.to_string()) } } }
    }

    fn steps_below(&self) -> Markup {
        html! {
            details class="il-steps" {
                summary { "step by step" }
                table {
                    thead { tr { @for heading in ["time", "who", "what", "where"] { th style=(LEFT) { (heading) } } } }
                    tbody { @for step in &self.steps { (self.step(step)) } }
                }
                @if self.more_steps > 0 {
                    p { (words::count(self.more_steps, "more step")) " not shown." }
                }
            }
        }
    }

    fn step(&self, step: &Step) -> Markup {
        let place = step
            .place
            .map(|place| format!("{}:{}", place.cell, place.line));
        html! {
            tr data-at=(step.at) data-lane=(step.lane) data-place=[place]
                data-last=[step.is_last.then_some("true")] {
                td style=(LEFT) { (words::span(step.at)) }
                td style=(LEFT) { (self.lanes[step.lane].name) }
                td style=(LEFT) { (step.text) }
                td style=(LEFT) { (step.place.map(words::place).unwrap_or_default()) }
            }
        }
    }
}
