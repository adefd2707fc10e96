//! The variables of a cell: where it defines them, assigns to them, and moves them.

use std::{collections::BTreeSet, ops::Range};

use ra_ap_syntax::{
    AstNode, AstToken, SyntaxKind, SyntaxNode, TextRange, TextSize,
    ast::{self, BinaryOp, HasName},
};

use super::parsed::Parsed;

/// A variable that a `let` at the top level of a cell defines. Ranges are bytes of the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Binding {
    pub(in super::super) name: String,
    pub(in super::super) is_mut: bool,
    /// The name, with `mut`.
    pub(in super::super) span: Range<usize>,
    pub(in super::super) statement: Range<usize>,
    pub(in super::super) value: Option<Range<usize>>,
    pub(in super::super) kind: ValueKind,
    /// The `let` says a type.
    pub(in super::super) typed: bool,
    /// The `let` defines nothing else.
    pub(in super::super) alone: bool,
}

/// What parsing tells of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum ValueKind {
    /// `|x| …`
    Closure,
    /// `async { … }`
    AsyncBlock,
    Other,
}

impl Binding {
    /// The type has no name, whatever is in it.
    pub(in super::super) fn cannot_be_kept(&self) -> bool {
        self.kind != ValueKind::Other && self.alone && !self.typed
    }
}

/// The variables that the cell defines at its top level, in order.
pub(in super::super) fn bindings(code: &str) -> Vec<Binding> {
    let cell = Parsed::of(code);
    let statements = cell.statements().filter_map(ast::LetStmt::cast);
    statements
        .flat_map(|statement| of_let(&cell, &statement))
        .collect()
}

fn of_let(cell: &Parsed, statement: &ast::LetStmt) -> Vec<Binding> {
    let Some(pattern) = statement.pat() else {
        return Vec::new();
    };
    let whole = cell.bytes(statement.syntax().text_range());
    let value = statement.initializer();
    let alone = matches!(pattern, ast::Pat::IdentPat(_));
    let names = pattern
        .syntax()
        .descendants()
        .filter_map(ast::IdentPat::cast);
    let bindings = names.filter_map(|pattern| {
        let name = pattern.name()?;
        let start = pattern.mut_token().map_or_else(
            || name.syntax().text_range().start(),
            |token| token.text_range().start(),
        );
        Some(Binding {
            name: name.text().to_string(),
            is_mut: pattern.mut_token().is_some(),
            span: cell.bytes(TextRange::new(start, name.syntax().text_range().end()))?,
            statement: whole.clone()?,
            value: value
                .as_ref()
                .and_then(|value| cell.bytes(value.syntax().text_range())),
            kind: value.as_ref().map_or(ValueKind::Other, kind),
            typed: statement.ty().is_some(),
            alone,
        })
    });
    bindings.collect()
}

fn kind(value: &ast::Expr) -> ValueKind {
    match value {
        ast::Expr::ClosureExpr(_) => ValueKind::Closure,
        ast::Expr::BlockExpr(block) if super::is_async(block.syntax()) => ValueKind::AsyncBlock,
        ast::Expr::ParenExpr(inner) => inner.expr().as_ref().map_or(ValueKind::Other, kind),
        _ => ValueKind::Other,
    }
}

/// How many parameters the closure takes that stands at some bytes of the cell; `None` for anything
/// else, and for an async closure.
pub(in super::super) fn parameters(code: &str, value: &Range<usize>) -> Option<usize> {
    let node = Parsed::of(code).covering(value)?;
    let closure = node.descendants().find_map(ast::ClosureExpr::cast)?;
    let list = closure.param_list()?;
    let is_whole = kind(&ast::Expr::cast(node)?) == ValueKind::Closure;
    (is_whole && closure.async_token().is_none()).then(|| list.params().count())
}

/// The variables to which the code of the cell itself assigns, by `name = …`.
pub(in super::super) fn assigned(code: &str) -> BTreeSet<String> {
    let cell = Parsed::of(code);
    let mut found = BTreeSet::new();
    if let Some(body) = cell.body() {
        collect_assigned(body.syntax(), &mut found);
    }
    found
}

fn collect_assigned(node: &SyntaxNode, found: &mut BTreeSet<String>) {
    for child in node.children() {
        if is_elsewhere(&child) {
            continue;
        }
        if let Some(assignment) = ast::BinExpr::cast(child.clone())
            && assignment.op_kind() == Some(BinaryOp::Assignment { op: None })
            && let Some(ast::Expr::PathExpr(left)) = assignment.lhs()
        {
            found.insert(left.syntax().text().to_string());
        }
        collect_assigned(&child, found);
    }
}

