//! Cells that are nested so deeply that no parser gets through them.
//!
//! Parsers call themselves for each level, and a stack that is full ends the whole process: this
//! one, where rust-analyzer parses a cell, as well as rustc. So the depth is counted before
//! anybody parses, over the tokens alone, as the most that it can be.

use ra_ap_parser::{Edition, LexedStr, SyntaxKind};

/// So many parentheses, brackets and braces may be open. rustc 1.95 crashes between 700 and 1000.
const MOST_OPEN: usize = 500;

/// So many operators and keywords may stand in one expression: each of them may be a level, as in
/// `1 + 1 + 1` or `if … else if … else if`. rustc 1.95 crashes between 4000 and 6000 levels.
const MOST_IN_ONE_EXPRESSION: usize = 4000;

/// What is too deep, and in which line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct TooDeep {
    what: &'static str,
    most: usize,
    line: usize,
}

impl TooDeep {
    /// What the student reads.
    pub(in super::super) fn message(self) -> String {
        let Self { what, most, line } = self;
        format!(
            "line {line} has more than {most} {what}, with which rustc cannot cope: nothing was run"
        )
    }
}

/// Whether a parser could fail at this code.
pub(in super::super) fn too_deep(code: &str) -> Option<TooDeep> {
    let tokens = LexedStr::new(Edition::Edition2024, code);
    // Of each expression that is open, how many levels it has.
    let mut levels = vec![0];
    let mut sum = 0;
    let mut after_block = false;
    for index in 0..tokens.len() {
        let kind = tokens.kind(index);
        if kind.is_trivia() {
            continue;
        }
        // A block ends a statement, unless that goes on.
        let goes_on = matches!(kind, SyntaxKind::ELSE_KW) || kind.is_punct();
        if std::mem::take(&mut after_block) && !goes_on {
            sum -= restart(&mut levels);
        }
        match kind {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => levels.push(0),
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => {
                if levels.len() > 1 {
                    sum -= levels.pop().unwrap_or_default();
                }
                after_block = kind == SyntaxKind::R_CURLY;
            }
            SyntaxKind::COMMA | SyntaxKind::SEMICOLON => sum -= restart(&mut levels),
            kind if kind.is_punct() || kind.is_keyword(Edition::Edition2024) => {
                sum += 1;
                if let Some(level) = levels.last_mut() {
                    *level += 1;
                }
            }
            _ => {}
        }
        let found = |what, most| {
            let line = code[..tokens.text_start(index)].matches('\n').count() + 1;
            Some(TooDeep { what, most, line })
        };
        if levels.len() > MOST_OPEN + 1 {
            return found("open parentheses, brackets and braces", MOST_OPEN);
        }
        if sum > MOST_IN_ONE_EXPRESSION {
            return found(
                "operators and keywords in one expression",
                MOST_IN_ONE_EXPRESSION,
            );
        }
    }
    None
}

/// A new expression begins beside the innermost one. Gives how many levels that had.
fn restart(levels: &mut [usize]) -> usize {
    levels.last_mut().map(std::mem::take).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_parser_gets_through_is_not_too_deep() {
        let lines = "let x = if a { -1 } else { v[i] + 1 };\n".repeat(10_000);
        let arms = "1 => {}\n2 | 3 => f(),\n".repeat(10_000);
        for code in [
            "(".repeat(MOST_OPEN),
            format!("let x = 1{};", "+ 1".repeat(MOST_IN_ONE_EXPRESSION - 2)),
            format!("[{}]", "-1, ".repeat(10_000)),
            format!("match x {{ {arms} }}"),
            "fn f() {}\n".repeat(10_000),
            "if a {}\n".repeat(10_000),
            ")".repeat(10_000),
            lines,
        ] {
            assert_eq!(too_deep(&code), None, "{:.40}", code);
        }
    }

    #[test]
    fn what_calls_itself_for_each_level_is_too_deep() {
        for code in [
            "(",
            "{",
            "[",
            "-",
            "&",
            "||",
            "Option<",
            "+ 1",
            ".f()",
            "if a {} else ",
        ] {
            let code = format!("let x =\n{}", code.repeat(100_000));
            assert_eq!(
                too_deep(&code).map(|found| found.line),
                Some(2),
                "{code:.40}"
            );
        }
    }

    #[test]
    fn what_is_no_code_has_no_depth() {
        let deep = "(".repeat(10_000);
        assert_eq!(
            too_deep(&format!("// {deep}\n/* {deep} */ \"{deep}\"")),
            None
        );
    }
}
