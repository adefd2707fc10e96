//! The typed level: frames ⇄ requests, replies and publications.

use std::time::SystemTime;

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use jupyter_protocol::JupyterMessageContent;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{Frames, Request, Signer, WireError, content};

/// The version of the protocol that this kernel speaks.
pub const PROTOCOL_VERSION: &str = "5.5";

/// The two sockets on which requests come. A reply leaves by the one its request came on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Work, in order.
    Shell,
    /// What must not wait behind work: interrupt, shutdown.
    Control,
}

/// A message that a client sent.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// What an answer has to refer to.
    pub parent: Parent,
    /// Id of the message that this one answers, if it answers one.
    pub in_reply_to: Option<String>,
    /// What it asks.
    pub request: Request,
}

/// The request that an outgoing message belongs to: who gets the replies, and what the front end
/// uses to find the cell for an output.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parent {
    /// Address of the client on the socket where the request came.
    pub identities: Vec<Bytes>,
    /// Header of the request, byte by byte as it came. Parsing and writing it again would lose
    /// fields that we do not know and change the form of its date.
    pub header: Bytes,
}

/// The fields of an incoming header that we need. Others may be missing.
#[derive(Debug, Deserialize)]
struct IncomingHeader {
    /// Only its presence counts: clients match replies by it.
    #[serde(rename = "msg_id")]
    _msg_id: String,
    msg_type: String,
}

/// A parent header has the same shape, and is `{}` when there is no parent.
#[derive(Debug, Default, Deserialize)]
struct IncomingParent {
    #[serde(default)]
    msg_id: Option<String>,
}

/// Our own: the crate `jupyter-protocol` writes dates with nine digits of a second, which
/// `jupyter_client` does not recognise as a date (it takes at most six).
#[derive(Debug, Serialize)]
struct OutgoingHeader<'a> {
    msg_id: &'a str,
    session: &'a str,
    username: &'a str,
    date: String,
    msg_type: &'a str,
    version: &'a str,
}

/// Reads and writes messages for one kernel.
#[derive(Debug, Clone)]
pub struct Codec {
    signer: Signer,
    /// The kernel's session id, the same in all of its headers.
    session: String,
}

impl Codec {
    /// A codec that signs and verifies with `key`.
    pub fn new(key: &str) -> Self {
        Self {
            signer: Signer::new(key),
            session: Uuid::new_v4().to_string(),
        }
    }

    /// Reads a multipart message.
    ///
    /// # Errors
    ///
    /// When the sender cannot be trusted or understood well enough to be answered.
    pub fn decode(&self, parts: &[Bytes]) -> Result<Incoming, WireError> {
        let frames = Frames::parse(parts)?;
        self.signer.verify(&frames)?;
        let header: IncomingHeader = object(&frames.header).map_err(|reason| {
            let reason = reason.to_string();
            WireError::BadHeader { reason }
        })?;
        let parent: IncomingParent =
            object(&frames.parent_header).map_err(|reason| WireError::BadPart {
                part: "parent header",
                reason: reason.to_string(),
            })?;
        let IgnoredAny = read("metadata", &frames.metadata)?;
        Ok(Incoming {
            request: Request::parse(&header.msg_type, &frames.content),
            in_reply_to: parent.msg_id,
            parent: Parent {
                identities: frames.identities,
                header: frames.header,
            },
        })
    }

    /// A message to the client that sent `parent`. Gives the id of the message, too.
    pub fn reply(&self, parent: &Parent, content: &JupyterMessageContent) -> (String, Vec<Bytes>) {
        self.encode(parent.identities.clone(), Some(parent), content)
    }

    /// A message to everyone who subscribed to its type.
    pub fn publish(&self, parent: Option<&Parent>, content: &JupyterMessageContent) -> Vec<Bytes> {
        let topic = Bytes::copy_from_slice(content.message_type().as_bytes());
        self.encode(vec![topic], parent, content).1
    }

    /// A message to everyone whose subscription begins `topic`.
    pub fn publish_to(&self, topic: Bytes, content: &JupyterMessageContent) -> Vec<Bytes> {
        self.encode(vec![topic], None, content).1
    }

