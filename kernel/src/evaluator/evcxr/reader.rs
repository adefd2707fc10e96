//! Cuts the bytes from the host into messages.

use interleave_protocol::{HostEvent, Stream};

/// A message, complete, and the cell that caused it as the host counts them.
#[derive(Debug, PartialEq)]
pub(super) struct Message {
    pub(super) cell: u64,
    pub(super) chunk: Chunk,
}

/// What a message brings.
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
    announced: Option<(u64, Stream, usize)>,
}

impl Reader {
    /// Takes bytes as they arrive.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next complete message.
    pub(super) fn next(&mut self) -> Option<Message> {
        loop {
            let rest = self.bytes.get(self.start..).unwrap_or_default();
            if let Some((cell, stream, length)) = self.announced {
                let chunk = Chunk::Output(stream, rest.get(..length)?.to_vec());
                self.start += length;
                self.announced = None;
                return Some(Message { cell, chunk });
            }
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let event = parse(rest.get(..end).unwrap_or_default());
            self.start += end + 1;
            match event {
                Some((cell, HostEvent::Output { stream, length })) => {
                    self.announced = Some((cell, stream, length));
                }
                Some((cell, event)) => {
                    let chunk = Chunk::Event(event);
                    return Some(Message { cell, chunk });
                }
                None => tracing::warn!("the host sent a line that is no message"),
            }
        }
    }
}

fn parse(line: &[u8]) -> Option<(u64, HostEvent)> {
    let (cell, json) = interleave_protocol::split_cell(line)?;
    Some((cell, interleave_protocol::from_line(json).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: Stream = Stream::Stdout;

    fn event(cell: u64, event: &HostEvent) -> Vec<u8> {
        interleave_protocol::from_cell(cell, &interleave_protocol::to_line(event))
    }

    fn output(cell: u64, text: &str) -> Vec<u8> {
        let length = text.len();
        let mut bytes = event(
            cell,
            &HostEvent::Output {
                stream: STREAM,
                length,
            },
        );
        bytes.extend_from_slice(text.as_bytes());
        bytes
    }

    #[test]
    fn messages_are_found_however_the_bytes_arrive() {
        let mut bytes = output(1, "one\n2 {\"event\":");
        bytes.extend(event(2, &HostEvent::CellPanicked));
        bytes.extend(b"not a message\n");
        bytes.extend(output(0, ""));
        let message = |cell, chunk| Message { cell, chunk };
        let expected = [
            message(1, Chunk::Output(STREAM, b"one\n2 {\"event\":".to_vec())),
            message(2, Chunk::Event(HostEvent::CellPanicked)),
            message(0, Chunk::Output(STREAM, Vec::new())),
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
