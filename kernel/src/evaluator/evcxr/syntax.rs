//! What can be said of a cell by parsing it.

use std::{borrow::Cow, ops::Range};

use interleave_protocol::CellFacts;
use ra_ap_syntax::{
    AstNode, Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxNode, SyntaxToken, TextSize,
    ast::{self, HasName},
};

use crate::evaluator::Completeness;

use self::{
    delimiters::{Delimiters, open_delimiters},
    parsed::Parsed,
};

pub(super) mod bindings;
mod delimiters;
pub(super) mod imports;
pub(super) mod nesting;
pub(super) mod parsed;

/// evcxr parses a cell as the body of a function; so do we.
const PROLOGUE: &str = "fn cell(){";

/// Macros that await what they are given: `tokio::join!`, `futures::select!` and their like.
const AWAITING_MACROS: [&str; 5] = ["join", "try_join", "select", "select_biased", "poll"];

const INDENT: &str = "    ";

/// Some editors on Windows put it before the text of a file.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Whether the code is ready to run.
pub(super) fn completeness(code: &str) -> Completeness {
    if nesting::too_deep(code).is_some() {
        return Completeness::Invalid;
    }
    let code = without_commands(code);
    let parse = SourceFile::parse(&format!("{PROLOGUE}{code}\n}}"), Edition::Edition2024);
    let errors = parse.errors();
    if errors.is_empty() {
        return Completeness::Complete;
    }
    let depth = match open_delimiters(&code) {
        Delimiters::Open(depth) => depth,
        Delimiters::Unterminated => return Completeness::Incomplete(String::new()),
        Delimiters::Wrong => return Completeness::Invalid,
    };
    let end = TextSize::of(PROLOGUE) + TextSize::of(code.trim_end());
    // `let x =` and `let x = 1` lack something at their end, `let = 1` in the middle.
    if depth > 0 || errors.iter().all(|error| error.range().start() >= end) {
        return Completeness::Incomplete(INDENT.repeat(depth));
    }
    Completeness::Invalid
}

/// The cell as evcxr should read it. evcxr gives a first line that begins with `!` to a shell, and
/// drops comments at the head of a cell, among them those that document its first item. Where the
/// cell is Rust, a space before it prevents both. A byte order mark is one to rustc at the
/// beginning of a file only, which a cell is not: it becomes a space.
pub(super) fn as_rust(code: &str) -> Cow<'_, str> {
    if let Some(rest) = code.strip_prefix(BYTE_ORDER_MARK) {
        Cow::Owned(format!(" {rest}"))
    } else if code.starts_with("///") || code.starts_with('!') && is_rust(code) {
        Cow::Owned(format!(" {code}"))
    } else {
        Cow::Borrowed(code)
    }
}

/// What evcxr would leave out without a word: the byte at which something is missing, and what.
pub(super) fn dropped_statement(code: &str) -> Option<(usize, &'static str)> {
    let cell = Parsed::of(code);
    if cell.statements().next().is_none() && has_open_comment(&without_commands(code)) {
        return Some((code.len(), "expected `*/`, which ends the comment"));
    }
    let broken = cell
        .root()
        .descendants()
        .filter_map(ast::LetStmt::cast)
        .find(|statement| statement.pat().is_none())?;
    let at = cell.bytes(broken.let_token()?.text_range())?.end;
    Some((at, "expected a pattern behind `let`"))
}

fn has_open_comment(code: &str) -> bool {
    matches!(open_delimiters(code), Delimiters::Unterminated)
}

fn is_rust(code: &str) -> bool {
    if nesting::too_deep(code).is_some() {
        return false;
    }
    let parse = SourceFile::parse(&format!("{PROLOGUE}{code}\n}}"), Edition::Edition2024);
    parse.errors().is_empty()
}

/// What the compiler must know of the cell.
pub(super) fn facts(code: &str) -> CellFacts {
    let Some(body) = Parsed::of(code).body() else {
        return CellFacts::default();
    };
    let items = || body.syntax().descendants().filter_map(ast::Item::cast);
    let is_macro = |item: &ast::Item| matches!(item, ast::Item::MacroCall(_));
    let mut facts = CellFacts {
        items: items().flat_map(|item| names(&item)).collect(),
        only_statements: !has_commands(code) && items().all(|item| is_macro(&item)),
        ..CellFacts::default()
    };
    visit(body.syntax(), &mut facts);
    facts
}

