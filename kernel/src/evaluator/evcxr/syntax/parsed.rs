//! A cell as a tree.

use std::ops::Range;

use ra_ap_syntax::{
    AstNode, Edition, SourceFile, SyntaxNode, TextRange, TextSize,
    ast::{self},
};

use super::{PROLOGUE, without_commands};

/// A cell, parsed as the body of a function, as evcxr reads it (`split_into_statements` in its
/// `statement_splitter.rs`).
pub(in super::super) struct Parsed {
    file: SourceFile,
    /// From a byte of the cell to one of the file.
    pub(super) shift: isize,
}

impl Parsed {
    pub(in super::super) fn of(code: &str) -> Self {
        let text = without_commands(code);
        let file = SourceFile::parse(&format!("{PROLOGUE}{text}\n}}"), Edition::Edition2024).tree();
        // Commands are blanked out line by line: count from the end, which they do not move.
        let shift = (PROLOGUE.len() + text.len()) as isize - code.len() as isize;
        Self { file, shift }
    }

    pub(super) fn root(&self) -> &SyntaxNode {
        self.file.syntax()
    }

    pub(super) fn body(&self) -> Option<ast::BlockExpr> {
        let cell = self.root().children().find_map(ast::Fn::cast)?;
        ast::Fn::body(&cell)
    }

    /// The parts of the cell that evcxr takes for its statements.
    pub(in super::super) fn statements(&self) -> impl Iterator<Item = SyntaxNode> {
        let list = self.body().and_then(|body| body.stmt_list());
        list.into_iter().flat_map(|list| list.syntax().children())
    }

    /// The byte of the cell at a place in it.
    pub(in super::super) fn byte(&self, offset: TextSize) -> usize {
        usize::from(offset).saturating_add_signed(-self.shift)
    }

    /// The bytes of the cell at a range of the file.
    pub(in super::super) fn bytes(&self, range: TextRange) -> Option<Range<usize>> {
        let byte = |offset: TextSize| usize::from(offset).checked_add_signed(-self.shift);
        Some(byte(range.start())?..byte(range.end())?)
    }
}
