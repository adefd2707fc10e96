//! Messages as the protocol's text defines them, written without the kernel's code.

use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

const DELIMITER: &[u8] = b"<IDS|MSG>";

/// A message from the kernel, checked.
#[derive(Debug, Clone)]
pub struct Message {
    pub topic: Vec<Vec<u8>>,
    pub header: Value,
    pub parent: Value,
    pub content: Value,
}

/// A message to the kernel, and its id.
pub struct Request {
    pub id: String,
    pub frames: Vec<Vec<u8>>,
}

impl Message {
    /// Takes a message apart; panics with a reason if the protocol forbids any of it.
    #[track_caller]
    pub fn check(frames: &[Vec<u8>], key: &str) -> Self {
        let at = frames.iter().position(|frame| frame == DELIMITER);
        let at = at.expect("a message has a delimiter");
        let (topic, rest) = (frames[..at].to_vec(), &frames[at + 1..]);
        let [signature, signed @ ..] = rest else {
            panic!("a message has a signature");
        };
        assert_eq!(signed.len(), 4, "this kernel sends no buffers");
        assert_eq!(*signature, sign(key, signed).into_bytes(), "signature");
        let [header, parent, metadata, content]: [Value; 4] =
            std::array::from_fn(|part| serde_json::from_slice(&signed[part]).expect("JSON"));
        for field in ["msg_id", "session", "username", "date", "msg_type"] {
            assert!(header[field].is_string(), "{field} in {header}");
        }
        assert_eq!(header["version"], "5.5");
        let date = header["date"].as_str().unwrap_or_default();
        assert!(date.len() == 27 && date.ends_with('Z'), "date {date}");
        assert!(metadata.is_object() && content.is_object() && parent.is_object());
        Self {
            topic,
            header,
            parent,
            content,
        }
    }

    pub fn kind(&self) -> &str {
        self.header["msg_type"].as_str().unwrap_or_default()
    }

    pub fn parent_id(&self) -> &str {
        self.parent["msg_id"].as_str().unwrap_or_default()
    }

    /// The type, and the status or the text if there is one: what most tests look at.
    pub fn summary(&self) -> String {
        let detail = ["execution_state", "status", "text", "ename"];
        let detail = detail.iter().find_map(|key| self.content[key].as_str());
        match detail {
            Some(detail) => format!("{} {detail}", self.kind()),
            None => self.kind().to_owned(),
        }
    }
}

impl Request {
    pub fn new(key: &str, session: &str, msg_type: &str, content: &Value) -> Self {
        Self::answering(key, session, msg_type, content, &json!({}))
    }

    pub fn answering(
        key: &str,
        session: &str,
        msg_type: &str,
        content: &Value,
        parent: &Value,
    ) -> Self {
        let id = uuid::Uuid::new_v4().to_string();
        let header = json!({
            "msg_id": id,
            "session": session,
            "username": "student",
            // A form that the kernel does not write itself, and a field that it does not know.
            "date": "2026-01-02T03:04:05+01:00",
            "msg_type": msg_type,
            "version": "5.3",
            "subshell_id": null,
        });
        let header = header.to_string();
        let parts = [&header, &parent.to_string(), "{}", &content.to_string()];
        let frames = frames(key, &parts.map(|part| part.as_bytes().to_vec()));
        Self { id, frames }
    }
}

/// Frames with a good signature around four parts that may be anything.
pub fn frames(key: &str, parts: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let signature = sign(key, parts).into_bytes();
    let mut frames = vec![DELIMITER.to_vec(), signature];
    frames.extend_from_slice(parts);
    frames
}

pub fn sign(key: &str, parts: &[Vec<u8>]) -> String {
    let mut digest = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any key will do");
    parts.iter().for_each(|part| digest.update(part));
    let bytes = digest.finalize().into_bytes();
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