/// Items and closures are not run where they stand.
fn is_elsewhere(node: &SyntaxNode) -> bool {
    node.kind() == SyntaxKind::CLOSURE_EXPR
        || ast::Item::can_cast(node.kind()) && node.kind() != SyntaxKind::MACRO_CALL
}

/// How a name is used at a place in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Use {
    /// In an item, which cannot see variables.
    InItem,
    /// On the left of `=`.
    Assigned,
    /// By reference, as far as parsing tells.
    Borrowed,
    Other,
}

/// How the name at some bytes of the cell is used.
pub(in super::super) fn use_at(code: &str, span: &Range<usize>) -> Use {
    let cell = Parsed::of(code);
    let Some(node) = cell.covering(span) else {
        return Use::Other;
    };
    if is_in_item(code, span) {
        return Use::InItem;
    }
    if node
        .ancestors()
        .any(|node| node.kind() == SyntaxKind::TOKEN_TREE)
    {
        // The macros of lessons print.
        return Use::Borrowed;
    }
    let name = node
        .ancestors()
        .take_while(|other| other.text_range() == node.text_range());
    let Some(parent) = name.last().and_then(|name| name.parent()) else {
        return Use::Other;
    };
    let is_assignment = ast::BinExpr::cast(parent.clone()).is_some_and(|parent| {
        let on_the_left = parent
            .lhs()
            .is_some_and(|left| left.syntax().text_range() == node.text_range());
        on_the_left && parent.op_kind() == Some(BinaryOp::Assignment { op: None })
    });
    match parent.kind() {
        _ if is_assignment => Use::Assigned,
        SyntaxKind::METHOD_CALL_EXPR | SyntaxKind::REF_EXPR | SyntaxKind::INDEX_EXPR => {
            Use::Borrowed
        }
        _ => Use::Other,
    }
}

/// Whether some bytes of the cell are in an item that it defines.
pub(in super::super) fn is_in_item(code: &str, span: &Range<usize>) -> bool {
    let node = Parsed::of(code).covering(span);
    node.is_some_and(|node| node.ancestors().any(|node| is_item_in_cell(&node)))
}

fn is_item_in_cell(node: &SyntaxNode) -> bool {
    ast::Item::can_cast(node.kind())
        && node.kind() != SyntaxKind::MACRO_CALL
        && node
            .parent()
            .is_some_and(|parent| parent.kind() != SyntaxKind::SOURCE_FILE)
}

/// The closure or `async` block around some bytes of the cell that takes what it names with it:
/// the bytes of `move |…|` or `async move`, and what rustc calls it.
pub(in super::super) fn taker(
    code: &str,
    span: &Range<usize>,
) -> Option<(Range<usize>, &'static str)> {
    let cell = Parsed::of(code);
    let node = cell.covering(span)?;
    node.ancestors().find_map(|node| {
        if let Some(closure) = ast::ClosureExpr::cast(node.clone()) {
            let head = TextRange::new(
                node.text_range().start(),
                closure.param_list()?.syntax().text_range().end(),
            );
            return Some((cell.bytes(head)?, "closure"));
        }
        let block = ast::BlockExpr::cast(node.clone())?;
        let last = block.move_token().or_else(|| block.async_token())?;
        let head = TextRange::new(
            block.async_token()?.text_range().start(),
            last.text_range().end(),
        );
        Some((cell.bytes(head)?, "`async` block"))
    })
}

/// Whether a `for` of the cell loops over just these bytes.
pub(in super::super) fn is_looped_over(code: &str, span: &Range<usize>) -> bool {
    let cell = Parsed::of(code);
    let loops = cell.root().descendants().filter_map(ast::ForExpr::cast);
    let mut iterables = loops.filter_map(|each| each.iterable());
    iterables.any(|each| cell.bytes(each.syntax().text_range()).as_ref() == Some(span))
}

/// Whether the value at some bytes of the cell names one of these variables.
pub(in super::super) fn mentions(
    code: &str,
    span: &Range<usize>,
    is_variable: impl Fn(&str) -> bool,
) -> bool {
    let cell = Parsed::of(code);
    let Some(node) = cell.covering(span) else {
        return false;
    };
    let words = node
        .descendants_with_tokens()
        .filter_map(|element| element.into_token());
    words.into_iter().any(|word| match word.kind() {
        SyntaxKind::IDENT => is_variable(word.text()),
        // `{name}` in a format string.
        SyntaxKind::STRING => ast::String::cast(word).is_some_and(|text| {
            let mut parts = text.text().split(['{', '}', ':']);
            parts.any(&is_variable)
        }),
        _ => false,
    })
}

/// A statement or an item of a cell, with what stands before the next: as evcxr splits it
/// (`statement_splitter.rs`).
pub(in super::super) struct Part {
    pub(in super::super) bytes: Range<usize>,
    pub(in super::super) is_item: bool,
}

