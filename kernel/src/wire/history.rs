//! `history_request`.
//!
//! Our own type: the one of the crate `jupyter-protocol` refuses what `jupyter_client` sends. It
//! wants `stop`, `n` and `unique`, which are optional there, and does not take `null` for a number.

use serde::Deserialize;

/// Asks for cells that ran before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct HistoryRequest {
    /// Whether to give the results beside the sources.
    #[serde(default)]
    pub output: bool,
    /// Which cells.
    #[serde(flatten)]
    pub access: HistoryAccess,
}

/// Which cells of the history are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "hist_access_type", rename_all = "snake_case")]
pub enum HistoryAccess {
    /// Lines of one session.
    Range {
        /// A session's number; 0 is the current one, -1 the one before it.
        session: Option<i64>,
        /// First line; negative counts from the end.
        start: Option<i64>,
        /// Line after the last; negative counts from the end, 0 and `None` are the end.
        stop: Option<i64>,
    },
    /// The last lines.
    Tail {
        /// How many.
        n: Option<i64>,
    },
    /// Lines that match.
    Search {
        /// With `*`, `?` and `[…]` as in a shell; it must match the whole source.
        pattern: Option<String>,
        /// How many, counted from the end; `None` is all.
        n: Option<i64>,
        /// Whether to give equal sources once.
        #[serde(default)]
        unique: bool,
    },
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn access(content: Value) -> HistoryAccess {
        serde_json::from_value::<HistoryRequest>(content)
            .unwrap()
            .access
    }

    #[test]
    fn what_clients_leave_out_is_filled_in() {
        assert_eq!(
            access(json!({"hist_access_type": "range", "session": 0, "stop": null, "raw": true})),
            HistoryAccess::Range {
                session: Some(0),
                start: None,
                stop: None
            }
        );
        assert_eq!(
            access(json!({"hist_access_type": "tail", "n": 3})),
            HistoryAccess::Tail { n: Some(3) }
        );
        assert_eq!(
            access(json!({"hist_access_type": "search", "pattern": "a*"})),
            HistoryAccess::Search {
                pattern: Some("a*".into()),
                n: None,
                unique: false
            }
        );
    }
}
