//! What the kernel tells the compiler about the next cell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::types::Learnt;

/// What the kernel tells the compiler about the next cell, in [`CellFacts::FILE`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CellFacts {
    /// Names the cell in the paths of its compiled source, so that a place in it can be found again.
    #[serde(default)]
    pub id: u64,
    /// The cell awaits at its top level.
    pub awaits: bool,
    /// The cell uses `?` at its top level.
    pub question_mark: bool,
    /// Optimise this cell so much, whatever holds for the notebook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opt_level: Option<String>,
    /// Names of the items that the cell defines; of an `impl`, the type's name.
    #[serde(default)]
    pub items: Vec<String>,
    /// The cell defines and imports nothing and gives no command. What earlier cells have defined, and
    /// it does not name, is as good as it was.
    #[serde(default)]
    pub only_statements: bool,
    /// The process that will run the cell, so that what lived in another is not looked for in it; 0
    /// when it is not known yet.
    #[serde(default)]
    pub host: u64,
    /// Bytes of memory that the compiler may take; `None` is no limit.
    #[serde(default)]
    pub memory_limit: Option<u64>,
    /// Variables that end with the cell: evcxr does not know of them. One that it knows by the same
    /// name was shadowed.
    #[serde(default)]
    pub unkept: Vec<String>,
    /// The types of the cell's variables are to be learnt while it is compiled: they stand as
    /// [`types::alias`](crate::types::alias) with its `id`.
    #[serde(default)]
    pub learn: bool,
    /// What was learnt so of other cells, by alias.
    #[serde(default)]
    pub learnt: BTreeMap<String, Learnt>,
}

impl CellFacts {
    /// Name of the file, in the directory where evcxr compiles.
    pub const FILE: &str = "cell.json";

    /// Where the compiled source of the cell is, in the same directory.
    pub fn source(&self) -> String {
        format!("cells/{}/lib.rs", self.id)
    }

    /// Name of the file with the cell's [`CellNotes`](crate::CellNotes), in the same directory.
    pub fn notes(&self) -> String {
        format!("cells/{}/notes.json", self.id)
    }

    /// The `id` of the cell that a source path names.
    pub fn id_in(path: &str) -> Option<u64> {
        let mut parts = path.rsplit('/');
        let (file, id, cells) = (parts.next()?, parts.next()?, parts.next()?);
        if file == "lib.rs" && cells == "cells" {
            id.parse().ok()
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_path_names_its_cell() {
        let facts = CellFacts {
            id: 12,
            ..CellFacts::default()
        };
        assert_eq!(
            CellFacts::id_in(&format!("/tmp/x/{}", facts.source())),
            Some(12)
        );
        assert_eq!(CellFacts::id_in("library/core/src/option.rs"), None);
        assert_eq!(CellFacts::id_in("/tmp/x/src/lib.rs"), None);
    }
}
