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
const SCRIPT: &str = include_str!("html/lanes.js");

impl Picture {
    /// One line that opens to the picture, and to what happened step by step.
    #[must_use]
    pub fn to_html(&self) -> String {
        let whole = html! {
            div class="interleave-lanes" data-lanes=(data::json(self)) {
                details {
                    (self.line())
                    (self.image(Detail::FULL))
                    (self.remarks_below())
                    (self.steps_below())
                }
                // Constant: no text of a student is in it.
                script { (PreEscaped(SCRIPT)) }
            }
        };
        whole.into_string()
    }

    /// The same without steps and script: small enough to be sent often, and open.
    #[must_use]
    pub fn to_live_html(&self) -> String {
        let drawn = |detail| {
            let whole = html! {
                div class="interleave-lanes" {
                    details open { (self.line()) (self.image(detail)) (self.remarks_below()) }
                }
            };
            whole.into_string()
        };
        let details = LIVE_DETAILS.into_iter();
        let small = details.map(drawn).find(|drawn| drawn.len() <= LIVE_BYTES);
        small.unwrap_or_else(|| html! { div { (self.summary()) } }.into_string())
    }

    fn line(&self) -> Markup {
        html! { summary { (self.summary()) } }
    }

    fn image(&self, detail: Detail) -> Markup {
        let svg = STANDARD.encode(self.svg(detail));
        html! {
            div class="il-frame" style="overflow:auto" {
                img src={ "data:image/svg+xml;base64," (svg) } alt=(self.spoken())
                    style="max-width:100%";
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
            details {
                summary { "step by step" }
                table {
                    thead { tr { th { "time" } th { "who" } th { "what" } th { "where" } } }
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
                td { (words::span(step.at)) }
                td { (self.lanes[step.lane].name) }
                td style="text-align:left" { (step.text) }
                td { (step.place.map(words::place).unwrap_or_default()) }
            }
        }
    }
}

/// From fine to coarse.
const LIVE_DETAILS: [Detail; 4] = [
    Detail {
        narrow: 2.0,
        arrows: 60,
        texts: 12,
    },
    Detail {
        narrow: 4.0,
        arrows: 20,
        texts: 5,
    },
    Detail {
        narrow: 12.0,
        arrows: 0,
        texts: 1,
    },
    Detail {
        narrow: 40.0,
        arrows: 0,
        texts: 0,
    },
];
