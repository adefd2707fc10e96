//! Replies that need no evaluator.

use jupyter_protocol::{
    CodeMirrorMode, CommClose, CommId, DebugReply, HelpLink, JupyterMessageContent,
    KernelInfoReply, LanguageInfo, ReplyStatus, UnknownMessage,
};
use serde_json::{Map, Value, json};

use crate::{evaluator::Failure, history, wire::PROTOCOL_VERSION};

/// What the kernel says about itself.
#[derive(Debug, Clone, Default)]
pub struct KernelInfo {
    /// Version of this kernel.
    pub version: String,
    /// Version of Rust, as `rustc --version` gives it: `1.95.0`.
    pub language_version: String,
    /// Shown when a console starts.
    pub banner: String,
    /// Entries of the help menu: text and address.
    pub help_links: Vec<(String, String)>,
}

/// Answers `kernel_info_request`.
pub(super) fn kernel_info(info: &KernelInfo) -> JupyterMessageContent {
    let help_links = info.help_links.iter().cloned();
    KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: PROTOCOL_VERSION.into(),
        implementation: "interleave".into(),
        implementation_version: info.version.clone(),
        language_info: LanguageInfo {
            name: "rust".into(),
            version: info.language_version.clone(),
            mimetype: Some("text/rust".into()),
            file_extension: Some(".rs".into()),
            pygments_lexer: Some("rust".into()),
            codemirror_mode: Some(CodeMirrorMode::Simple("rust".into())),
            nbconvert_exporter: None,
        },
        banner: info.banner.clone(),
        help_links: help_links
            .map(|(text, url)| HelpLink { text, url })
            .collect(),
        debugger: false,
        error: None,
    }
    .into()
}

/// Answers `history_request`.
///
/// As a free-form message: the crate's type has no way to say that a cell had no result.
pub(super) fn history(entries: Vec<history::Entry>, output: bool) -> JupyterMessageContent {
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|entry| match output {
            true => json!([entry.session, entry.line, [entry.source, entry.output]]),
            false => json!([entry.session, entry.line, entry.source]),
        })
        .collect();
    free_form("history_reply", json!({"status": "ok", "history": entries}))
}

/// Answers `comm_open`: there is nothing here to talk to.
pub(super) fn comm_close(comm_id: CommId) -> JupyterMessageContent {
    let data = Map::new();
    CommClose { comm_id, data }.into()
}

/// Answers `debug_request` with a failed response of the Debug Adapter Protocol.
pub(super) fn debug(request: &Value) -> JupyterMessageContent {
    let content = json!({
        "type": "response",
        "seq": 0,
        "request_seq": request.get("seq").cloned().unwrap_or_else(|| 0.into()),
        "command": request.get("command").cloned().unwrap_or_else(|| "".into()),
        "success": false,
        "message": "this kernel has no debugger",
    });
    DebugReply { content }.into()
}

/// Answers a request with an error, if requests of this type have replies.
pub(super) fn error(request_type: &str, failure: &Failure) -> Option<JupyterMessageContent> {
    let kind = request_type.strip_suffix("_request")?;
    let content = json!({
        "status": "error",
        "ename": failure.name,
        "evalue": failure.value,
        "traceback": failure.traceback,
    });
    Some(free_form(&format!("{kind}_reply"), content))
}

fn free_form(msg_type: &str, content: Value) -> JupyterMessageContent {
    let msg_type = msg_type.into();
    UnknownMessage { msg_type, content }.into()
}
