//! What is still open where the code ends.

use ra_ap_syntax::{Edition, NodeOrToken, SourceFile, SyntaxKind, SyntaxToken};

pub(super) enum Delimiters {
    /// So many are open at the end.
    Open(usize),
    /// A string or a comment is open at the end.
    Unterminated,
    /// One is closed that was not opened.
    Wrong,
}

pub(super) fn open_delimiters(code: &str) -> Delimiters {
    let parse = SourceFile::parse(code, Edition::Edition2024);
    let mut open = Vec::new();
    let mut last = None;
    for token in parse
        .syntax_node()
        .descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
    {
        match token.kind() {
            SyntaxKind::L_CURLY => open.push(SyntaxKind::R_CURLY),
            SyntaxKind::L_PAREN => open.push(SyntaxKind::R_PAREN),
            SyntaxKind::L_BRACK => open.push(SyntaxKind::R_BRACK),
            kind @ (SyntaxKind::R_CURLY | SyntaxKind::R_PAREN | SyntaxKind::R_BRACK) => {
                let closes_the_last = open.pop() == Some(kind);
                if !closes_the_last {
                    return Delimiters::Wrong;
                }
            }
            _ => {}
        }
        last = Some(token);
    }
    if last.is_some_and(|token| is_unterminated(&token)) {
        return Delimiters::Unterminated;
    }
    Delimiters::Open(open.len())
}

fn is_unterminated(token: &SyntaxToken) -> bool {
    let text = token.text();
    match token.kind() {
        SyntaxKind::COMMENT => {
            text.starts_with("/*") && text.matches("/*").count() > text.matches("*/").count()
        }
        SyntaxKind::STRING => {
            let raw = text.trim_start_matches('r');
            let hashes = raw.len() - raw.trim_start_matches('#').len();
            let closing = format!(
                "\"{}",
                "#".repeat(if text.starts_with('r') { hashes } else { 0 })
            );
            text.len() < 2 || !text.ends_with(&closing) || ends_in_escaped_quote(text)
        }
        _ => false,
    }
}

fn ends_in_escaped_quote(text: &str) -> bool {
    let Some(body) = text.strip_suffix('"') else {
        return false;
    };
    !text.starts_with('r') && (body.len() - body.trim_end_matches('\\').len()) % 2 == 1
}
