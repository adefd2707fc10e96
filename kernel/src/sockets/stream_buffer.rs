//! Merges neighbouring pieces of text into few messages. Pure.

use std::{mem::discriminant, sync::Arc};

use jupyter_protocol::{Stdio, StreamContent};

use crate::wire::Parent;

/// Bytes in a message, about: text is cut at the last character that fits.
const MESSAGE: usize = 64 * 1024;

/// A piece of text that is ready to be sent.
#[derive(Debug)]
pub(super) struct Piece {
    /// The cell that it belongs to.
    pub(super) parent: Arc<Parent>,
    /// The stream and the text.
    pub(super) content: StreamContent,
}

/// Text of one stream of one cell, not sent yet.
#[derive(Debug, Default)]
pub(super) struct StreamBuffer {
    pending: Option<Piece>,
}

impl StreamBuffer {
    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_none()
    }

    /// Takes what is left.
    pub(super) fn take(&mut self) -> Option<Piece> {
        self.pending.take()
    }

    /// Adds a piece. Gives those that have to be sent now: the text of another cell or of the other
    /// stream, and full messages.
    pub(super) fn push(&mut self, mut piece: Piece) -> Vec<Piece> {
        let mut ready = Vec::new();
        match &mut self.pending {
            Some(pending) if pending.continues_with(&piece) => {
                pending.content.text.push_str(&piece.content.text);
            }
            _ if piece.content.text.is_empty() => {}
            pending => {
                ready.extend(pending.take());
                piece.content.text.shrink_to_fit();
                *pending = Some(piece);
            }
        }
        while let Some(full) = self.pending.as_mut().and_then(Piece::split_full) {
            ready.push(full);
        }
        ready
    }
}

impl Piece {
    fn continues_with(&self, next: &Self) -> bool {
        let stream = |piece: &Self| discriminant::<Stdio>(&piece.content.name);
        Arc::ptr_eq(&self.parent, &next.parent) && stream(self) == stream(next)
    }

    /// Splits a full message off the front, leaving a text that is not empty.
    fn split_full(&mut self) -> Option<Self> {
        if self.content.text.len() <= MESSAGE {
            return None;
        }
        let rest = self
            .content
            .text
            .split_off(self.content.text.floor_char_boundary(MESSAGE));
        let text = std::mem::replace(&mut self.content.text, rest);
        Some(Self {
            parent: Arc::clone(&self.parent),
            content: StreamContent {
                name: self.content.name.clone(),
                text,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(parent: &Arc<Parent>, content: StreamContent) -> Piece {
        Piece {
            parent: Arc::clone(parent),
            content,
        }
    }

    fn texts(pieces: impl IntoIterator<Item = Piece>) -> Vec<String> {
        pieces.into_iter().map(|piece| piece.content.text).collect()
    }

    #[test]
    fn neighbours_merge_and_a_change_of_stream_or_cell_does_not() {
        let (one, two) = (Arc::default(), Arc::default());
        let mut buffer = StreamBuffer::default();
        assert!(
            buffer
                .push(piece(&one, StreamContent::stdout("a")))
                .is_empty()
        );
        assert!(
            buffer
                .push(piece(&one, StreamContent::stdout("b")))
                .is_empty()
        );
        let ready = buffer.push(piece(&one, StreamContent::stderr("c")));
        assert_eq!(texts(ready), ["ab"]);
        let ready = buffer.push(piece(&two, StreamContent::stderr("d")));
        assert_eq!(texts(ready), ["c"]);
        assert_eq!(texts(buffer.take()), ["d"]);
        assert!(buffer.is_empty());
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut buffer = StreamBuffer::default();
        let text = format!("x{}", "线".repeat(100_000));
        let mut pieces = texts(buffer.push(piece(&Arc::default(), StreamContent::stdout(&text))));
        assert_eq!(pieces.len(), 4);
        assert!(pieces.iter().all(|piece| piece.len() <= MESSAGE));
        pieces.extend(texts(buffer.take()));
        assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn empty_text_makes_no_message() {
        let mut buffer = StreamBuffer::default();
        let ready = buffer.push(piece(&Arc::default(), StreamContent::stdout("")));
        assert!(ready.is_empty() && buffer.is_empty());
    }
}
