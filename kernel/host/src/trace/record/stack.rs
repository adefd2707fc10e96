//! Where a thread is, apart from an event.

use super::{INNERMOST, Record, TEXT, WORDS, addresses};
use crate::observe::Frame;

/// So many numbers make a [`Stack`].
pub(in super::super) const STACK_WORDS: usize = WORDS - TEXT;

/// What [`Record::with_stack`] keeps.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Stack([u64; STACK_WORDS]);

impl Stack {
    pub(in super::super) const EMPTY: Self = Self([0; STACK_WORDS]);

    pub(in super::super) fn words(&self) -> [u64; STACK_WORDS] {
        self.0
    }

    /// From so many words, or less.
    pub(in super::super) fn from_words(words: &[u64]) -> Self {
        let mut stack = Self::EMPTY;
        let places = stack.0.iter_mut().zip(words);
        places.for_each(|(place, word)| *place = *word);
        stack
    }

    pub(in super::super) fn innermost(&self) -> Vec<usize> {
        addresses(&self.0[..INNERMOST])
    }

    pub(in super::super) fn places(&self) -> Vec<usize> {
        addresses(&self.0[INNERMOST..])
    }

    pub(in super::super) fn of(frame: Frame) -> Self {
        let record = Record::NOTHING.with_stack(frame);
        let mut words = [0; STACK_WORDS];
        words.copy_from_slice(&record.0[TEXT..]);
        Self(words)
    }
}
