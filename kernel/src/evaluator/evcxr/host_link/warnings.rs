//! Shows what rustc warned of, before anything that the cell itself shows.

use interleave_protocol::Display;

use super::{super::warnings, NEWEST, State};
use crate::evaluator::Output;

impl State {
    /// Once for each cell.
    pub(super) fn show_warnings(&mut self) {
        let cell = self.places.current().and_then(|at| self.places.cell(at));
        let warnings = self.warnings.take().zip(cell);
        if let Some(text) = warnings.and_then(|(directory, cell)| warnings::of(&directory, cell)) {
            let data = [("text/plain".to_owned(), text.into())].into();
            let display = Display {
                data,
                ..Display::default()
            };
            self.outputs.send(NEWEST, Output::Display(display));
        }
    }
}
