//! The multipart level: a list of byte strings ⇄ the named parts of a message.
//!
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol>

use bytes::Bytes;

use super::WireError;

const DELIMITER: &[u8] = b"<IDS|MSG>";

/// The parts of one message, still as bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frames {
    /// Who sent it or who shall get it; on iopub, the topic.
    pub identities: Vec<Bytes>,
    /// Hexadecimal signature of the four JSON parts, or empty.
    pub signature: Bytes,
    /// Header, JSON.
    pub header: Bytes,
    /// Header of the request that caused this message, JSON.
    pub parent_header: Bytes,
    /// Metadata, JSON.
    pub metadata: Bytes,
    /// Content, JSON.
    pub content: Bytes,
    /// Binary attachments. Not signed.
    pub buffers: Vec<Bytes>,
}

impl Frames {
    /// Takes a multipart message apart.
    ///
    /// # Errors
    ///
    /// When the delimiter or one of the five frames after it is missing.
    pub fn parse(parts: &[Bytes]) -> Result<Self, WireError> {
        let Some(delimiter) = parts.iter().position(|part| part == DELIMITER) else {
            return Err(WireError::NoDelimiter {
                frames: parts.len(),
            });
        };
        let (identities, message) = parts.split_at(delimiter);
        let [
            _,
            signature,
            header,
            parent_header,
            metadata,
            content,
            buffers @ ..,
        ] = message
        else {
            return Err(WireError::TooShort {
                frames: message.len().saturating_sub(1),
            });
        };
        Ok(Self {
            identities: identities.to_vec(),
            signature: signature.clone(),
            header: header.clone(),
            parent_header: parent_header.clone(),
            metadata: metadata.clone(),
            content: content.clone(),
            buffers: buffers.to_vec(),
        })
    }

    /// Puts the message together again.
    pub fn into_parts(self) -> Vec<Bytes> {
        let mut parts = self.identities;
        parts.extend([
            Bytes::from_static(DELIMITER),
            self.signature,
            self.header,
            self.parent_header,
            self.metadata,
            self.content,
        ]);
        parts.extend(self.buffers);
        parts
    }

    /// The parts that the signature covers: exactly these four, without buffers.
    pub fn signed(&self) -> [&[u8]; 4] {
        [
            &self.header,
            &self.parent_header,
            &self.metadata,
            &self.content,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(texts: &[&'static str]) -> Vec<Bytes> {
        texts
            .iter()
            .map(|text| Bytes::from_static(text.as_bytes()))
            .collect()
    }

    #[test]
    fn every_split_of_a_message_comes_back() {
        for identities in 0..3 {
            for buffers in 0..3 {
                let mut texts = vec!["id"; identities];
                texts.extend(["<IDS|MSG>", "sig", "h", "p", "m", "c"]);
                texts.extend(vec!["buffer"; buffers]);
                let parts = parts(&texts);
                let frames = Frames::parse(&parts).unwrap();
                assert_eq!(frames.identities.len(), identities);
                assert_eq!(frames.buffers.len(), buffers);
                assert_eq!(frames.into_parts(), parts);
            }
        }
    }

    #[test]
    fn no_list_of_frames_panics() {
        // Every list of up to eight frames out of a delimiter, an empty and an ordinary one.
        let alphabet = parts(&["<IDS|MSG>", "", "x"]);
        for length in 0..=8_u32 {
            for mut number in 0..3_usize.pow(length) {
                let list = Vec::from_iter((0..length).map(|_| {
                    let frame = alphabet[number % 3].clone();
                    number /= 3;
                    frame
                }));
                let delimiter = list.iter().position(|part| part == DELIMITER);
                let after = delimiter.map(|at| list.len() - at - 1);
                match (Frames::parse(&list), after) {
                    (Ok(frames), Some(5..)) => assert_eq!(frames.into_parts(), list),
                    (Err(WireError::TooShort { frames }), Some(after)) => {
                        assert_eq!(frames, after);
                    }
                    (Err(WireError::NoDelimiter { .. }), None) => {}
                    (result, _) => panic!("{list:?} gave {result:?}"),
                }
            }
        }
    }
}
