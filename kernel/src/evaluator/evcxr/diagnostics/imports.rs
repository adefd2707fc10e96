//! The places of imports, and what is said of crates that are missing.

use std::ops::Range;

use serde_json::Value;

use super::{
    super::{report::CellText, syntax::imports},
    finder::{Finder, number},
};

impl Finder<'_> {
    /// The name in a `use` of the cell that a span in generated source means: evcxr writes an import of
    /// its own for each name of `use a::{b, c};` (`use_trees.rs` in evcxr 0.22).
    pub(super) fn bytes_of_import(&self, span: &Value) -> Option<(CellText, Range<usize>)> {
        let [line] = span["text"].as_array()?.as_slice() else {
            return None;
        };
        let text = line["text"]
            .as_str()
            .filter(|text| text.starts_with("use "))?;
        let start = number(&line["highlight_start"])?.checked_sub(1)?;
        let length = number(&line["highlight_end"])?.checked_sub(start + 1)?;
        let part: String = text.chars().skip(start).take(length).collect();
        let name = part.rsplit("::").next()?;
        // What is to stand for a whole path fits nowhere in the cell.
        if span["suggested_replacement"].is_string() && name != part {
            return None;
        }
        let cell = self.cell_text(self.index)?;
        let bytes = imports::position(&cell.code, name)?;
        Some((cell, bytes))
    }
}

/// rustc's words, or where it guesses that a crate is missing, how a notebook adds one.
pub(super) fn with_dep(message: String) -> String {
    let name = message
        .strip_prefix("you might be missing a crate named `")
        .and_then(|rest| rest.strip_suffix('`'));
    match name {
        Some(name) => format!(
            "if `{name}` is a crate, add it in a line above the code\n    :dep {name} = \"*\""
        ),
        None => message,
    }
}
