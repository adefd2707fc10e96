//! The ways in which a peer can be so wrong that it cannot be answered.

/// Why a multipart message was dropped.
///
/// Contents that do not fit their message type are no error here: the sender is known by then and
/// gets an answer, see [`Request::Malformed`](super::Request::Malformed).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// No frame says where the identities end.
    #[error("none of the {frames} frames is the delimiter <IDS|MSG>")]
    NoDelimiter {
        /// How many frames came.
        frames: usize,
    },
    /// Fewer than the five frames that follow the delimiter in every message.
    #[error("{frames} frames after the delimiter, at least 5 needed")]
    TooShort {
        /// How many came after the delimiter.
        frames: usize,
    },
    /// Signed with another key, or changed on the way.
    #[error("the signature does not fit the message: is the client using this kernel's key?")]
    BadSignature,
    /// The header is not a JSON object with `msg_id` and `msg_type`.
    #[error("the header is unreadable: {reason}")]
    BadHeader {
        /// What the JSON reader says.
        reason: String,
    },
    /// The parent header or the metadata is not JSON.
    #[error("the {part} is unreadable: {reason}")]
    BadPart {
        /// Name of the part.
        part: &'static str,
        /// What the JSON reader says.
        reason: String,
    },
}