/// What an item is called; see [`CellFacts::items`].
fn names(item: &ast::Item) -> Vec<String> {
    let name = match item {
        ast::Item::Const(item) => item.name(),
        ast::Item::Enum(item) => item.name(),
        ast::Item::Fn(item) => item.name(),
        ast::Item::Impl(item) => {
            let ty = item.self_ty().map(|ty| ty.syntax().text().to_string());
            return ty
                .map(|ty| ty.replace(char::is_whitespace, ""))
                .into_iter()
                .collect();
        }
        ast::Item::MacroCall(call) => return names_in_macro(call),
        ast::Item::Module(item) => item.name(),
        ast::Item::Static(item) => item.name(),
        ast::Item::Struct(item) => item.name(),
        ast::Item::Trait(item) => item.name(),
        ast::Item::TypeAlias(item) => item.name(),
        ast::Item::Union(item) => item.name(),
        _ => None,
    };
    name.map(|name| name.text().to_string())
        .into_iter()
        .collect()
}

/// The names behind `static` in a `thread_local!` or `lazy_static!`, as one: `A B!`.
fn names_in_macro(call: &ast::MacroCall) -> Vec<String> {
    let tokens = call
        .syntax()
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token);
    let words: Vec<SyntaxToken> = tokens
        .filter(|token| !token.kind().is_trivia() && token.kind() != SyntaxKind::REF_KW)
        .collect();
    let names = words
        .windows(2)
        .filter(|pair| pair[0].kind() == SyntaxKind::STATIC_KW)
        .map(|pair| pair[1].text().to_owned());
    let names = Vec::from_iter(names).join(" ");
    let name = (!names.is_empty()).then(|| format!("{names}!"));
    name.into_iter().collect()
}

/// Looks for `.await` and `?` that belong to the cell itself and not to a function in it.
fn visit(node: &SyntaxNode, facts: &mut CellFacts) {
    for child in node.children() {
        match child.kind() {
            SyntaxKind::CLOSURE_EXPR => continue,
            kind if ast::Item::can_cast(kind) && kind != SyntaxKind::MACRO_CALL => continue,
            SyntaxKind::BLOCK_EXPR if is_async(&child) => continue,
            SyntaxKind::AWAIT_EXPR => facts.awaits = true,
            SyntaxKind::TRY_EXPR => facts.question_mark = true,
            SyntaxKind::MACRO_CALL => visit_macro(&child, facts),
            _ => {}
        }
        visit(&child, facts);
    }
}

fn is_async(block: &SyntaxNode) -> bool {
    block
        .children_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .any(|token| token.kind() == SyntaxKind::ASYNC_KW)
}

/// A macro's arguments are tokens. To take one too many for the cell's own does no harm.
fn visit_macro(call: &SyntaxNode, facts: &mut CellFacts) {
    let name = ast::MacroCall::cast(call.clone())
        .and_then(|call| call.path()?.segment()?.name_ref())
        .map(|name| name.text().to_string());
    facts.awaits |= name.is_some_and(|name| AWAITING_MACROS.contains(&name.as_str()));
    for token in call
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
    {
        facts.awaits |= token.kind() == SyntaxKind::AWAIT_KW;
        facts.question_mark |= token.kind() == SyntaxKind::QUESTION;
    }
}

/// The longest expression that begins at a byte of the cell, as far as it stays on the line.
pub(super) fn expression_at(code: &str, start: usize) -> Option<Range<usize>> {
    let cell = Parsed::of(code);
    let offset = start.checked_add_signed(cell.shift)?;
    let line_end = code
        .get(start..)?
        .find('\n')
        .map_or(code.len(), |end| start + end);
    let longest = cell
        .root()
        .descendants()
        .filter(|node| ast::Expr::can_cast(node.kind()))
        .filter(|node| usize::from(node.text_range().start()) == offset)
        .map(|node| usize::from(node.text_range().len()))
        .max()?;
    Some(start..line_end.min(start + longest))
}

/// How many bytes stand before the Rust in a cell: commands, shell commands, comments and empty
/// lines, as evcxr finds them (`from_original_user_code` in its `code_block.rs`).
pub(super) fn head_length(code: &str) -> usize {
    let is_command = |line: &str| line.trim_start_matches(' ').starts_with(':');
    code.split_inclusive('\n')
        .take_while(|line| {
            line.starts_with('!')
                || is_command(line)
                || line.starts_with("//")
                || line.trim().is_empty()
        })
        .map(str::len)
        .sum()
}

/// Whether the cell begins with a command for evcxr (`:dep …`).
fn has_commands(code: &str) -> bool {
    code[..head_length(code)]
        .lines()
        .any(|line| line.trim_start().starts_with(':'))
}

