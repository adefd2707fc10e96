//! Cuts the bytes from the host into messages.

use interleave_protocol::{HostEvent, Stream};

/// A message, complete.
#[derive(Debug, PartialEq)]
pub(super) enum Chunk {
    /// Bytes that a cell wrote.
    Output(Stream, Vec<u8>),
    /// Anything else.
    Event(HostEvent),
}

/// Collects bytes until a message is complete.
#[derive(Debug, Default)]
pub(super) struct Reader {
    bytes: Vec<u8>,
    /// Start of what was not taken yet.
    start: usize,
    /// An announced output whose bytes have not all arrived.
    announced: Option<(Stream, usize)>,
}

impl Reader {
    /// Takes bytes as they arrive.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next complete message.
    pub(super) fn next(&mut self) -> Option<Chunk> {
        loop {
            let rest = self.bytes.get(self.start..).unwrap_or_default();
            if let Some((stream, length)) = self.announced {
                let output = rest.get(..length)?.to_vec();
                self.start += length;
                self.announced = None;
                return Some(Chunk::Output(stream, output));
            }
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let event = interleave_protocol::from_line(rest.get(..end).unwrap_or_default());
            self.start += end + 1;
            match event {
                Ok(HostEvent::Output { stream, length }) => self.announced = Some((stream, length)),
                Ok(event) => return Some(Chunk::Event(event)),
                Err(error) => tracing::warn!(%error, "the host sent a line that is no message"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> Vec<u8> {
        let length = text.len();
        let mut bytes = interleave_protocol::to_line(&HostEvent::Output {
            stream: Stream::Stdout,
            length,
        });
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    #[test]
    fn messages_are_found_however_the_bytes_arrive() {
        let mut bytes = output("one\ntwo {\"event\":");
        bytes.extend(interleave_protocol::to_line(&HostEvent::CellPanicked));
        bytes.extend(b"not a message\n");
        bytes.extend(output(""));
        let expected = [
            Chunk::Output(Stream::Stdout, b"one\ntwo {\"event\":".to_vec()),
            Chunk::Event(HostEvent::CellPanicked),
            Chunk::Output(Stream::Stdout, Vec::new()),
        ];
        for size in [1, 7, bytes.len()] {
            let mut reader = Reader::default();
            let mut found = Vec::new();
            for part in bytes.chunks(size) {
                reader.add(part);
                found.extend(std::iter::from_fn(|| reader.next()));
            }
            assert_eq!(found, expected, "in parts of {size}");
        }
    }
}
