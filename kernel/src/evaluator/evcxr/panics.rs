//! What can be said of a panic beside its own message.

/// So many earlier panics are named.
const NAMED: usize = 3;

/// Replaces the message of a panic that comes of a thread that was not permitted.
pub(super) fn too_many_threads(message: &str, limit: usize) -> Option<String> {
    // libstd and rayon put the system's words for EAGAIN into theirs.
    message
        .contains("Resource temporarily unavailable")
        .then(|| {
            let more = limit.saturating_mul(2);
            format!(
                "too many threads: {limit} live at once, and Interleave allows no more. \
             `:threads limit {more}` would allow {more}"
            )
        })
}

/// Explains a panic that comes of an earlier one. `earlier` are the panics so far, oldest first.
///
/// libstd tells nobody which thread has poisoned a mutex: a guard only sets a flag, in code that is
/// compiled into the cell. `culprit` says it where cells have taken the lock; else the earlier panics
/// are named, and none of them is blamed.
pub(super) fn remark(message: &str, culprit: Option<&str>, earlier: &[String]) -> Option<String> {
    let explanation = if message.contains("PoisonError") {
        if let Some(culprit) = culprit {
            return Some(culprit.to_owned());
        }
        "a lock is poisoned when a thread panics, or is stopped, while it holds the lock"
    } else if message.ends_with("value: Any { .. }") {
        "`join` returns an `Err` when the thread has panicked, or was stopped"
    } else {
        return None;
    };
    let newest = earlier.len().saturating_sub(NAMED);
    let named = earlier.get(newest..).unwrap_or_default();
    Some(match named {
        [] => explanation.to_owned(),
        [one] => format!("{explanation}. The panic before this one: {one}"),
        many => format!(
            "{explanation}. The panics before this one: {}",
            many.join("; ")
        ),
    })
}

/// The first line of a message, if it is not too long.
pub(super) fn beginning(message: &str) -> String {
    const LENGTH: usize = 60;
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{} …", line[..end].trim_end()),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POISONED: &str = r#"called `Result::unwrap()` on an `Err` value: PoisonError { .. }"#;
    const JOINED: &str = r#"called `Result::unwrap()` on an `Err` value: Any { .. }"#;

    #[test]
    fn a_poisoned_lock_is_explained_by_the_panics_before() {
        assert_eq!(remark("index out of bounds", None, &["x".into()]), None);
        let words = remark(POISONED, None, &[]).unwrap();
        assert!(words.ends_with("holds the lock"), "{words}");
        let words = remark(POISONED, None, &["thread 'a' at In[2]:5:9 (boom)".into()]).unwrap();
        assert!(
            words.ends_with("The panic before this one: thread 'a' at In[2]:5:9 (boom)"),
            "{words}"
        );
        assert_eq!(
            remark(POISONED, Some("left did"), &[]).as_deref(),
            Some("left did")
        );
        let many: Vec<String> = (1..6).map(|number| format!("{number}")).collect();
        let words = remark(JOINED, Some("left"), &many).unwrap();
        assert!(words.starts_with("`join` returns"), "{words}");
        assert!(
            words.ends_with("The panics before this one: 3; 4; 5"),
            "{words}"
        );
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        assert_eq!(beginning("short\nand more"), "short");
        assert_eq!(
            beginning(&"线".repeat(61)),
            format!("{} …", "线".repeat(60))
        );
    }

    #[test]
    fn a_thread_that_was_not_permitted_is_told_from_other_failures() {
        let message = "failed to spawn thread: Os { code: 11, kind: WouldBlock, \
                       message: \"Resource temporarily unavailable\" }";
        let words = too_many_threads(message, 1000).unwrap();
        assert!(
            words.contains("1000 live") && words.contains("limit 2000"),
            "{words}"
        );
        assert_eq!(too_many_threads("index out of bounds", 1000), None);
    }
}
