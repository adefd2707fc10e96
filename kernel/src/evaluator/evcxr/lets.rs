//! Writes the types of variables into a cell, for evcxr.
//!
//! evcxr takes the type that a `let` names, and asks rust-analyzer for the others. So each `let` at
//! the top level of a cell is given the type that rustc found:
//!
//! ```text
//! let x = 1;             let x: i32 = 1;
//! let (a, b) = pair();   let (a, b) = pair(); let a: i32 = a; let b: f64 = b;
//! ```
//!
//! What is written stands between the marks of [`interleave_protocol::types`], and the compiler takes
//! it out again before rustc sees the cell.

use std::{collections::BTreeMap, ops::Range};

use interleave_protocol::types::{CLOSE, OPEN};
use ra_ap_syntax::{
    AstNode, SyntaxKind,
    ast::{self, HasName},
};

use super::{late_statics, syntax::parsed::Parsed};

/// A variable without a complete type, defined at the top level of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Where the name stands, in bytes.
    place: Range<usize>,
    mutable: bool,
    /// Where to write its type, in bytes.
    at: usize,
    form: Form,
}

/// How to write the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Behind the name.
    Annotation,
    /// As another `let` behind the statement.
    Statement,
}

/// The variables of a cell that need a type. Of those with the same name the last: the others are
/// gone when the cell ends.
pub(super) fn untyped(code: &str) -> Vec<Variable> {
    let cell = Parsed::of(code);
    let mut variables: Vec<Option<Variable>> = Vec::new();
    for statement in cell.statements().filter_map(ast::LetStmt::cast) {
        for (name, variable) in of_statement(&statement, &cell) {
            variables.retain(|other| other.as_ref().is_none_or(|other| other.name != name));
            variables.push(variable);
        }
    }
    variables.into_iter().flatten().collect()
}

/// The variables of a `let`, each with what is to be written, if anything is.
fn of_statement(statement: &ast::LetStmt, cell: &Parsed) -> Vec<(String, Option<Variable>)> {
    let Some(pattern) = statement.pat() else {
        return Vec::new();
    };
    let end = cell.byte(statement.syntax().text_range().end());
    let ty = statement.ty();
    let is_complete = ty.as_ref().is_some_and(is_complete);
    let is_name = matches!(&pattern, ast::Pat::IdentPat(name) if name.pat().is_none());
    let names = pattern
        .syntax()
        .descendants()
        .filter_map(ast::IdentPat::cast);
    names
        .filter_map(|ident| {
            let name = ident.name()?;
            let place = name.syntax().text_range();
            let annotate = is_name && ty.is_none() && ident.ref_token().is_none();
            let (form, at) = match annotate {
                true => (
                    Form::Annotation,
                    cell.byte(pattern.syntax().text_range().end()),
                ),
                false => (Form::Statement, end),
            };
            let variable = Variable {
                name: name.text().to_string(),
                place: cell.byte(place.start())..cell.byte(place.end()),
                mutable: ident.mut_token().is_some(),
                at,
                form,
            };
            let known = is_name && is_complete;
            Some((variable.name.clone(), (!known).then_some(variable)))
        })
        .collect()
}

fn is_complete(ty: &ast::Type) -> bool {
    !ty.syntax()
        .descendants()
        .any(|node| node.kind() == SyntaxKind::INFER_TYPE)
}

/// A cell with types written into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Typed {
    pub(super) code: String,
    added: Vec<Added>,
}

/// Something that was written into the cell.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Added {
    /// The bytes of the new code that it takes.
    range: Range<usize>,
    /// Where the name stands in the cell that it is about.
    name: Range<usize>,
}

