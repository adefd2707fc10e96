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
