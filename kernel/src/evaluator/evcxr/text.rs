//! Text out of bytes that may end in the middle of a character.

/// Keeps the first bytes of a character until the rest arrives.
#[derive(Debug, Default)]
pub(super) struct Utf8Stream {
    partial: Vec<u8>,
}

impl Utf8Stream {
    /// The text so far complete. Bytes that are no UTF-8 become `U+FFFD`.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> String {
        self.partial.extend_from_slice(bytes);
        let complete = self.partial.len() - incomplete_tail(&self.partial);
        let rest = self.partial.split_off(complete);
        let text = String::from_utf8_lossy(&self.partial).into_owned();
        self.partial = rest;
        text
    }

    /// What is left at the end: the beginning of a character that never came.
    pub(super) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned()
    }
}

/// Number of bytes at the end that begin a character and do not finish it.
fn incomplete_tail(bytes: &[u8]) -> usize {
    match bytes.utf8_chunks().last() {
        Some(chunk) if chunk.invalid().len() < 4 => {
            let tail = chunk.invalid();
            // `utf8_chunks` calls a cut character invalid, too: it is one if more could mend it.
            let could_be_mended = match std::str::from_utf8(tail) {
                Ok(_) => false,
                Err(error) => error.error_len().is_none(),
            };
            if could_be_mended { tail.len() } else { 0 }
        }
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_stay_whole() {
        let text = "é并🦀";
        let mut stream = Utf8Stream::default();
        let parts: String = text.bytes().map(|byte| stream.decode(&[byte])).collect();
        assert_eq!(parts, text);
    }

    #[test]
    fn what_is_no_text_is_shown_as_such() {
        let mut stream = Utf8Stream::default();
        assert_eq!(stream.decode(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(stream.decode(b"\xff"), "\u{fffd}");
        assert_eq!(stream.decode(b"a\xe2\x82"), "a");
        assert_eq!(stream.finish(), "\u{fffd}");
        assert_eq!(stream.finish(), "");
    }
}
