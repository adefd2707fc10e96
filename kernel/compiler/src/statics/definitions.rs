//! Whether the type of a variable is still defined as it was when the variable was made.
//!
//! A type that a notebook defines is compiled anew into every cell, and to rustc it is the same type
//! as long as its path and the names of its fields are: `TypeId` does not know that a field `u8` has
//! become a `String`. A variable of the old one would be taken for one of the new. So the text that
//! a type is made of is compared: its own definition and those of all types that it names, and so
//! on. What functions and `impl`s say may change, since a value does not consist of it.
//!
//! The store is told of the definitions when a cell ends, and asked when one begins.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ImplItem, Item, TraitItem};

use super::{find, identifiers};
use crate::{
    checkpoints::CELL_FUNCTION,
    rewrite::{checked, put},
};

/// Attributes that change nothing of a value.
const HARMLESS: [&str; 6] = ["allow", "derive", "doc", "expect", "must_use", "warn"];

/// Writes what the store is told and asked behind the lines that evcxr generated. `made` are the numbers of
/// those variables that were kept before anybody knew their types.
pub fn watch(source: &str, made: &BTreeMap<String, u64>) -> String {
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    let header = lines
        .iter()
        .rposition(|line| line.starts_with(CELL_FUNCTION));
    let (Some(header), Ok(file)) = (header, syn::parse_file(source)) else {
        return source.to_owned();
    };
    let definitions = Definitions::of(&file.items);
    let mut ends = BTreeMap::new();
    for line in &mut lines[header..] {
        if let Some((name, ty)) = checked(line) {
            let code = definitions.code(ty);
            if code == 0 {
                continue;
            }
            let told = made.get(name).map(|made| {
                format!(" evcxr_variable_store.define(&[(stringify!({name}), {made})]);")
            });
            let question = format!(
                "{} vars_ok = vars_ok && evcxr_variable_store.is_defined_as(stringify!({name}), {code});",
                told.unwrap_or_default()
            );
            line.push_str(&question);
        } else if let Some((name, ty)) = put(line) {
            let code = definitions.code(ty);
            if code != 0 {
                ends.insert(name.to_owned(), code);
            }
        }
    }
    let end = lines
        .iter()
        .rposition(|line| line.ends_with("evcxr_variable_store"));
    if let Some(end) = end.filter(|_| !ends.is_empty()) {
        let list = ends
            .iter()
            .map(|(name, code)| format!("(stringify!({name}), {code})"));
        let list = Vec::from_iter(list).join(", ");
        let at = lines[end].len() - "evcxr_variable_store".len();
        lines[end].insert_str(at, &format!("evcxr_variable_store.define(&[{list}]); "));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A number for all that a type is made of in this source; 0 if the notebook defines nothing of it.
pub fn code(source: &str, ty: &str) -> u64 {
    syn::parse_file(source).map_or(0, |file| Definitions::of(&file.items).code(ty))
}

/// What the items of a source say about values, by their names.
struct Definitions(BTreeMap<String, Vec<Part>>);

/// What one item says.
struct Part {
    text: String,
    /// Every name in it.
    names: Vec<String>,
}

impl Definitions {
    fn of(items: &[Item]) -> Self {
        let mut by_name: BTreeMap<String, Vec<Part>> = BTreeMap::new();
        for item in items {
            for name in find::names(item) {
                let tokens = about_values(item);
                let is_path = matches!(item, Item::Use(_));
                by_name.entry(name).or_default().push(Part {
                    text: if is_path {
                        String::new()
                    } else {
                        tokens.to_string()
                    },
                    names: identifiers(tokens),
                });
            }
        }
        Self(by_name)
    }

    /// A number that stands for all that a type is made of; 0 for a type of which nothing is defined
    /// in the notebook.
    fn code(&self, ty: &str) -> u64 {
        let Ok(ty) = ty.parse::<TokenStream>() else {
            return 0;
        };
        let mut seen = BTreeSet::new();
        let mut texts = BTreeSet::new();
        let mut waiting = identifiers(ty);
        while let Some(name) = waiting.pop() {
            let parts = self.0.get(&name).into_iter().flatten();
            if seen.insert(name) {
                for part in parts {
                    texts.insert(part.text.as_str());
                    waiting.extend(part.names.iter().cloned());
                }
            }
        }
        texts.remove("");
        if texts.is_empty() {
            return 0;
        }
        let mut hasher = DefaultHasher::new();
        texts.hash(&mut hasher);
        hasher.finish()
    }
}

/// The part of an item that a value can consist of.
fn about_values(item: &Item) -> TokenStream {
    match item {
        Item::Const(_)
        | Item::Enum(_)
        | Item::Macro(_)
        | Item::Struct(_)
        | Item::Type(_)
        | Item::Union(_)
        | Item::Use(_) => without_harmless(item.to_token_stream()),
        Item::Mod(module) => {
            let items = module.content.iter().flat_map(|(_, items)| items);
            items.map(about_values).collect()
        }
        // Its methods make up the table that a `dyn` value has.
        Item::Trait(item) => {
            let supertraits = item.supertraits.to_token_stream();
            let items = item.items.iter().map(|item| match item {
                TraitItem::Fn(method) => method.sig.to_token_stream(),
                other => other.to_token_stream(),
            });
            std::iter::once(supertraits).chain(items).collect()
        }
        Item::Impl(item) => {
            let types = item.items.iter().filter_map(|item| match item {
                ImplItem::Type(ty) => Some(ty.to_token_stream()),
                _ => None,
            });
            types.collect()
        }
        _ => TokenStream::new(),
    }
}

fn without_harmless(tokens: TokenStream) -> TokenStream {
    let mut kept = Vec::new();
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_hash = matches!(&token, TokenTree::Punct(mark) if mark.as_char() == '#');
        if is_hash && tokens.peek().is_some_and(is_harmless) {
            tokens.next();
            continue;
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inside = without_harmless(group.stream());
                TokenTree::Group(Group::new(group.delimiter(), inside))
            }
            other => other,
        });
    }
    kept.into_iter().collect()
}

