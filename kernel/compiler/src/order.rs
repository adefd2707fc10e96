//! Puts what evcxr generates in one order.
//!
//! evcxr keeps items and variables in hash maps (`ContextState` in `eval_context.rs` of evcxr 0.22), so
//! the same cells give another source in each kernel. To Rust the order of items means nothing, but
//! for macros by example, which hold from their definition on: a source with macros among its items
//! stays as it is. Nor does the order in which variables are taken out of the store, checked and put
//! back, each on a line of its own, and the parameters of a function that is never called.
//!
//! Lines move as a whole, and every item keeps its lines; so a place is found again by its line.

use proc_macro2::Span;
use serde_json::Value;
use syn::{Item, spanned::Spanned};

use crate::rewrite;

/// The module that evcxr writes behind all items.
const STORE: &str = "evcxr_internal_runtime";

/// A source in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Ordered {
    /// Its lines in order.
    pub source: String,
    /// Where each line was, from 0.
    lines: Vec<usize>,
}

/// The source in order; `None` when it is, or has to stay as it is.
pub fn ordered(source: &str) -> Option<Ordered> {
    let file = syn::parse_file(source).ok()?;
    let is_macro = |item: &Item| matches!(item, Item::Macro(_));
    if file.items.iter().any(is_macro) {
        return None;
    }
    let last = file.items.last()?;
    // From here on evcxr has an order of its own.
    let is_store = |item: &Item| matches!(item, Item::Mod(module) if module.ident == STORE);
    let tail = file.items.iter().position(is_store);
    let (items, tail) = file.items.split_at(tail.unwrap_or(file.items.len() - 1));
    let lines: Vec<&str> = source.lines().collect();
    let mut begin = file
        .attrs
        .last()
        .map_or(0, |attribute| end(attribute.span()));
    let mut order: Vec<usize> = (0..begin).collect();
    let mut parts = Vec::new();
    // What is between two items may be of either, as evcxr took them from a cell.
    let mut empty = Vec::new();
    for item in items.iter().chain(tail.first()) {
        // An item that shares a line with another does not move.
        if first(item.span()) < begin {
            return None;
        }
        while lines[begin].trim().is_empty() {
            empty.push(begin);
            begin += 1;
        }
        parts.push(begin..end(item.span()));
        begin = end(item.span());
    }
    let begin = parts.pop()?.start;
    parts.sort_by_key(|part| &lines[part.clone()]);
    empty.sort_by_key(|line| lines[*line]);
    order.extend(parts.into_iter().flatten().chain(empty));
    let mut function: Vec<usize> = (begin..lines.len()).collect();
    sort_variables(&lines, &mut function);
    if let Item::Fn(last) = last {
        sort_parameters(&lines, begin, last, &mut function);
    }
    order.extend(function);
    if order.is_sorted() {
        return None;
    }
    let mut source = String::with_capacity(source.len() + 1);
    for line in &order {
        source.push_str(lines[*line]);
        source.push('\n');
    }
    Some(Ordered {
        source,
        lines: order,
    })
}

/// Index of the line on which it begins.
fn first(span: Span) -> usize {
    span.start().line - 1
}

/// Index of the line behind it.
fn end(span: Span) -> usize {
    span.end().line
}

/// The kinds of lines that evcxr writes for one variable each.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Checking,
    Taking,
    Putting,
    Analysing,
}

fn about(line: &str) -> Option<About> {
    let analysed = line
        .strip_prefix("evcxr_variable_store(")
        .and_then(|rest| rest.strip_suffix(");"));
    match line {
        _ if rewrite::checked(line).is_some() => Some(About::Checking),
        _ if rewrite::taken(line).is_some() => Some(About::Taking),
        _ if rewrite::put(line).is_some() => Some(About::Putting),
        _ if analysed.is_some() => Some(About::Analysing),
        _ => None,
    }
}

