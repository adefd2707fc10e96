//! What the host said about the end of a cell, and what it said before its own.

use std::process::ExitStatus;

use interleave_protocol::{Interrupted, Location, Panic, QuestionMark, RunTimes};

use crate::evaluator::Stream;

/// What the host said about how the cell ended.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Panics on the cell's thread; the last one ended the cell if `panicked`.
    pub(super) panics: Vec<Panic>,
    pub(super) panicked: bool,
    /// The last panic elsewhere of work that was asked for. A cell that ends by no panic of its own
    /// was handed this one, as by rayon.
    pub(super) handed_on: Option<Panic>,
    /// What there is to say about the last panic of these.
    pub(super) remark: Option<String>,
    pub(super) question_mark: Option<QuestionMark>,
    /// Where the cell obeyed an interrupt.
    pub(super) stopped_at: Option<Location>,
    pub(super) interrupted: Option<Interrupted>,
    /// Why it could not go on, if that is known.
    pub(super) stuck: Option<String>,
    /// Names of variables.
    pub(super) lost: Vec<String>,
    /// How the host ended, if a copy of it from before the cell has taken its place.
    pub(super) succession: Option<ExitStatus>,
    /// How long it ran, if it came to its end.
    pub(super) times: Option<RunTimes>,
    /// Why the compiled cell could not be loaded.
    pub(super) cannot_load: Option<String>,
    /// What the host said at last on standard error, if it has been replaced since.
    pub(super) last_words: String,
}

/// Longer than any reason.
const KEPT: usize = 2048;

/// The newest text on standard error: Rust says there why it gives up.
#[derive(Debug, Default)]
pub(super) struct LastWords(String);

impl LastWords {
    /// Takes what was written.
    pub(super) fn hear(&mut self, stream: Stream, text: &str) {
        if stream == Stream::Stdout {
            return;
        }
        self.0.push_str(text);
        let start = self.0.ceil_char_boundary(self.0.len().saturating_sub(KEPT));
        self.0.drain(..start);
    }

    /// The text.
    pub(super) fn text(&self) -> String {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_standard_error_is_kept() {
        let mut words = LastWords::default();
        words.hear(Stream::Stdout, "not this");
        words.hear(Stream::Stderr, &"é".repeat(KEPT));
        words.hear(Stream::Stderr, "x");
        assert_eq!(words.text().len(), KEPT - 1);
        assert!(words.text().ends_with("éx"));
    }
}
