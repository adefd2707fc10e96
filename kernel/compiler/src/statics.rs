//! One identity for each `static` and `thread_local!`, as in a program.
//!
//! evcxr repeats every item in every later cell, so each cell would have statics of its own: a
//! counter that a thread of one cell increments would be zero in the next. Here the cell that
//! defines a static exports it under a symbol, and later cells that repeat the item refer to that
//! symbol instead:
//!
//! ```text
//! static N: AtomicUsize = AtomicUsize::new(0);
//! unsafe extern "C" { #[link_name = "…"] safe static N: AtomicUsize; }
//! ```
//!
//! A static is defined anew when its cell runs again, and when something that its type or its value
//! is made of has changed: the text of every item that its own text names, and so on, is part of
//! what is compared. So a symbol is never taken for one of another type.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use interleave_protocol::{ADDED_TEXT_MARK, CellFacts};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use serde::{Deserialize, Serialize};
use syn::{Item, spanned::Spanned};

use self::find::{Kind, Static};

pub mod definitions;
pub(crate) mod find;

/// The statics of the process that runs the cells.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Known {
    /// The process; another one has none of these.
    host: u64,
    statics: BTreeMap<String, Definition>,
    /// Of statics that several items define: the text of the one that was defined last. Another
    /// process does not change that.
    #[serde(default)]
    newest: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Definition {
    symbol: String,
    /// Everything that it is made of.
    text: String,
}

impl Known {
    /// File in the directory where evcxr compiles.
    pub const FILE: &str = "statics.json";
}

/// Makes the source share its statics with earlier cells. `known` becomes what is true once the
/// source has been compiled and loaded. Source that does not parse stays as it is.
pub fn share(source: &str, facts: &CellFacts, known: &mut Known) -> String {
    if known.host != facts.host || facts.host == 0 {
        *known = Known {
            host: facts.host,
            statics: BTreeMap::new(),
            newest: std::mem::take(&mut known.newest),
        };
    }
    let may_have_statics = source.contains("static ") || source.contains("thread_local");
    let file = match syn::parse_file(source) {
        Ok(file) if may_have_statics => file,
        _ => return source.to_owned(),
    };
    let items = Items::of(&file.items);
    let mut edits = Edits::default();
    let mut found = find::statics(&file.items);
    if source.contains("lazy_static::") {
        // The crate of this name, whose macro makes types of its own.
        found.retain(|found| found.kind != Kind::Lazy);
    }
    remove_older(&mut found, facts, known, &mut edits, source);
    for found in &found {
        let text = items.everything_named_in(found);
        let defined_here = facts.items.contains(&found.item_name);
        match known.statics.get(&found.path) {
            Some(definition) if !defined_here && definition.text == text => {
                edits.import(source, found, &definition.symbol);
            }
            _ => {
                let symbol = symbol(&found.path, facts);
                edits.export(source, found, &symbol);
                known
                    .statics
                    .insert(found.path.clone(), Definition { symbol, text });
            }
        }
    }
    edits.apply(source)
}

/// To evcxr a macro with statics is a module that is called by all of them. So when one of several is
/// defined again, alone or by a `static`, both are there, in no order: the one that counts is that of
/// this cell, or else the newest.
fn remove_older(
    found: &mut Vec<Static>,
    facts: &CellFacts,
    known: &mut Known,
    edits: &mut Edits,
    source: &str,
) {
    let mut chosen: BTreeMap<&str, usize> = BTreeMap::new();
    let rank = |index: usize| {
        let Static {
            item_name,
            path,
            tokens,
            ..
        } = &found[index];
        let is_newest = known.newest.get(path) == Some(&tokens.to_string());
        (facts.items.contains(item_name), is_newest, index)
    };
    for (index, found) in found.iter().enumerate() {
        let best = chosen.entry(&found.path).or_insert(index);
        if rank(index) > rank(*best) {
            *best = index;
        }
    }
    let chosen: BTreeSet<usize> = chosen.into_values().collect();
    let mut index = 0..;
    found.retain(|found| {
        let is_chosen = index.next().is_some_and(|index| chosen.contains(&index));
        if is_chosen {
            let text = found.tokens.to_string();
            known.newest.insert(found.path.clone(), text);
        } else {
            edits.replace(source, found.own.clone(), "");
        }
        is_chosen
    });
}

/// Unique in the process: a cell has its own number, and a path occurs once in a source.
fn symbol(path: &str, facts: &CellFacts) -> String {
    let path: String = path
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        })
        .collect();
    format!("interleave_static_{}_{path}", facts.id)
}

/// The items of a source by name.
struct Items<'a> {
    by_name: BTreeMap<String, Vec<&'a Item>>,
}

