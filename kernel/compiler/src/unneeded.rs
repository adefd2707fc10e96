//! Leaves out what earlier cells have defined and this one does not need.
//!
//! evcxr repeats every item in every later cell, so each cell would take longer than the one before
//! it. Left out are functions, and types with nothing but std's derived traits, that nothing else
//! names: they take no part in the inference of types, and no other code can reach them. Everything
//! else stays, so what is left means the same. That they had no error was found when they were defined;
//! only a cell that defines or imports something can change that, and from such a cell nothing is left
//! out. A source that fails without them is compiled with them.

use std::collections::BTreeSet;

use interleave_protocol::CellFacts;
use proc_macro2::{LineColumn, Span};
use syn::{Attribute, Item, Meta, punctuated::Punctuated, spanned::Spanned};

/// Environment variable: `off` compiles all items in each cell.
pub const SWITCH: &str = "INTERLEAVE_UNNEEDED";

/// Traits of std that can be derived. Each is implemented for many types, so that one more or less
/// decides nothing.
const DERIVED: [&str; 9] = [
    "Clone",
    "Copy",
    "Debug",
    "Default",
    "Eq",
    "Hash",
    "Ord",
    "PartialEq",
    "PartialOrd",
];

/// Attributes that do nothing for code elsewhere.
const HARMLESS: [&str; 8] = [
    "allow", "cold", "deny", "doc", "expect", "inline", "must_use", "warn",
];

/// The source with spaces in the place of what the cell does not need; `None` when it needs all.
pub fn left_out(source: &str, facts: &CellFacts) -> Option<String> {
    let is_off = std::env::var_os(SWITCH).is_some_and(|value| value == "off");
    // A macro such as `paste!` makes names out of parts.
    if is_off || !facts.only_statements || source.contains("[<") {
        return None;
    }
    let file = syn::parse_file(source).ok()?;
    let starts = line_starts(source);
    let text = |item: &Item| {
        &source
            [byte(source, &starts, item.span().start())..byte(source, &starts, item.span().end())]
    };
    // The last one is the cell.
    let (cell, items) = file.items.split_last()?;
    let (mut unneeded, kept): (Vec<&Item>, Vec<&Item>) =
        items.iter().partition(|item| is_plain(item));
    if unneeded.is_empty() {
        return None;
    }
    let mut named: BTreeSet<&str> = kept
        .into_iter()
        .chain([cell])
        .flat_map(|item| words(text(item)))
        .collect();
    loop {
        let is_named = |item: &&Item| name(item).is_some_and(|name| named.contains(name.as_str()));
        let (needed, rest): (Vec<&Item>, Vec<&Item>) = unneeded.into_iter().partition(is_named);
        unneeded = rest;
        if needed.is_empty() {
            break;
        }
        named.extend(needed.into_iter().flat_map(|item| words(text(item))));
    }
    (!unneeded.is_empty())
        .then(|| blanked(source, &starts, unneeded.iter().map(|item| item.span())))
}

/// Whether nothing but its name leads to the item.
fn is_plain(item: &Item) -> bool {
    match item {
        Item::Fn(function) => function.sig.abi.is_none() && harmless(&function.attrs),
        Item::Struct(item) => harmless(&item.attrs),
        Item::Enum(item) => harmless(&item.attrs),
        _ => false,
    }
}

fn harmless(attributes: &[Attribute]) -> bool {
    attributes.iter().all(|attribute| {
        if attribute.path().is_ident("derive") {
            return derives_only_std(&attribute.meta);
        }
        HARMLESS.iter().any(|name| attribute.path().is_ident(name))
    })
}

fn derives_only_std(derive: &Meta) -> bool {
    let Meta::List(list) = derive else {
        return false;
    };
    let traits = list.parse_args_with(Punctuated::<syn::Path, syn::Token![,]>::parse_terminated);
    traits.is_ok_and(|traits| {
        traits
            .iter()
            .all(|path| DERIVED.iter().any(|name| path.is_ident(name)))
    })
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string().trim_start_matches("r#").to_owned())
}

/// Every word, also those in texts, since `println!("{x}")` names `x`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

fn line_starts(source: &str) -> Vec<usize> {
    let behind = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(behind).collect()
}

fn byte(source: &str, starts: &[usize], place: LineColumn) -> usize {
    let start = starts[place.line - 1];
    let before = source[start..].chars().take(place.column);
    start + before.map(char::len_utf8).sum::<usize>()
}

/// Lines and bytes stay where they are.
fn blanked(source: &str, starts: &[usize], spans: impl Iterator<Item = Span>) -> String {
    let mut bytes = source.as_bytes().to_vec();
    for span in spans {
        let range = byte(source, starts, span.start())..byte(source, starts, span.end());
        for letter in &mut bytes[range] {
            if *letter != b'\n' {
                *letter = b' ';
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| source.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of items before a cell of one statement.
    #[track_caller]
    fn left(items: &str, statement: &str) -> String {
        let facts = CellFacts {
            only_statements: true,
            ..CellFacts::default()
        };
        let source = format!("{items}\npub extern \"C-unwind\" fn cell() {{\n{statement}\n}}\n");
        let left = left_out(&source, &facts).unwrap_or_else(|| source.clone());
        assert_eq!(left.len(), source.len());
        assert_eq!(left.lines().count(), source.lines().count());
        let end = left.find("pub extern").unwrap();
        assert_eq!(left[end..], source[end..]);
        left[..end].split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_nobody_names_is_left_out() {
        let items = "/// É.\nfn a() {\n    b()\n}\nfn b() {}\n#[derive(Debug, Clone)] struct Pair { d: Kind }\nenum Kind {}";
        assert_eq!(left(items, "let x = 1;"), "");
        assert_eq!(left(items, "b();"), "fn b() {}");
        assert_eq!(left(items, "a();"), "/// É. fn a() { b() } fn b() {}");
        assert_eq!(left(items, "println!(\"{}\", Kind);"), "enum Kind {}");
        assert_eq!(
            left(items, "check::<Pair>();"),
            "#[derive(Debug, Clone)] struct Pair { d: Kind } enum Kind {}"
        );
    }

    #[test]
    fn what_acts_without_being_named_stays_and_all_that_it_names() {
        for items in [
            "impl C { fn d() {} } struct C;",
            "use a::b; fn b() {}",
            "trait T { fn f() { g() } } fn g() {}",
            "#[derive(Serialize)] struct C;",
            "#[unsafe(no_mangle)] fn a() {}",
            "extern \"C\" fn a() {}",
            "static A: B = B; struct B;",
            "macro_rules! m { () => { g() } } fn g() {}",
            "mod m { pub use super::g; } fn g() {}",
        ] {
            assert_eq!(left(items, "let x = 1;"), items);
        }
    }

    #[test]
    fn a_cell_that_defines_something_needs_all() {
        let source = "fn a() {}\nfn cell() {}\n";
        assert_eq!(left_out(source, &CellFacts::default()), None);
    }

    #[test]
    fn where_names_are_made_nothing_is_left_out() {
        let items = "fn one_two() {}";
        assert_eq!(left(items, "paste! { [<one two>]() }"), items);
    }
}
