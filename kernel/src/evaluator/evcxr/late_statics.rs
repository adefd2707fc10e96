//! Makes a `thread_local!` or `lazy_static!` at the top level of a cell an item.
//!
//! evcxr takes the call of a macro for a statement, and what a statement defines ends with its cell.
//! So it is told of a module around the macro, which the compiler takes out again: rustc sees the
//! macro among the items of this cell and of every later one.

use std::ops::Range;

use interleave_protocol::types::{CLOSE, END_OF_ITEM, OPEN_ITEM};
use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, ast};

use super::syntax::parsed::Parsed;

/// What is written before a byte of the cell.
pub(super) struct Mark {
    pub(super) at: usize,
    pub(super) text: String,
}

/// What to write into a cell, in order.
pub(super) fn marks(code: &str) -> Vec<Mark> {
    let macros = macros(code).into_iter();
    macros
        .flat_map(|(statement, names)| around(&statement, &names))
        .collect()
}

/// The macros in a cell: where each stands, and the names of its statics.
fn macros(code: &str) -> Vec<(Range<usize>, Vec<String>)> {
    let cell = Parsed::of(code);
    let macros = cell.statements().filter_map(|statement| {
        let names = names(&macro_call(&statement)?);
        let range = statement.text_range();
        Some((cell.byte(range.start())..cell.byte(range.end()), names))
    });
    macros.filter(|(_, names)| !names.is_empty()).collect()
}

fn around(statement: &Range<usize>, names: &[String]) -> [Mark; 2] {
    let name = names.join("_").replace("r#", "");
    [
        Mark {
            at: statement.start,
            text: format!("{OPEN_ITEM}mod interleave_{name} {{{CLOSE}"),
        },
        Mark {
            at: statement.end,
            text: END_OF_ITEM.to_owned(),
        },
    ]
}

/// The macro, when the statement is nothing else and defines statics that are made late.
fn macro_call(statement: &SyntaxNode) -> Option<ast::MacroCall> {
    let mut node = statement.clone();
    while matches!(node.kind(), SyntaxKind::EXPR_STMT | SyntaxKind::MACRO_EXPR) {
        node = node.first_child()?;
    }
    let call = ast::MacroCall::cast(node)?;
    let name = call.path()?.segment()?.name_ref()?.text().to_string();
    matches!(name.as_str(), "thread_local" | "lazy_static").then_some(call)
}

/// The names of the statics in a macro; those of its last definitions when one is repeated.
fn names(call: &ast::MacroCall) -> Vec<String> {
    let Some(tokens) = call.token_tree() else {
        return Vec::new();
    };
    let tokens = tokens.syntax().children_with_tokens();
    let words: Vec<String> = tokens
        .filter_map(NodeOrToken::into_token)
        .filter(|token| !token.kind().is_trivia() && token.text() != "ref")
        .map(|token| token.text().to_owned())
        .collect();
    let pairs = words.windows(2).filter(|pair| pair[0] == "static");
    pairs.map(|pair| pair[1].clone()).collect()
}

#[cfg(test)]
mod tests {
    use interleave_protocol::types::without_added;

    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &str) {
        let mut marked = String::new();
        let mut end = 0;
        for mark in marks(code) {
            marked.push_str(&code[end..mark.at]);
            marked.push_str(&mark.text);
            end = mark.at;
        }
        marked.push_str(&code[end..]);
        let shown = marked.replace(OPEN_ITEM, "«").replace(CLOSE, "»");
        assert_eq!(shown.replace(END_OF_ITEM, "«}»"), expected);
        assert_eq!(without_added(&marked), code);
    }

    #[test]
    fn macros_at_the_top_level_are_put_into_modules() {
        check(
            "thread_local! {\n    static A: u8 = { 1 };\n    pub static B: u8 = const { 2 };\n}\nA.get()",
            "«mod interleave_A_B {»thread_local! {\n    static A: u8 = { 1 };\n    pub static B: u8 = const { 2 };\n}«}»\nA.get()",
        );
        check(
            ":dep x\nlet a = 1; std::thread_local!(static A: u8 = 1);",
            ":dep x\nlet a = 1; «mod interleave_A {»std::thread_local!(static A: u8 = 1);«}»",
        );
        check(
            "/// One.\nlazy_static! { static ref A: u8 = 1; }",
            "/// One.\n«mod interleave_A {»lazy_static! { static ref A: u8 = 1; }«}»",
        );
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for code in [
            "let x = 1;",
            "println!(\"static X\");",
            "{ thread_local! { static A: u8 = 1; } }",
            "fn f() { thread_local! { static A: u8 = 1; } }",
            "mod m { thread_local! { static A: u8 = 1; } }",
            "thread_local! {}",
        ] {
            check(code, code);
        }
    }
}
