//! What the compiler notes about a cell for the kernel, and the kernel for the compiler.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::types::Learnt;

/// What the compiler tells the kernel about a cell beside its errors, in [`CellFacts::notes`](crate::CellFacts::notes).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct CellNotes {
    /// Warnings of the last compilation, as rustc gives them.
    pub warnings: Vec<Value>,
    /// Variables that no later cell can have.
    pub ended: Vec<EndedVariable>,
    /// The types of its variables, by alias; see [`CellFacts::learn`](crate::CellFacts::learn).
    #[serde(default)]
    pub learnt: BTreeMap<String, Learnt>,
}

/// A variable that no later cell can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndedVariable {
    /// Its name.
    pub name: String,
    /// Its type, as evcxr has it.
    pub type_name: String,
    /// Why it ended.
    pub reason: EndReason,
    /// The words of rustc about it.
    pub diagnostic: Value,
}

/// Why no later cell can have a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its value was moved.
    Moved,
    /// It was declared, and got no value.
    Unset,
    /// It borrows, or its type cannot be named.
    Unkept,
}

/// Encloses, as a macro call, a `let` whose variables evcxr is not to see: `OPEN let … CLOSE`. The
/// compiler takes both off. It does not begin as a command would, with a colon.
pub mod unkept {
    /// Before the `let`.
    pub const OPEN: &str = "interleave::unkept!{/*interleave*/";
    /// Behind it.
    pub const CLOSE: &str = "/*interleave*/};";
}