    fn encode(
        &self,
        identities: Vec<Bytes>,
        parent: Option<&Parent>,
        content: &JupyterMessageContent,
    ) -> (String, Vec<Bytes>) {
        let msg_id = Uuid::new_v4().to_string();
        let header = OutgoingHeader {
            msg_id: &msg_id,
            session: &self.session,
            username: "kernel",
            date: DateTime::<Utc>::from(SystemTime::now())
                .to_rfc3339_opts(SecondsFormat::Micros, true),
            msg_type: content.message_type(),
            version: PROTOCOL_VERSION,
        };
        let mut frames = Frames {
            identities,
            header: to_bytes(&header),
            parent_header: parent.map_or(Bytes::from_static(b"{}"), |parent| parent.header.clone()),
            metadata: Bytes::from_static(b"{}"),
            content: to_bytes(&content::to_json(content)),
            ..Frames::default()
        };
        frames.signature = self.signer.sign(&frames).into();
        (msg_id, frames.into_parts())
    }
}

/// Reads all of a part, also what `T` has no use for: a header goes back to every client, and one
/// byte that is no JSON would make the kernel's own messages unreadable. The derived code of `T`
/// overlooks such bytes in a field that it skips, and takes a list for an object.
fn object<T: DeserializeOwned>(json: &[u8]) -> serde_json::Result<T> {
    let object: Map<String, Value> = serde_json::from_slice(json)?;
    T::deserialize(Value::Object(object))
}

fn read<'a, T: Deserialize<'a>>(part: &'static str, json: &'a [u8]) -> Result<T, WireError> {
    serde_json::from_slice(json).map_err(|error| WireError::BadPart {
        part,
        reason: error.to_string(),
    })
}

fn to_bytes<T: Serialize>(value: &T) -> Bytes {
    serde_json::to_vec(value)
        .expect("text and JSON values are representable as JSON")
        .into()
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::Status;

    use super::*;

    const HEADER: &str = r#"{"msg_id":"m","msg_type":"kernel_info_request","subshell_id":null}"#;

    fn signed(codec: &Codec, header: &str, parent: &str, metadata: &str) -> Vec<Bytes> {
        let mut frames = Frames {
            identities: vec![Bytes::from_static(b"client")],
            header: Bytes::copy_from_slice(header.as_bytes()),
            parent_header: Bytes::copy_from_slice(parent.as_bytes()),
            metadata: Bytes::copy_from_slice(metadata.as_bytes()),
            content: Bytes::from_static(b"{}"),
            ..Frames::default()
        };
        frames.signature = codec.signer.sign(&frames).into();
        frames.into_parts()
    }

    #[test]
    fn a_reply_carries_the_header_of_its_request_unchanged() {
        let codec = Codec::new("key");
        let incoming = codec.decode(&signed(&codec, HEADER, "{}", "{}")).unwrap();
        assert!(matches!(incoming.request, Request::KernelInfo));
        let (id, parts) = codec.reply(&incoming.parent, &Status::busy().into());
        let frames = Frames::parse(&parts).unwrap();
        assert_eq!(frames.identities, [Bytes::from_static(b"client")]);
        assert_eq!(frames.parent_header, HEADER);
        let header: Value = serde_json::from_slice(&frames.header).unwrap();
        assert_eq!(header["msg_id"], *id);
        assert_eq!(header["version"], "5.5");
        // jupyter_client's pattern for a date allows six digits of a second.
        let date = header["date"].as_str().unwrap();
        assert_eq!(date.len(), "2026-01-02T03:04:05.123456Z".len(), "{date}");
    }

    #[test]
    fn each_unreadable_part_has_its_own_error() {
        let codec = Codec::new("key");
        let error = |header, parent, metadata| {
            codec
                .decode(&signed(&codec, header, parent, metadata))
                .unwrap_err()
        };
        let list = r#"["m","kernel_info_request"]"#;
        for header in ["", "[]", list, "{}", r#"{"msg_id":1,"msg_type":"x"}"#] {
            assert!(matches!(
                error(header, "{}", "{}"),
                WireError::BadHeader { .. }
            ));
        }
        assert!(matches!(
            error(HEADER, "{", "{}"),
            WireError::BadPart {
                part: "parent header",
                ..
            }
        ));
        assert!(matches!(
            error(HEADER, "{}", "nonsense"),
            WireError::BadPart {
                part: "metadata",
                ..
            }
        ));
    }

    #[test]
    fn a_message_signed_with_another_key_is_refused() {
        let parts = signed(&Codec::new("another"), HEADER, "{}", "{}");
        let error = Codec::new("key").decode(&parts).unwrap_err();
        assert_eq!(error, WireError::BadSignature);
    }
}
