//! What a client can ask, as one closed enum.

use jupyter_protocol::{
    CommClose, CommMsg, CommOpen, CompleteRequest, ExecuteRequest, InputReply, InspectRequest,
    IsCompleteRequest, JupyterMessageContent,
};
use serde_json::{Map, Value, json};

use super::HistoryRequest;

/// A request, from either of the sockets shell and control, or an answer on stdin.
#[derive(Debug, Clone)]
pub enum Request {
    /// Who is this kernel?
    KernelInfo,
    /// Run a cell.
    Execute(ExecuteRequest),
    /// What may stand at a place?
    Complete(CompleteRequest),
    /// What stands at a place?
    Inspect(InspectRequest),
    /// Is this code ready to run?
    IsComplete(IsCompleteRequest),
    /// What ran before?
    History(HistoryRequest),
    /// Which comms are open?
    CommInfo,
    /// Open a comm.
    CommOpen(CommOpen),
    /// A message on a comm.
    CommMsg(CommMsg),
    /// A comm was closed.
    CommClose(CommClose),
    /// Stop the running cell.
    Interrupt,
    /// End the kernel.
    Shutdown {
        /// Whether another one will be started in its place.
        restart: bool,
    },
    /// A message of the Debug Adapter Protocol.
    Debug(Value),
    /// What was typed, on the stdin socket.
    InputReply(InputReply),
    /// A known type with a content that does not fit it.
    Malformed {
        /// The type.
        msg_type: String,
        /// What is wrong with the content.
        reason: String,
    },
    /// A type that is none of the above.
    Unknown {
        /// The type.
        msg_type: String,
    },
}

impl Request {
    /// Reads a content. Total: what cannot be read is a variant.
    pub fn parse(msg_type: &str, content: &[u8]) -> Self {
        let result = match msg_type {
            "history_request" => serde_json::from_slice(content).map(Self::History),
            _ => parse_content(msg_type, content).map(Self::from_content),
        };
        result.unwrap_or_else(|error| Self::Malformed {
            msg_type: msg_type.into(),
            reason: error.to_string(),
        })
    }

    fn from_content(content: JupyterMessageContent) -> Self {
        use JupyterMessageContent as Content;
        match content {
            Content::KernelInfoRequest(_) => Self::KernelInfo,
            Content::ExecuteRequest(request) => Self::Execute(request),
            Content::CompleteRequest(request) => Self::Complete(request),
            Content::InspectRequest(request) => Self::Inspect(request),
            Content::IsCompleteRequest(request) => Self::IsComplete(request),
            Content::CommInfoRequest(_) => Self::CommInfo,
            Content::CommOpen(content) => Self::CommOpen(content),
            Content::CommMsg(content) => Self::CommMsg(content),
            Content::CommClose(content) => Self::CommClose(content),
            Content::InterruptRequest(_) => Self::Interrupt,
            Content::ShutdownRequest(request) => Self::Shutdown {
                restart: request.restart,
            },
            Content::DebugRequest(request) => Self::Debug(request.content),
            Content::InputReply(reply) => Self::InputReply(reply),
            other => Self::Unknown {
                msg_type: other.message_type().into(),
            },
        }
    }
}

fn parse_content(msg_type: &str, content: &[u8]) -> serde_json::Result<JupyterMessageContent> {
    let mut content: Map<String, Value> = serde_json::from_slice(content)?;
    for (key, default) in defaults(msg_type) {
        content.entry(key).or_insert(default);
    }
    JupyterMessageContent::from_type_and_content(msg_type, content.into())
}

/// The protocol names a default for these fields; the crate `jupyter-protocol` insists on them.
fn defaults(msg_type: &str) -> Vec<(&'static str, Value)> {
    match msg_type {
        "execute_request" => vec![("silent", json!(false)), ("store_history", json!(true))],
        "shutdown_request" => vec![("restart", json!(false))],
        "comm_open" | "comm_msg" | "comm_close" => vec![("data", json!({}))],
        _ => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn omitted_fields_get_the_defaults_of_the_protocol() {
        let Request::Execute(request) = Request::parse("execute_request", br#"{"code": "1"}"#)
        else {
            panic!("not an execute request");
        };
        assert!(!request.silent && request.store_history && request.stop_on_error);
        assert!(!request.allow_stdin);
        assert!(matches!(
            Request::parse("shutdown_request", b"{}"),
            Request::Shutdown { restart: false }
        ));
    }

    #[test]
    fn a_content_that_does_not_fit_is_a_value() {
        let deep = "[".repeat(100_000);
        for content in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            r#"{"code": 1}"#,
            "\u{0}",
            &deep,
        ] {
            let request = Request::parse("execute_request", content.as_bytes());
            let Request::Malformed { msg_type, .. } = request else {
                panic!("{content:.20} was read as {request:?}");
            };
            assert_eq!(msg_type, "execute_request");
        }
    }

    #[test]
    fn what_only_a_kernel_says_is_unknown_when_a_client_says_it() {
        for msg_type in ["status", "dance_request", ""] {
            let content = br#"{"execution_state": "busy"}"#;
            assert!(matches!(
                Request::parse(msg_type, content),
                Request::Unknown { .. }
            ));
        }
    }
}
