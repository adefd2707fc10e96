//! Places that rustc writes into its words: a closure has no name, so it is called by its place.

use interleave_protocol::{CellFacts, Location};

use super::{Place, Places};

impl Places {
    /// `{closure@cells/3/lib.rs:9:5: 9:12}` → `{closure@In[3]:2:5: 2:12}`, for all such places. One that
    /// is in no cell is left out.
    pub(crate) fn in_words(&self, text: &str) -> String {
        let mut parts = text.split('@');
        let mut words = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let Some(end) = part.find('}').filter(|_| is_in_source(part)) else {
                words.push('@');
                words.push_str(part);
                continue;
            };
            if let Some((from, to)) = self.ends(&part[..end]) {
                let (line, column) = (to.line, to.column);
                words.push_str(&format!("@{}: {line}:{column}", self.describe(from)));
            }
            words.push_str(&part[end..]);
        }
        words
    }

    /// The places that `cells/3/lib.rs:9:5: 9:12` tells.
    fn ends(&self, text: &str) -> Option<(Place, Place)> {
        let (from, to) = text.split_once(": ")?;
        let (rest, from_column) = from.rsplit_once(':')?;
        let (file, from_line) = rest.rsplit_once(':')?;
        let (to_line, to_column) = to.split_once(':')?;
        let place = |line: &str, column: &str| {
            self.of_panic(&Location {
                file: file.into(),
                line: line.parse().ok()?,
                column: column.parse().ok()?,
            })
        };
        Some((place(from_line, from_column)?, place(to_line, to_column)?))
    }
}

/// Whether the text begins with the name of a cell's source.
fn is_in_source(text: &str) -> bool {
    let file = text.split(':').next().unwrap_or_default();
    CellFacts::id_in(file).is_some()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_place_of_a_closure_is_one_in_a_cell() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("cells/1/lib.rs");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, "generated();\nlet f = move || {\n    1\n};\n").unwrap();
        let mut places = Places::of(&["\nlet f = move || {\n    1\n};"]);
        places.directory = directory.path().to_owned();
        let check = |text: &str, expected: &str| assert_eq!(places.in_words(text), expected);
        check(
            "within `{closure@cells/1/lib.rs:2:9: 2:16}`, a@b",
            "within `{closure@In[1]:2:9: 2:16}`, a@b",
        );
        check("`{async block@cells/1/lib.rs:1:1: 1:2}`", "`{async block}`");
        check(
            "`{closure@/registry/tokio/src/lib.rs:1:1: 1:2}`",
            "`{closure@/registry/tokio/src/lib.rs:1:1: 1:2}`",
        );
    }
}
