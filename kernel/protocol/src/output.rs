//! What a cell shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One of the two text streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A value in one or more representations, keyed by MIME type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Display {
    /// What becomes of it.
    pub role: DisplayRole,
    /// The representations. Text for text types, base64 for images, a JSON value for JSON types.
    pub data: BTreeMap<String, Value>,
    /// Hints for the front end, keyed by MIME type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, Value>,
    /// Name by which the output can be updated later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_id: Option<String>,
}

/// What becomes of a [`Display`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisplayRole {
    /// An output of its own (`display_data`).
    #[default]
    Show,
    /// Replaces every output with the same `display_id` (`update_display_data`).
    Update,
    /// The value of the cell (`execute_result`).
    Result,
}