/// The parts of the cell, in order.
pub(in super::super) fn parts(code: &str) -> Vec<Part> {
    let cell = Parsed::of(code);
    let starts: Vec<(usize, bool)> = cell
        .statements()
        .filter_map(|node| {
            let is_item = ast::Item::can_cast(node.kind()) && node.kind() != SyntaxKind::MACRO_CALL;
            Some((cell.bytes(node.text_range())?.start, is_item))
        })
        .collect();
    let ends = starts.iter().skip(1).map(|(start, _)| *start);
    let ends = ends.chain([code.len()]);
    let parts = starts.iter().zip(ends);
    parts
        .map(|((start, is_item), end)| Part {
            bytes: *start..end.max(*start),
            is_item: *is_item,
        })
        .collect()
}

/// The byte at which the statement begins that some bytes of the cell belong to.
pub(in super::super) fn statement_start(code: &str, at: usize) -> usize {
    let cell = Parsed::of(code);
    let starts = cell
        .statements()
        .filter_map(|node| cell.bytes(node.text_range()))
        .map(|bytes| bytes.start);
    starts.take_while(|start| *start <= at).last().unwrap_or(at)
}

/// The byte at which the first statement begins; 0 for a cell without any.
pub(in super::super) fn first_statement(code: &str) -> usize {
    let cell = Parsed::of(code);
    let mut starts = cell
        .statements()
        .filter_map(|node| cell.bytes(node.text_range()));
    starts.next().map_or(0, |bytes| bytes.start)
}

impl Parsed {
    /// The smallest node that holds these bytes of the cell.
    fn covering(&self, span: &Range<usize>) -> Option<SyntaxNode> {
        let offset = |byte: usize| {
            let shifted = byte.checked_add_signed(self.shift)?;
            TextSize::try_from(shifted).ok()
        };
        let range = TextRange::new(offset(span.start)?, offset(span.end.max(span.start))?);
        let root = self.root();
        if !root.text_range().contains_range(range) {
            return None;
        }
        let element = root.covering_element(range);
        element.as_node().cloned().or_else(|| element.parent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variables_of_a_cell_are_found() {
        let code = ":dep a\nlet mut x = 1; let (y, _) = f();\nfn g() { let z = 1; }";
        let found = bindings(code);
        let names = Vec::from_iter(found.iter().map(|one| (one.name.as_str(), one.is_mut)));
        assert_eq!(names, [("x", true), ("y", false)]);
        assert_eq!(&code[found[0].span.clone()], "mut x");
        assert_eq!(&code[found[0].statement.clone()], "let mut x = 1;");
        assert_eq!(&code[found[0].value.clone().unwrap()], "1");
        assert!(found[0].alone && !found[1].alone);
    }

    #[test]
    fn values_without_a_nameable_type_are_known() {
        let check = |code: &str| bindings(code)[0].cannot_be_kept();
        assert!(check("let f = |x| x + 1;"));
        assert!(check("let f = (move || 1);"));
        assert!(check("let f = async move { 1 };"));
        assert!(!check("let f: fn() -> i32 = || 1;"));
        assert!(!check("let f = Box::new(|| 1);"));
        assert!(!check("let f = { || 1 };"));
    }

    #[test]
    fn assignments_of_the_cell_itself_are_found() {
        let code = "a = 1; if b { c = 2; } d += 1; x.y = 1; fn f() { e = 1; } g(|| h = 1);";
        assert_eq!(Vec::from_iter(assigned(code)), ["a", "c"]);
    }

    #[test]
    fn uses_are_told_apart() {
        let check = |code: &str, expected| {
            let at = code.rfind('v').unwrap();
            assert_eq!(use_at(code, &(at..at + 1)), expected, "{code}");
        };
        check("v = 1;", Use::Assigned);
        check("x = v;", Use::Other);
        check("v.len()", Use::Borrowed);
        check("&v", Use::Borrowed);
        check("println!(\"{v}\");", Use::Borrowed);
        check("drop(v)", Use::Other);
        check("fn f() { g(v); }", Use::InItem);
    }

    #[test]
    fn what_takes_a_variable_is_found() {
        let check = |code: &str, expected: Option<(&str, &str)>| {
            let at = code.rfind('v').unwrap();
            let found = taker(code, &(at..at + 1));
            assert_eq!(found.map(|(head, what)| (&code[head], what)), expected);
        };
        check("f(move || drop(v));", Some(("move ||", "closure")));
        check(
            "f(async move { g(v) });",
            Some(("async move", "`async` block")),
        );
        check("f(v);", None);
    }
}