fn is_harmless(attribute: &TokenTree) -> bool {
    let TokenTree::Group(group) = attribute else {
        return false;
    };
    let first = group.stream().into_iter().next();
    let name = first.map(|name| name.to_string()).unwrap_or_default();
    group.delimiter() == Delimiter::Bracket && HARMLESS.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_what_it_is_made_of() {
        const ITEMS: &str = "struct Outer { inner: Vec<Inner> }\nstruct Inner { a: u8 }\n\
                             const N: usize = 3;\ntype Row = [u8; N];\n\
                             trait Shout { fn shout(&self) { f() } }\nmod m { pub struct S(u8); }\n";
        let changes = [
            ("Box<Outer>", "a: u8", "a: String"),
            ("Option<Row>", "= 3", "= 4"),
            ("Box<dyn Shout>", "&self", "&mut self"),
            ("m::S", "S(u8)", "S(u16)"),
        ];
        for (ty, before, after) in changes {
            assert_ne!(code(ITEMS, ty), 0, "{ty}");
            assert_ne!(
                code(ITEMS, ty),
                code(&ITEMS.replace(before, after), ty),
                "{ty}"
            );
        }
        assert_eq!(code(ITEMS, "Vec<i32>"), 0);
    }

    #[test]
    fn what_a_value_does_not_consist_of_may_change() {
        let before = "use x::A;\nstruct S { a: A }\nimpl S { fn f() {} }\nstruct Other;\n";
        let after = "use std::fmt;\n/// A doc.\n#[derive(Debug)] struct S { #[doc = \"b\"] a: A }\n\
                     impl S { fn f() { g() } }\nstruct Other { a: u8 }\nuse y::A;";
        assert_eq!(code(before, "S"), code(after, "S"));
        assert_ne!(code(before, "S"), 0);
    }

    #[test]
    fn the_store_is_asked_at_the_beginning_and_told_at_the_end() {
        let source = "struct S;\npub extern \"C-unwind\" fn run_user_code_1() {\n{let mut vars_ok = true;\n\
            vars_ok &= evcxr_variable_store.check_variable::<S>(stringify!(s));\n}\n\
            evcxr_variable_store.put_variable::<S>(stringify!(s), s);\nevcxr_variable_store\n}\n";
        let number = code(source, "S");
        let watched = watch(source, &BTreeMap::new());
        assert_eq!(watched.lines().count(), source.lines().count());
        let question = format!(
            "(stringify!(s)); vars_ok = vars_ok && evcxr_variable_store.is_defined_as(stringify!(s), {number});\n"
        );
        assert!(watched.contains(&question), "{watched}");
        let told = format!(
            "evcxr_variable_store.define(&[(stringify!(s), {number})]); evcxr_variable_store\n"
        );
        assert!(watched.contains(&told), "{watched}");
    }
    #[test]
    fn what_was_made_before_its_type_was_known_is_defined_then() {
        let source = "struct S;\npub extern \"C-unwind\" fn run_user_code_1() {\n\
            vars_ok &= evcxr_variable_store.check_variable::<S>(stringify!(s));\n}\n";
        let watched = watch(source, &BTreeMap::from([("s".to_owned(), 7)]));
        let told = "(stringify!(s)); evcxr_variable_store.define(&[(stringify!(s), 7)]); vars_ok =";
        assert!(watched.contains(told), "{watched}");
    }
}
