//! Lanes as a drawing.
//!
//! It is shown in an `<img>`, because that stays in notebooks that are reopened untrusted, and on
//! GitHub. There a drawing cannot know the theme of the page: `prefers-color-scheme` tells that of
//! the system, and a dark JupyterLab on a light system is common. So it stands on a light card of its
//! own, on which every colour keeps its contrast. All is said with presentation attributes, which no
//! sanitiser takes away, and with textures, so that colour says nothing that they do not.

mod bars;
mod frame;
mod marks;
mod paths;
mod rows;

use maud::{Markup, html};

use crate::Picture;
pub(crate) use paths::{CARD, FAINT_INK, GRID, INK, fill};
pub(crate) use rows::{AXIS, BAR, Rows, WIDTH};

/// How much is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Detail {
    /// Spans narrower than so many units are drawn as one.
    pub(crate) narrow: f64,
    pub(crate) arrows: usize,
    /// Labels in lanes, and texts that were printed; each.
    pub(crate) texts: usize,
}

impl Detail {
    /// From fine to coarse.
    pub(crate) const ALL: [Self; 5] = [
        Self::new(1.0, 400, 1000),
        Self::new(2.0, 100, 20),
        Self::new(4.0, 20, 5),
        Self::new(12.0, 0, 1),
        Self::new(40.0, 0, 0),
    ];

    const fn new(narrow: f64, arrows: usize, texts: usize) -> Self {
        Self {
            narrow,
            arrows,
            texts,
        }
    }
}

impl Picture {
    /// The lanes as an SVG document.
    #[must_use]
    pub fn to_svg(&self) -> String {
        self.svg(Detail::ALL[0])
    }

    pub(crate) fn svg(&self, detail: Detail) -> String {
        let rows = Rows::of(self);
        let (width, height) = (WIDTH, rows.height);
        let arrows = marks::arrows(self, &rows, detail);
        let drawing: Markup = html! {
            svg xmlns="http://www.w3.org/2000/svg" width=(width) height=(height)
                viewBox={ "0 0 " (width) " " (height) }
                font-family="system-ui, 'Segoe UI', 'Noto Sans', sans-serif" font-size="12" fill=(INK) {
                title { (self.summary()) }
                (paths::definitions())
                (frame::card(&rows))
                @for (lane, row) in self.lanes.iter().zip(&rows.lanes) {
                    (frame::name(self, lane, row, &rows))
                }
                // What depends on time: the script draws it anew for a part of the time.
                g id="p" {
                    (frame::grid(self, &rows))
                    // Behind the bars, so that they cross out nothing.
                    (arrows.drawn)
                    (bars::bars(self, &rows, detail))
                    @for (index, (lane, row)) in self.lanes.iter().zip(&rows.lanes).enumerate() {
                        (bars::labels(lane, row, &rows, detail))
                        (marks::above(self, index, &rows, detail))
                    }
                }
                (frame::below(self, &rows, arrows.more))
            }
        };
        drawing.into_string()
    }
}
