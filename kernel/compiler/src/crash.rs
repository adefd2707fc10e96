//! A rustc that did not come to its end: it was killed, or has crashed.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus};

use serde_json::{Value, json};

/// What evcxr reads as an error of the compiler; `None` when rustc ended by itself. `words` is what
/// it said beside its diagnostics.
pub fn diagnostic(status: ExitStatus, words: &str) -> Option<Value> {
    status.signal()?;
    // std's `default_alloc_error_hook`.
    let reason = match words.contains("memory allocation of") {
        true => {
            "the compiler needs more memory for this cell than it may take: `:memory` shows the \
             limit and changes it"
                .to_owned()
        }
        false => format!("the compiler was ended by {status}"),
    };
    Some(json!({
        "$message_type": "diagnostic",
        "level": "error",
        "message": format!("{reason}. Nothing is lost."),
        "code": null,
        "spans": [],
        "children": [],
        "rendered": null,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_compiler_that_was_ended_is_told() {
        assert_eq!(diagnostic(ExitStatus::from_raw(1 << 8), ""), None);
        let message = |words| {
            let diagnostic = diagnostic(ExitStatus::from_raw(6), words).unwrap();
            diagnostic["message"].as_str().unwrap().to_owned()
        };
        assert!(message("").contains("signal: 6 (SIGABRT)"));
        assert!(message("memory allocation of 5 bytes failed").contains(":memory"));
    }
}
