//! Lanes as an output of a notebook.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{Markup, html};

use crate::{Picture, svg::Detail, words};

/// A live picture comes five times a second: what it may weigh, in bytes.
const LIVE_BYTES: usize = 30_000;

impl Picture {
    /// One line that opens to the picture, and to what happened step by step.
    #[must_use]
    pub fn to_html(&self) -> String {
        let whole = html! {
            div class="interleave-lanes" {
                details {
                    (self.line())
                    (self.image(Detail::FULL))
                    (self.remarks_below())
                    (self.steps_below())
                }
            }
        };
        whole.into_string()
    }

    /// The same without steps, small enough to be sent often, and open.
    #[must_use]
    pub fn to_live_html(&self) -> String {
        let drawn = |detail| {
            let whole = html! {
                div class="interleave-lanes" {
                    details open { (self.line()) (self.image(detail)) }
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
            img src={ "data:image/svg+xml;base64," (svg) } alt=(self.spoken())
                style="max-width:100%";
        }
    }

    /// What the picture shows, for those who do not see it.
    fn spoken(&self) -> String {
        format!("Lanes of {}. {}", self.summary(), self.caption)
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
                    tbody {
                        @for step in &self.steps {
                            tr {
                                td { (words::span(step.at)) }
                                td { (self.lanes[step.lane].name) }
                                td { (step.text) }
                                td { (step.place.map(words::place).unwrap_or_default()) }
                            }
                        }
                    }
                }
                @if self.more_steps > 0 {
                    p { (words::count(self.more_steps, "more step")) " not shown." }
                }
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
