//! What the cells have defined, as text that can stand before another cell.
//!
//! evcxr knows it too, but only for itself. Its rules are followed here (`apply` in its
//! `eval_context.rs`): an item replaces the earlier one of the same name, with the unnamed ones that
//! follow it, such as its `impl` blocks.

use ra_ap_syntax::{
    AstNode,
    ast::{self, HasName},
};

use super::{
    PRELUDE, commands,
    syntax::{head_length, parsed::Parsed},
};

/// The items and the crates of the cells that were run.
#[derive(Debug, Default)]
pub(super) struct Notebook {
    /// Lines that begin with `:dep`.
    crates: Vec<String>,
    items: Vec<Item>,
}

#[derive(Debug)]
struct Item {
    name: Option<String>,
    text: String,
}

/// Code with what it builds on before it.
#[derive(Debug)]
pub(super) struct InNotebook {
    pub(super) code: String,
    /// Bytes of the head of the cell, which is behind [`InNotebook::before_head`].
    head: usize,
    before_head: usize,
    before_rest: usize,
}

impl InNotebook {
    /// Where a byte of the cell is. What follows a command that ends the cell belongs to it.
    pub(super) fn inside(&self, byte: usize) -> usize {
        byte + if byte < self.head {
            self.before_head
        } else {
            self.before_rest
        }
    }

    /// Which byte of the cell is there.
    pub(super) fn outside(&self, byte: usize) -> usize {
        let in_head = byte < self.before_head + self.head;
        byte.saturating_sub(if in_head {
            self.before_head
        } else {
            self.before_rest
        })
    }
}

impl Notebook {
    /// Takes what a cell that was run has defined.
    pub(super) fn add(&mut self, code: &str) {
        if commands::clears_everything(code) {
            *self = Self::default();
        }
        let (head, body) = code.split_at(head_length(code));
        for line in head.lines().filter(|line| is_crate(line)) {
            self.crates.retain(|other| other != line);
            self.crates.push(line.to_owned());
        }
        let mut owner = None;
        for (name, text) in items(body) {
            match (&name, owner) {
                (None, Some(owner)) => self.append(owner, &text),
                (None, None) => self.replace(|item| item.text == text, None, &text),
                (Some(_), _) => {
                    self.replace(|item| item.name == name, name.clone(), &text);
                    owner = Some(self.items.len() - 1);
                }
            }
        }
    }

    fn replace(&mut self, same: impl Fn(&Item) -> bool, name: Option<String>, text: &str) {
        self.items.retain(|item| !same(item));
        self.items.push(Item {
            name,
            text: text.to_owned(),
        });
    }

    fn append(&mut self, owner: usize, text: &str) {
        if let Some(item) = self.items.get_mut(owner) {
            item.text.push('\n');
            item.text.push_str(text);
        }
    }

    /// What the items are called.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter_map(|item| item.name.as_deref())
    }

    /// A cell, with the items of the others and with these variables before it.
    pub(super) fn with<'a>(
        &self,
        variables: impl Iterator<Item = (&'a str, &'a str)>,
        code: &str,
    ) -> InNotebook {
        let head = head_length(code);
        let mut text: String = self.crates.iter().map(|line| format!("{line}\n")).collect();
        let before_head = text.len();
        text.push_str(&code[..head]);
        if head > 0 && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(PRELUDE);
        text.push('\n');
        for item in &self.items {
            text.push_str(&item.text);
            text.push('\n');
        }
        for (name, ty) in variables {
            text.push_str(&format!("let mut {name}: {ty} = todo!();\n"));
        }
        let before_rest = text.len() - head;
        text.push_str(&code[head..]);
        let ends_in_head = head == code.len() && head > 0;
        InNotebook {
            code: text,
            head: if ends_in_head { head + 1 } else { head },
            before_head,
            before_rest,
        }
    }
}

fn is_crate(line: &str) -> bool {
    line.split_whitespace().next() == Some(":dep")
}

/// The items at the top level of a cell, each with its name.
fn items(body: &str) -> Vec<(Option<String>, String)> {
    Parsed::of(body)
        .statements()
        .filter_map(ast::Item::cast)
        .map(|item| {
            let node = item.syntax();
            let named = ast::AnyHasName::cast(node.clone()).and_then(|item| item.name());
            (named.map(|name| name.to_string()), node.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cells: &[&str], code: &str, expected: &str) {
        let mut notebook = Notebook::default();
        for cell in cells {
            notebook.add(cell);
        }
        let variables = [("x", "i32")].into_iter();
        let text = notebook.with(variables, code).code;
        let expected = expected.replace("PRELUDE", PRELUDE);
        assert_eq!(text, expected.replace("X", "let mut x: i32 = todo!();"));
    }

    #[test]
    fn items_stand_before_the_cell_and_the_newest_counts() {
        check(&[], "x.", "PRELUDE\nX\nx.");
        check(
            &[
                "struct A;\nimpl A {}\nlet y = 1;",
                "fn f() {}",
                "struct A(u8);",
            ],
            "A",
            "PRELUDE\nfn f() {}\nstruct A(u8);\nX\nA",
        );
        check(
            &[
                "use std::thread;",
                "use std::thread;",
                "struct A;\nimpl A {}",
            ],
            "",
            "PRELUDE\nuse std::thread;\nstruct A;\nimpl A {}\nX\n",
        );
        check(&["fn f() {}", ":clear"], "1", "PRELUDE\nX\n1");
    }

    #[test]
    fn crates_stand_at_the_head() {
        check(
            &[":dep a = \"1\"\nlet x = 1;"],
            ":dep b\nb::",
            ":dep a = \"1\"\n:dep b\nPRELUDE\nX\nb::",
        );
    }

    #[test]
    fn a_place_in_the_cell_is_found_again() {
        let mut notebook = Notebook::default();
        notebook.add(":dep a");
        for code in [":dep b\nlet y = 1;", ":de", "y."] {
            let inside = notebook.with(std::iter::empty(), code);
            for byte in 0..=code.len() {
                let there = inside.inside(byte);
                let line = code[byte..].lines().next().unwrap_or_default();
                assert!(inside.code[there..].starts_with(line));
                assert_eq!(inside.outside(there), byte);
            }
        }
    }
}