impl<'a> Items<'a> {
    fn of(items: &'a [Item]) -> Self {
        let mut by_name: BTreeMap<String, Vec<&Item>> = BTreeMap::new();
        for item in items {
            for name in find::names(item) {
                by_name.entry(name).or_default().push(item);
            }
        }
        Self { by_name }
    }

    /// The text of a static, and of each item that it names, and so on.
    fn everything_named_in(&self, found: &Static) -> String {
        // Others may be defined in one macro with it.
        let mut seen = BTreeSet::from([found.name.clone()]);
        let mut texts = BTreeSet::new();
        let mut waiting = vec![found.tokens.clone()];
        while let Some(tokens) = waiting.pop() {
            let text = tokens.to_string();
            if !texts.insert(text) {
                continue;
            }
            for name in identifiers(tokens) {
                if seen.insert(name.clone()) {
                    let items = self.by_name.get(&name).into_iter().flatten();
                    waiting.extend(items.map(ToTokens::to_token_stream));
                }
            }
        }
        Vec::from_iter(texts).join("\n")
    }
}

fn identifiers(tokens: TokenStream) -> Vec<String> {
    let mut found = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Ident(name) => found.push(name.to_string()),
            TokenTree::Group(group) => found.extend(identifiers(group.stream())),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
    found
}

/// Changes to a text that keep its lines.
#[derive(Debug, Default)]
struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts other text in a range, with as many line ends as there were.
    fn replace(&mut self, source: &str, range: Range<usize>, text: &str) {
        let lines = source[range.clone()].matches('\n').count();
        self.0
            .push((range, format!("{text}{}", "\n".repeat(lines))));
    }

    fn import(&mut self, source: &str, found: &Static, symbol: &str) {
        let Static {
            visibility,
            name,
            ty,
            ..
        } = found;
        let (safe, mutability, ty) = match found.kind {
            Kind::Static => ("safe ", "", ty.clone()),
            Kind::Mutable => ("", "mut ", ty.clone()),
            Kind::ThreadLocal => (
                "safe ",
                "",
                format!("&'static ::std::thread::LocalKey<{ty}>"),
            ),
            Kind::Lazy => ("safe ", "", format!("::std::sync::LazyLock<{ty}>")),
        };
        let text = format!(
            "#[allow(improper_ctypes)] unsafe extern \"C\" {{ #[link_name = \"{symbol}\"] \
             {visibility} {safe}static {mutability}{name}: {ty}; }}"
        );
        // One macro may define several thread locals.
        match self.0.iter_mut().find(|(range, _)| *range == found.range) {
            Some((_, imports)) => imports.insert_str(0, &text),
            None => self.replace(source, found.range.clone(), &text),
        }
    }

    fn export(&mut self, source: &str, found: &Static, symbol: &str) {
        match found.kind {
            Kind::Static | Kind::Mutable | Kind::Lazy => {
                let attribute =
                    format!(" {ADDED_TEXT_MARK} #[unsafe(export_name = \"{symbol}\")] ");
                let place = before(source, found.own.start);
                self.0.push((place..place, attribute));
            }
            // What the macro makes is a constant with a function in it, which has no address that
            // is the same everywhere; one static holds a reference to it.
            Kind::ThreadLocal => {
                let Static { name, ty, .. } = found;
                let holder = format!(
                    " {ADDED_TEXT_MARK} #[allow(non_upper_case_globals)] #[unsafe(export_name = \"{symbol}\")] \
                     static interleave_{name}: &::std::thread::LocalKey<{ty}> = &{name};"
                );
                self.0.push((found.range.end..found.range.end, holder));
            }
        }
    }

    fn apply(mut self, source: &str) -> String {
        // A macro that is gone as a whole comes before what is in it.
        self.0
            .sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let mut text = String::with_capacity(source.len());
        let mut end = 0;
        for (range, replacement) in self.0 {
            // A range inside one that is gone already, such as a second name in one macro.
            if range.start < end {
                continue;
            }
            text.push_str(&source[end..range.start]);
            text.push_str(&replacement);
            end = range.end;
        }
        text.push_str(&source[end..]);
        text
    }
}

/// A place for text before `start` that moves nothing of the student's line: the end of the line
/// above, unless that ends in a comment.
fn before(source: &str, start: usize) -> usize {
    let line = source[..start].rfind('\n');
    match line {
        Some(end)
            if source[end..start].trim().is_empty()
                && !source[..end]
                    .lines()
                    .last()
                    .is_some_and(|above| above.contains("//")) =>
        {
            end
        }
        _ => start,
    }
}

/// The bytes of something in the source.
fn range(spanned: &impl Spanned) -> Range<usize> {
    spanned.span().byte_range()
}

#[cfg(test)]
mod tests;
