//! Outgoing contents as JSON, where the crate `jupyter-protocol` needs a hand.

use std::collections::BTreeMap;

use jupyter_protocol::{JupyterMessageContent, Media, MediaType};
use serde_json::{Value, json};

/// The JSON of a content.
///
/// # Panics
///
/// When the content is no JSON object. Those that this crate builds are.
pub(super) fn to_json(content: &JupyterMessageContent) -> Value {
    let mut json = serde_json::to_value(content).expect("the contents built here are objects");
    match content {
        // Since protocol 5.5 a kernel lists what it supports. The crate has no field for it.
        JupyterMessageContent::KernelInfoReply(_) => json["supported_features"] = json!([]),
        // "For other statuses than incomplete, this field does not exist."
        JupyterMessageContent::IsCompleteReply(reply) if reply.indent.is_empty() => {
            json.as_object_mut().map(|reply| reply.remove("indent"));
        }
        _ => {}
    }
    json
}

/// Representations keyed by MIME type, as they are.
///
/// The crate's own variants would force a type on some of them: a `dataresource+json` that lacks a
/// schema fails to serialise. `Other` passes every value through.
pub fn mime_bundle(data: BTreeMap<String, Value>) -> Media {
    Media::new(data.into_iter().map(MediaType::Other).collect())
}

#[cfg(test)]
mod tests {
    use jupyter_protocol::{DisplayData, IsCompleteReply};

    use super::*;

    #[test]
    fn indent_is_only_told_for_incomplete_code() {
        assert_eq!(
            to_json(&IsCompleteReply::complete().into()),
            json!({"status": "complete"})
        );
        assert_eq!(
            to_json(&IsCompleteReply::incomplete("  ".into()).into()),
            json!({"status": "incomplete", "indent": "  "})
        );
    }

    #[test]
    fn every_mime_type_passes_unchanged() {
        let data = json!({
            "text/plain": "1",
            "image/png": "aGk=",
            "application/json": [1, null],
            "application/vnd.dataresource+json": {"no": "schema"},
            "application/vnd.plotly.v1+json": "odd",
        });
        let bundle = mime_bundle(serde_json::from_value(data.clone()).unwrap());
        let content = to_json(&DisplayData::new(bundle).into());
        assert_eq!(content, json!({"data": data, "metadata": {}}));
    }
}