/// Sorts neighbours of one kind, between which lines may have been left out.
fn sort_variables(lines: &[&str], function: &mut [usize]) {
    let is_analysis = function.iter().any(|line| lines[*line].contains(ANALYSIS));
    let kind =
        |line: usize| about(lines[line]).filter(|about| is_analysis || *about != About::Analysing);
    let mut start = 0;
    while start < function.len() {
        let this = kind(function[start]);
        let mut end = start + 1;
        if this.is_some() {
            let same = |line: usize| lines[line].is_empty() || kind(line) == this;
            end += function[end..]
                .iter()
                .take_while(|line| same(**line))
                .count();
            function[start..end].sort_by_key(|line| lines[*line]);
        }
        start = end;
    }
}

/// The function in the source for analysis. It is never called.
const ANALYSIS: &str = "evcxr_analysis_wrapper";

/// Of a function whose parameters have lines of their own, as evcxr writes them for analysis.
fn sort_parameters(lines: &[&str], begin: usize, last: &syn::ItemFn, function: &mut [usize]) {
    let inputs = &last.sig.inputs;
    if last.sig.ident != ANALYSIS || inputs.is_empty() {
        return;
    }
    let one_line = inputs.iter().all(|input| {
        let line = lines[first(input.span())];
        end(input.span()) == first(input.span()) + 1 && line.ends_with(',')
    });
    let start = first(inputs[0].span());
    let consecutive = (start..)
        .zip(inputs)
        .all(|(line, input)| first(input.span()) == line);
    if one_line && consecutive {
        let range = start - begin..start - begin + inputs.len();
        function[range].sort_by_key(|line| lines[*line]);
    }
}

impl Ordered {
    /// A source whose lines are still these lines, as it would be in the order of the original.
    pub(crate) fn restored(&self, source: &str) -> String {
        let mut lines: Vec<(usize, &str)> =
            self.lines.iter().copied().zip(source.lines()).collect();
        lines.sort_unstable();
        lines.iter().flat_map(|(_, line)| [*line, "\n"]).collect()
    }

    /// A diagnostic about such a source, with the places of the restored one. `path` is the source's.
    pub(crate) fn back(&self, source: &str, restored: &str, path: &str, line: String) -> String {
        let Ok(mut diagnostic) = serde_json::from_str::<Value>(&line) else {
            return line;
        };
        let places = Places {
            ordered: self,
            starts: [starts(source), starts(restored)],
            path,
        };
        places.walk(&mut diagnostic);
        diagnostic.to_string()
    }
}

/// The byte at which each line begins.
fn starts(source: &str) -> Vec<usize> {
    let behind = source.match_indices('\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(behind).collect()
}

struct Places<'a> {
    ordered: &'a Ordered,
    /// In order, and as it was.
    starts: [Vec<usize>; 2],
    path: &'a str,
}

impl Places<'_> {
    fn walk(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.walk(value)),
            Value::Object(fields) => {
                if fields
                    .get("file_name")
                    .is_some_and(|name| *name == *self.path)
                {
                    for (line, byte) in [("line_start", "byte_start"), ("line_end", "byte_end")] {
                        if let Some((new_line, new_byte)) = self.place(&fields[line], &fields[byte])
                        {
                            fields.insert(line.to_owned(), new_line.into());
                            fields.insert(byte.to_owned(), new_byte.into());
                        }
                    }
                }
                fields.values_mut().for_each(|value| self.walk(value));
            }
            _ => {}
        }
    }

    fn place(&self, line: &Value, byte: &Value) -> Option<(usize, usize)> {
        let line = usize::try_from(line.as_u64()?).ok()?.checked_sub(1)?;
        let byte = usize::try_from(byte.as_u64()?).ok()?;
        let original = *self.ordered.lines.get(line)?;
        let [ordered, before] = &self.starts;
        let column = byte.checked_sub(*ordered.get(line)?)?;
        Some((original + 1, before.get(original)? + column))
    }
}

#[cfg(test)]
mod tests;
