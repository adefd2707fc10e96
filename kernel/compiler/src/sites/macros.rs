//! What stands in calls of macros: expressions, or who knows what.

use proc_macro2::{TokenStream, TokenTree};
use syn::{Expr, Token, punctuated::Punctuated};

/// Macros whose arguments are expressions, which they do not quote.
const PLAIN: [&str; 14] = [
    "print",
    "println",
    "eprint",
    "eprintln",
    "format",
    "write",
    "writeln",
    "assert_eq",
    "assert_ne",
    "debug_assert_eq",
    "debug_assert_ne",
    "vec",
    "panic",
    "matches",
];
/// Macros that quote their first argument, unless another one says what to print.
const QUOTING: [&str; 2] = ["assert", "debug_assert"];

/// The arguments of a macro that evaluates them as they are.
pub(super) fn arguments(call: &syn::Macro) -> Option<Vec<Expr>> {
    let name = &call.path.segments.last()?.ident;
    let (is_plain, quotes) = (
        PLAIN.iter().any(|plain| name == plain),
        QUOTING.iter().any(|quoting| name == quoting),
    );
    let arguments = expressions(call).filter(|_| is_plain || quotes)?;
    (is_plain || arguments.len() > 1).then_some(arguments)
}

/// The arguments of a macro, if they are expressions; of `matches!`, the first.
fn expressions(call: &syn::Macro) -> Option<Vec<Expr>> {
    let list = call.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated);
    let list = list.map(|list| list.into_iter().collect());
    let repeated = || {
        let parse = |input: syn::parse::ParseStream<'_>| {
            let value: Expr = input.parse()?;
            input.step(|cursor| Ok(((), skip_all(*cursor))))?;
            Ok(vec![value])
        };
        call.parse_body_with(parse)
    };
    list.or_else(|_| repeated()).ok()
}

fn skip_all(mut cursor: syn::buffer::Cursor<'_>) -> syn::buffer::Cursor<'_> {
    while let Some((_, rest)) = cursor.token_tree() {
        cursor = rest;
    }
    cursor
}

/// Macros that await several futures at once.
const COMBINING: [&str; 4] = ["select", "select_biased", "join", "try_join"];

/// The name of such a macro, with its `!`, and what it awaits, as it stands there.
pub(super) fn combines(call: &syn::Macro, source: &str) -> Option<(&'static str, String)> {
    let name = &call.path.segments.last()?.ident;
    let name = COMBINING.iter().find(|combining| name == *combining)?;
    let tokens: Vec<TokenTree> = call.tokens.clone().into_iter().collect();
    let (name, futures) = match *name {
        "join" => ("join!", separated(&tokens)),
        "try_join" => ("try_join!", separated(&tokens)),
        _ => ("select!", branches(&tokens)),
    };
    let texts = futures.iter().filter_map(|tokens| {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let range = first.span().byte_range().start..last.span().byte_range().end;
        let words: Vec<&str> = source.get(range)?.split_whitespace().collect();
        Some(format!("`{}`", words.join(" ")))
    });
    let texts: Vec<String> = texts.collect();
    let (last, others) = texts.split_last()?;
    let list = match others {
        [] => last.clone(),
        others => format!("{} and {last}", others.join(", ")),
    };
    Some((name, list))
}

/// The expressions between commas; `biased;` before them is none.
fn separated(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let begin = tokens.iter().position(|token| sign(token) == Some(';'));
    let tokens = &tokens[begin.map_or(0, |at| at + 1)..];
    tokens.split(|token| sign(token) == Some(',')).collect()
}

/// What stands between `=` and `=>`, or a condition, in each branch.
fn branches(tokens: &[TokenTree]) -> Vec<&[TokenTree]> {
    let mut found = Vec::new();
    let mut begin = None;
    let mut is_condition = false;
    for (at, pair) in tokens.windows(2).enumerate() {
        let is_future = begin.is_some() && !is_condition;
        match (sign(&pair[0]), sign(&pair[1])) {
            (Some('='), Some('>')) => {
                found.extend(
                    begin
                        .take()
                        .filter(|_| is_future)
                        .map(|begin| &tokens[begin..at]),
                );
                is_condition = false;
            }
            (Some('='), _) if begin.is_none() => begin = Some(at + 1),
            (Some(','), _)
                if is_future && matches!(&pair[1], TokenTree::Ident(word) if word == "if") =>
            {
                found.extend(begin.map(|begin| &tokens[begin..at]));
                is_condition = true;
            }
            _ => {}
        }
    }
    found
}

fn sign(token: &TokenTree) -> Option<char> {
    match token {
        TokenTree::Punct(punct) => Some(punct.as_char()),
        _ => None,
    }
}

/// Whether there is a call of one of these methods, without arguments, among the tokens.
pub(super) fn takes_lock(tokens: TokenStream, names: &[&str]) -> bool {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let is_call = tokens.windows(3).any(|three| match three {
        [
            TokenTree::Punct(dot),
            TokenTree::Ident(name),
            TokenTree::Group(arguments),
        ] => {
            dot.as_char() == '.'
                && names.iter().any(|lock| name == lock)
                && arguments.stream().is_empty()
        }
        _ => false,
    });
    is_call
        || tokens.into_iter().any(|token| match token {
            TokenTree::Group(group) => takes_lock(group.stream(), names),
            _ => false,
        })
}
