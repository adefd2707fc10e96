//! HMAC-SHA256 over the four JSON parts of a message.

use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::{Frames, WireError};

/// Signs and verifies with the key of a connection file.
#[derive(Clone)]
pub struct Signer {
    /// A keyed, empty digest to start each computation from; `None` when messages are unsigned.
    keyed: Option<Hmac<Sha256>>,
}

impl Signer {
    /// A signer for `key`. With an empty key nothing is signed and everything is accepted, as the
    /// protocol wants it.
    pub fn new(key: &str) -> Self {
        // HMAC takes keys of every length, so the error case does not exist for it.
        let keyed = (!key.is_empty())
            .then(|| Hmac::new_from_slice(key.as_bytes()).ok())
            .flatten();
        Self { keyed }
    }

    /// The signature, in lower-case hexadecimal.
    pub fn sign(&self, frames: &Frames) -> String {
        let Some(digest) = self.digest(frames) else {
            return String::new();
        };
        let mut text = String::with_capacity(64);
        for byte in digest.finalize().into_bytes() {
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    /// Compares in constant time, so that a peer cannot find a signature by measuring.
    ///
    /// # Errors
    ///
    /// [`WireError::BadSignature`].
    pub fn verify(&self, frames: &Frames) -> Result<(), WireError> {
        let Some(digest) = self.digest(frames) else {
            return Ok(());
        };
        let claimed = from_hex(&frames.signature).ok_or(WireError::BadSignature)?;
        digest
            .verify_slice(&claimed)
            .map_err(|_| WireError::BadSignature)
    }

    fn digest(&self, frames: &Frames) -> Option<Hmac<Sha256>> {
        let mut digest = self.keyed.clone()?;
        for part in frames.signed() {
            digest.update(part);
        }
        Some(digest)
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The key stays out of logs.
        f.debug_struct("Signer")
            .field("signs", &self.keyed.is_some())
            .finish()
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs
        .iter()
        .map(|[high, low]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// RFC 4231, test case 2: HMAC-SHA256 of "what do ya want for nothing?" with the key "Jefe".
    const VECTOR: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

    fn message(signature: &str) -> Frames {
        Frames {
            signature: Bytes::copy_from_slice(signature.as_bytes()),
            header: Bytes::from_static(b"what do "),
            parent_header: Bytes::from_static(b"ya want "),
            metadata: Bytes::from_static(b"for "),
            content: Bytes::from_static(b"nothing?"),
            ..Frames::default()
        }
    }

    #[test]
    fn the_published_vector_is_met() {
        let signer = Signer::new("Jefe");
        assert_eq!(signer.sign(&message("")), VECTOR);
        assert_eq!(signer.verify(&message(VECTOR)), Ok(()));
    }

    #[test]
    fn buffers_and_identities_are_not_signed() {
        let mut frames = message(VECTOR);
        frames.buffers.push(Bytes::from_static(b"attachment"));
        frames.identities.push(Bytes::from_static(b"client"));
        assert_eq!(Signer::new("Jefe").verify(&frames), Ok(()));
    }

    #[test]
    fn every_other_signature_is_refused() {
        let other = VECTOR.replace('5', "6");
        for signature in ["", "zz", "5bd", &VECTOR[..62], &other, "\u{e9}\u{e9}"] {
            let verdict = Signer::new("Jefe").verify(&message(signature));
            assert_eq!(verdict, Err(WireError::BadSignature), "{signature:?}");
        }
    }

    #[test]
    fn an_empty_key_signs_nothing_and_accepts_everything() {
        let signer = Signer::new("");
        assert_eq!(signer.sign(&message("")), "");
        assert_eq!(signer.verify(&message("anything")), Ok(()));
    }
}