impl Typed {
    /// Writes the types that are known, and what makes items of macros; see [`late_statics`].
    pub(super) fn new(
        code: &str,
        variables: &[Variable],
        types: &BTreeMap<String, String>,
    ) -> Self {
        let of_types = variables.iter().filter_map(|variable| {
            let ty = types.get(&variable.name)?;
            Some((variable.at, variable.with_type(ty), variable.place.clone()))
        });
        let of_items = late_statics::marks(code).into_iter();
        let of_items = of_items.map(|mark| (mark.at, mark.text, mark.at..mark.at));
        let mut pieces: Vec<_> = of_types.chain(of_items).collect();
        pieces.sort_by_key(|(at, ..)| *at);
        let mut typed = Self::default();
        let mut written = 0;
        for (at, text, name) in pieces {
            typed.code.push_str(&code[written..at]);
            written = at;
            let start = typed.code.len();
            typed.code.push_str(&text);
            typed.added.push(Added {
                range: start..typed.code.len(),
                name,
            });
        }
        typed.code.push_str(&code[written..]);
        typed
    }

    /// Whether nothing was written.
    pub(super) fn is_as_it_was(&self) -> bool {
        self.added.is_empty()
    }

    /// The byte of the student's cell for one of the new code; within what was written, of the name
    /// that it is about.
    pub(super) fn original(&self, byte: usize) -> Range<usize> {
        let mut shift = 0;
        for added in &self.added {
            if byte < added.range.start {
                break;
            }
            if added.range.contains(&byte) {
                return added.name.clone();
            }
            shift += added.range.len();
        }
        byte - shift..byte - shift
    }
}

impl Variable {
    /// Whether its `let` has nothing but its name.
    pub(super) fn is_plain(&self) -> bool {
        self.form == Form::Annotation
    }

    fn with_type(&self, ty: &str) -> String {
        let name = &self.name;
        match self.form {
            Form::Annotation => format!("{OPEN}: {ty}{CLOSE}"),
            Form::Statement => {
                let mutable = if self.mutable { "mut " } else { "" };
                format!("{OPEN}let {mutable}{name}: {ty} = {name};{CLOSE}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use interleave_protocol::types::without_added;

    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &str) {
        let variables = untyped(code);
        let types = variables
            .iter()
            .map(|variable| (variable.name.clone(), "T".to_owned()));
        let typed = Typed::new(code, &variables, &types.collect());
        assert_eq!(typed.code.replace(OPEN, "«").replace(CLOSE, "»"), expected);
        assert_eq!(without_added(&typed.code), code);
    }

    #[test]
    fn every_variable_that_stays_gets_its_type() {
        check("let x = 1;", "let x«: T» = 1;");
        check(
            "let mut x = 1; let y = x;",
            "let mut x«: T» = 1; let y«: T» = x;",
        );
        check("let x;\nx = 1;", "let x«: T»;\nx = 1;");
        check(
            "let (a, mut b) = f();\na",
            "let (a, mut b) = f();«let a: T = a;»«let mut b: T = b;»\na",
        );
        check(
            "let v: Vec<_> = f(); v",
            "let v: Vec<_> = f();«let v: T = v;» v",
        );
        check(
            "let Some(x) = f() else { return };",
            "let Some(x) = f() else { return };«let x: T = x;»",
        );
        check(":dep a\nlet é = 1;", ":dep a\nlet é«: T» = 1;");
        check("// one\n\nlet x = 1;", "// one\n\nlet x«: T» = 1;");
    }

    #[test]
    fn what_has_a_type_or_is_gone_gets_none() {
        check("let x: i32 = 1;", "let x: i32 = 1;");
        check("let _ = 1;", "let _ = 1;");
        check("{ let x = 1; }", "{ let x = 1; }");
        check("fn f() { let x = 1; }", "fn f() { let x = 1; }");
        check("let x = 1; let x = x;", "let x = 1; let x«: T» = x;");
        check("let x = 1; let x: u8 = 2;", "let x = 1; let x: u8 = 2;");
    }

    #[test]
    fn a_place_is_found_again() {
        let code = "let x = 1; let (y, z) = f();";
        let types = ["x", "z"].map(|name| (name.to_owned(), "T".to_owned()));
        let typed = Typed::new(code, &untyped(code), &BTreeMap::from(types));
        let byte = |text: &str| typed.code.find(text).unwrap();
        assert_eq!(typed.original(byte("let x")), 0..0);
        assert_eq!(typed.original(byte("(y")), 15..15);
        let repeated = typed.code.rfind("z:").unwrap();
        assert_eq!(typed.original(repeated), 19..20);
    }
}