/// The code without the commands that evcxr takes at its head (`:dep …`), which are not Rust.
fn without_commands(code: &str) -> String {
    let mut in_head = true;
    let lines = code.split('\n').map(|line| {
        let trimmed = line.trim_start_matches(' ');
        let is_command = trimmed.starts_with(':') || line.starts_with('!');
        in_head &= is_command || line.trim().is_empty() || line.starts_with("//");
        if in_head && is_command { "" } else { line }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: Completeness) {
        assert_eq!(completeness(code), expected, "{code}");
    }

    fn incomplete(depth: usize) -> Completeness {
        Completeness::Incomplete(INDENT.repeat(depth))
    }

    #[test]
    fn a_cell_is_complete_incomplete_or_invalid() {
        check("1 + 1", Completeness::Complete);
        check("let x = 1;\nx", Completeness::Complete);
        check("fn f() {\n    1;\n}", Completeness::Complete);
        check(":dep regex = \"1\"\nlet x = 1;", Completeness::Complete);
        check("", Completeness::Complete);
        check("fn f() {", incomplete(1));
        check("for i in 0..3 {\n    f(i, [", incomplete(3));
        check("let x = 1", incomplete(0));
        check("let x =", incomplete(0));
        check("println!(\"a", incomplete(0));
        check("/* a", incomplete(0));
        check("let = 1;", Completeness::Invalid);
        check("fn f() }", Completeness::Invalid);
        check("(1]", Completeness::Invalid);
    }

    #[test]
    fn the_expression_at_a_place_is_found() {
        let check = |code: &str, start: usize, expected: Option<&str>| {
            let found = expression_at(code, start).map(|range| &code[range]);
            assert_eq!(found, expected, "{code} at {start}");
        };
        check(
            "let y: i32 = \"12x\".parse()?;",
            13,
            Some("\"12x\".parse()?"),
        );
        check("    v[i] }", 4, Some("v[i]"));
        check("{ v[i] }", 2, Some("v[i]"));
        check("f(\n1);", 0, Some("f("));
        check(":dep a\nf(1);", 7, Some("f(1)"));
        check("f();", 9, None);
    }

    #[test]
    fn what_evcxr_would_drop_is_found() {
        let at = |code| dropped_statement(code).map(|(at, _)| at);
        assert_eq!(at("let x = 1;\nlet = 2;"), Some(14));
        assert_eq!(at(":dep a\nlet ;"), Some(10));
        assert_eq!(at("let (a, _) = f();"), None);
        assert_eq!(at("// a\n/* b /* c */"), Some(17));
        assert_eq!(at("/* a */ // b"), None);
    }

    #[test]
    fn a_negation_is_no_shell_command() {
        assert_eq!(as_rust("!done"), " !done");
        assert_eq!(as_rust("!echo hi"), "!echo hi");
        assert_eq!(as_rust("let x = 1;"), "let x = 1;");
        assert_eq!(as_rust("\u{feff}1 + 1"), " 1 + 1");
        assert_eq!(as_rust("/// One.\nfn f() {}"), " /// One.\nfn f() {}");
    }

    #[test]
    fn the_items_of_a_cell_are_named() {
        let code = "struct A;\nimpl Vec < A > {}\nfn f() { static N: u8 = 1; }\n\
                    thread_local! { static X: u8 = 1; pub static Y: u8 = 2 }\nlet x = 1;";
        assert_eq!(facts(code).items, ["A", "Vec<A>", "f", "N", "X Y!"]);
    }

    #[track_caller]
    fn check_facts(code: &str, awaits: bool, question_mark: bool) {
        let found = facts(code);
        assert_eq!(
            (found.awaits, found.question_mark),
            (awaits, question_mark),
            "{code}"
        );
    }

    #[test]
    fn only_what_the_cell_itself_awaits_counts() {
        check_facts("task.await", true, false);
        check_facts("let x = task.await?;", true, true);
        check_facts("println!(\"{}\", task.await);", true, false);
        check_facts("let (a, b) = tokio::join!(a, b);", true, false);
        check_facts("if ready { task.await; }", true, false);
        check_facts("async fn f() { g().await }", false, false);
        check_facts("let f = async { g().await };", false, false);
        check_facts("let f = async move { g().await? };", false, false);
        check_facts("let f = async |x| g(x).await;", false, false);
        check_facts("thread::spawn(|| f()?);", false, false);
        check_facts("let x: i32 = \"1\".parse()?;", false, true);
        check_facts("println!(\"{}\", f()?);", false, true);
        check_facts("// .await ?\nlet s = \".await?\";", false, false);
        check_facts(":dep a = \"1\"\ntask.await", true, false);
    }
}
