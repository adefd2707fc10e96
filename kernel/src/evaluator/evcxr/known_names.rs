//! Completes a name from what is known without rust-analyzer: variables, items, words of the cell,
//! keywords, and what every program has.

use std::{collections::BTreeMap, ops::Range};

use ra_ap_syntax::{
    Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken, TextSize,
};

use crate::evaluator::{Completion, Completions};

const PROLOGUE: &str = "fn cell(){";

const KEYWORDS: [&str; 27] = [
    "async", "await", "break", "const", "continue", "else", "enum", "false", "for", "if", "impl",
    "let", "loop", "match", "mod", "move", "mut", "pub", "return", "static", "struct", "trait",
    "true", "type", "unsafe", "use", "while",
];

/// Macros, and what std's prelude has.
const OF_EVERY_PROGRAM: [(&str, &str); 22] = [
    ("assert!", "macro"),
    ("assert_eq!", "macro"),
    ("dbg!", "macro"),
    ("eprintln!", "macro"),
    ("format!", "macro"),
    ("panic!", "macro"),
    ("print!", "macro"),
    ("println!", "macro"),
    ("todo!", "macro"),
    ("vec!", "macro"),
    ("std", "module"),
    ("drop", "function"),
    ("Box", "type"),
    ("Option", "type"),
    ("Result", "type"),
    ("String", "type"),
    ("Vec", "type"),
    ("Some", "enum"),
    ("None", "enum"),
    ("Ok", "enum"),
    ("Err", "enum"),
    ("Default", "trait"),
];

/// What the name that ends at `cursor` may become. Nothing for one behind a dot or a `::`, and in texts
/// and comments.
pub(super) fn complete<'a>(
    code: &str,
    cursor: usize,
    variables: impl Iterator<Item = &'a str>,
    items: impl Iterator<Item = &'a str>,
) -> Completions {
    let line = code[..cursor].lines().next_back().unwrap_or_default();
    let is_command = line.trim_start().starts_with(':');
    let root = parsed(code);
    let Some((token, range)) = name_at(&root, cursor).filter(|_| !is_command) else {
        return Completions::nothing(cursor);
    };
    let words = identifiers(&root).filter(|other| *other != token);
    let words: Vec<String> = words.map(|word| word.text().to_owned()).collect();
    let with_kind = |kind: &'static str| move |name: &str| (name.to_owned(), kind);
    let known: BTreeMap<String, &str> = words
        .iter()
        .map(String::as_str)
        .map(with_kind("variable"))
        .chain(variables.map(with_kind("variable")))
        .chain(items.map(with_kind("item")))
        .chain(KEYWORDS.map(|name| (name.to_owned(), "keyword")))
        .chain(OF_EVERY_PROGRAM.map(|(name, kind)| (name.to_owned(), kind)))
        .collect();
    let begun = &code[range.clone()];
    let matches = known
        .into_iter()
        .filter(|(name, _)| name.starts_with(begun) && name != begun);
    Completions {
        start: range.start,
        end: range.end,
        matches: matches
            .map(|(code, kind)| Completion {
                code,
                kind: kind.to_owned(),
                signature: None,
            })
            .collect(),
    }
}

fn parsed(code: &str) -> SyntaxNode {
    let text = format!("{PROLOGUE}{code}\n}}");
    SourceFile::parse(&text, Edition::Edition2024).syntax_node()
}

/// The name, and which bytes of it stand before the cursor.
fn name_at(root: &SyntaxNode, cursor: usize) -> Option<(SyntaxToken, Range<usize>)> {
    let offset = TextSize::try_from(PROLOGUE.len() + cursor).ok()?;
    if offset > root.text_range().end() {
        return None;
    }
    let token = root.token_at_offset(offset).left_biased()?;
    if token.kind() != SyntaxKind::IDENT && !token.kind().is_keyword(Edition::Edition2024) {
        return None;
    }
    let before = std::iter::successors(token.prev_token(), SyntaxToken::prev_token);
    let before = before
        .map(|token| token.kind())
        .find(|kind| !kind.is_trivia());
    let is_member = matches!(before, Some(SyntaxKind::DOT | SyntaxKind::COLON2));
    let start = usize::from(token.text_range().start()).checked_sub(PROLOGUE.len())?;
    (!is_member && start < cursor).then_some((token, start..cursor))
}

fn identifiers(root: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    let all = root
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token);
    // The first is the function around the cell.
    all.filter(|token| token.kind() == SyntaxKind::IDENT)
        .skip(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &[&str]) {
        let cursor = code.find('|').unwrap();
        let code = code.replace('|', "");
        let found = complete(
            &code,
            cursor,
            ["counter", "r"].into_iter(),
            ["count_up", "Counter"].into_iter(),
        );
        let found: Vec<String> = found
            .matches
            .iter()
            .map(|choice| {
                format!(
                    "{}{}{}",
                    &code[..found.start],
                    choice.code,
                    &code[found.end..]
                )
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn own_names_and_those_of_every_program_are_completed() {
        check("cou|", &["count_up", "counter"]);
        check("let a: Coun|;", &["let a: Counter;"]);
        check(
            "let colour = 1;\nf(colo|);",
            &["let colour = 1;\nf(colour);"],
        );
        check("prin|", &["print!", "println!"]);
        check("whi|", &["while"]);
        check("let 名字 = 1; 名|", &["let 名字 = 1; 名字"]);
    }

    #[test]
    fn what_only_rust_analyzer_knows_is_left_to_it() {
        check("counter.cou|", &[]);
        check("std::cou|", &[]);
        check("// cou|", &[]);
        check("\"cou|\"", &[]);
        check("1|", &[]);
        check("|", &[]);
        check(":dep cou|", &[]);
    }
}
