//! Full paths in what rustc says.

use serde_json::Value;

/// Whether a student may see full paths in it, where rustc is wont to have short ones.
pub(super) fn are_shown(line: &str) -> bool {
    /// In a type without a path; the rest of a longer one is left out.
    const LONG: usize = 60;
    let Ok(diagnostic) = serde_json::from_str::<Value>(line) else {
        return true;
    };
    let shows = |text: &Value| {
        let text = text.as_str().unwrap_or_default();
        text.contains("::") || text.split('`').any(|part| part.len() > LONG)
    };
    let is_error = diagnostic["level"] == "error";
    let spans = |of: &Value| of["spans"].as_array().cloned().unwrap_or_default();
    let labels = spans(&diagnostic).iter().any(|span| {
        // The kernel has its own words for this.
        let is_reason = |text: &str| text.starts_with("move occurs because");
        shows(&span["label"]) && !span["label"].as_str().is_some_and(is_reason)
    });
    let children = diagnostic["children"].as_array().into_iter().flatten();
    let mut children = children.filter(|child| {
        // Of an error about a variable only what can be done is shown.
        !is_error
            || spans(child)
                .iter()
                .any(|span| span["suggested_replacement"].is_string())
    });
    shows(&diagnostic["message"])
        || labels
        || children.any(|child| {
            let mut spans = spans(child).into_iter();
            shows(&child["message"])
                || spans.any(|span| shows(&span["label"]) || shows(&span["suggested_replacement"]))
        })
}
