//! How the kernel asks the compiler for the types of variables, and how it tells evcxr of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::CellFacts;

/// Stands before what the kernel writes into a cell for evcxr, and not for rustc.
///
/// White space to every parser of Rust, so it changes nothing but the place of what follows; and
/// nothing that a student types.
pub const OPEN: &str = "\u{b}\u{c}";

/// Stands behind it.
pub const CLOSE: &str = "\u{c}\u{b}";

/// [`OPEN`] at the beginning of an item. evcxr takes items apart and puts them into another order, so
/// that white space around one is lost; a comment before it is a part of it.
pub const OPEN_ITEM: &str = "/*\u{b}\u{c}*/";

/// The end of an item that is not for rustc: all of what was added there.
pub const END_OF_ITEM: &str = "\u{b}\u{b}}";

/// What stands for the type of a variable while nobody knows it.
pub fn alias(cell: u64, variable: usize) -> String {
    format!("{ALIAS}{cell}_{variable}")
}

/// Begins every [`alias`].
pub const ALIAS: &str = "interleave_type_";

/// A type that stands in evcxr under an [`alias`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Learnt {
    /// The type, as it can be written in every cell.
    pub ty: String,
    /// A number for what it was made of when the variable was made; 0 if of nothing that a notebook
    /// can define anew.
    pub definitions: u64,
}

/// The question: a file beside the cell's `Cargo.toml`, there while `cargo check` runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wanted {
    /// Variables at the top level of the cell.
    pub names: Vec<String>,
    /// What is known of the cell by parsing it.
    #[serde(default)]
    pub facts: CellFacts,
}

/// The answer: a file beside [`Wanted::FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Found {
    /// Each variable's type as rustc writes it, with the full path of every name. Not all of them
    /// are Rust: a closure is `{closure@…}`.
    pub types: BTreeMap<String, String>,
    /// Whether the cell has an error, so that a type may be missing.
    pub other_errors: bool,
    /// Whether rustc was ended, because it took too long or too much memory.
    #[serde(default)]
    pub too_long: bool,
}

impl Wanted {
    /// The file's name.
    pub const FILE: &str = "wanted-types.json";
}

impl Found {
    /// The file's name.
    pub const FILE: &str = "found-types.json";
}

/// The text without what stands between [`OPEN`] or [`OPEN_ITEM`] and [`CLOSE`], except for line ends.
pub fn without_added(text: &str) -> String {
    let text = text.replace(END_OF_ITEM, "").replace(OPEN_ITEM, OPEN);
    let mut rest = text.as_str();
    let mut kept = String::with_capacity(text.len());
    while let Some((before, behind)) = rest.split_once(OPEN) {
        let Some((added, after)) = behind.split_once(CLOSE) else {
            break;
        };
        kept.push_str(before);
        kept.extend(added.chars().filter(|letter| *letter == '\n'));
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_goes_and_lines_stay() {
        let text = format!("let x{OPEN}: i32{CLOSE} = 1; {OPEN}let y = y;\n{CLOSE}\ny");
        assert_eq!(without_added(&text), "let x = 1; \n\ny");
        assert_eq!(without_added("let x = 1;"), "let x = 1;");
        let item = format!("{OPEN_ITEM}mod m {{{CLOSE}m!();{END_OF_ITEM}");
        assert_eq!(without_added(&item), "m!();");
        assert_eq!(
            without_added(&format!("x{OPEN}: i32")),
            format!("x{OPEN}: i32")
        );
    }
}
