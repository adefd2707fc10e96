//! Imports of a cell.

use std::ops::Range;

use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, ast};

use super::parsed::Parsed;

/// Where the cell first imports something by this name, or through a path that has it.
pub(in super::super) fn position(code: &str, name: &str) -> Option<Range<usize>> {
    let cell = Parsed::of(code);
    let imports = cell.root().descendants().filter_map(ast::Use::cast);
    let mut words = imports
        .flat_map(|import| import.syntax().descendants_with_tokens())
        .filter_map(NodeOrToken::into_token)
        .filter(|token| token.kind() == SyntaxKind::IDENT);
    let word = words.find(|word| word.text() == name)?;
    cell.bytes(word.text_range())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_a_list_of_imports() {
        let check = |code: &str, name, expected: Option<&str>| {
            let found = position(code, name);
            assert_eq!(found.map(|bytes| &code[bytes]), expected);
        };
        check("use a::{b, c::d};\nd();", "d", Some("d"));
        assert_eq!(position("// d\nuse a::{b, c::d};", "d"), Some(19..20));
        check("d();", "d", None);
    }
}
