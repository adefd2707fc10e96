//! Which variables of a cell later cells can have.
//!
//! evcxr generates a line for each variable that it keeps: `evcxr_variable_store.put_variable::<T>(
//! stringify!(v), v);`. For some there cannot be such a line: the value was moved, it borrows from
//! another variable, its type has no name. evcxr knows the first by rustc's E0382 at that line,
//! drops the line and compiles again (`attempt_to_fix_error` in `eval_context.rs`); for the others
//! it fails the cell. Here all of them are told to evcxr as the first, so that the cell runs as it
//! would in a program, and the kernel learns what rustc really said.

use std::{collections::BTreeSet, ops::Range};

use interleave_protocol::{ADDED_TEXT_MARK, EndReason, EndedVariable};
use serde_json::{Value, json};

const PUT: &str = "evcxr_variable_store.put_variable::<";

/// What to do after a run of rustc that failed.
#[derive(Debug, Default)]
pub struct Judgement {
    /// For evcxr, one diagnostic each.
    pub forwarded: Vec<String>,
    /// What ended with this cell.
    pub ended: Vec<EndedVariable>,
    /// Variables to drop at the end of the student's code, before the kept ones are moved: they
    /// borrow from those, as the guard of a lock does.
    pub drop_early: BTreeSet<String>,
    /// Variables that cannot be dropped there, because they may have been moved.
    pub drop_refused: BTreeSet<String>,
}

/// What borrow checking finds, and nothing else can cause.
const OF_BORROW_CHECKING: [&str; 10] = [
    "E0373", "E0381", "E0382", "E0499", "E0502", "E0505", "E0506", "E0521", "E0597", "E0716",
];

/// Whether every error in what rustc said is one of borrow checking, and there is one.
pub fn is_about_borrows(said: &[u8]) -> bool {
    let said = String::from_utf8_lossy(said);
    let mut found = false;
    let all = said.lines().all(|line| {
        let Ok(diagnostic) = serde_json::from_str::<Value>(line) else {
            return false;
        };
        let message = diagnostic["message"].as_str().unwrap_or_default();
        // What rustc says of every source with errors stands at the end.
        if diagnostic["level"] != "error" || message.starts_with("aborting due to") {
            return true;
        }
        found = true;
        let code = diagnostic["code"]["code"].as_str();
        code.is_some_and(|code| OF_BORROW_CHECKING.contains(&code))
    });
    all && found
}

/// Reads rustc's diagnostics of a source.
pub fn judge(diagnostics: &[String], source: &str) -> Judgement {
    let mut judgement = Judgement::default();
    for line in diagnostics {
        match serde_json::from_str::<Value>(line) {
            Ok(diagnostic) if diagnostic["level"] == "error" => {
                judgement.take_error(line, &diagnostic, source);
            }
            _ => judgement.forwarded.push(line.clone()),
        }
    }
    judgement
}

impl Judgement {
    fn take_error(&mut self, line: &str, diagnostic: &Value, source: &str) {
        let refused = early_drop(diagnostic);
        if !refused.is_empty() {
            self.drop_refused.extend(refused);
            return;
        }
        let early: Vec<String> = dropped_too_late(diagnostic).collect();
        let puts = puts(diagnostic);
        let Some(first) = puts.first() else {
            self.forwarded.push(line.to_owned());
            return;
        };
        let code = diagnostic["code"]["code"].as_str().unwrap_or_default();
        match code {
            "E0382" if first.primary => {
                self.end(first, EndReason::Moved, diagnostic);
                self.forwarded.push(line.to_owned());
            }
            "E0381" if first.primary => {
                self.end(first, EndReason::Unset, diagnostic);
                self.forwarded.push(moved(&first.name, first.line));
            }
            "E0425" if first.primary => self.forwarded.push(line.to_owned()),
            // The kernel has another name for the type, or does without the variable.
            "E0603" | "E0412" | "E0433" => self.forwarded.push(line.to_owned()),
            "E0505" if !early.is_empty() => {
                for name in early {
                    match line_of_put(source, &name) {
                        Some(line) => self.forwarded.push(moved(&name, line)),
                        None => _ = self.drop_early.insert(name),
                    }
                }
            }
            _ => {
                let holds: Vec<&Put> = puts.iter().filter(|put| put.holds_the_borrow).collect();
                let culprits = if holds.is_empty() { vec![first] } else { holds };
                for put in culprits {
                    self.end(put, EndReason::Unkept, diagnostic);
                    self.forwarded.push(moved(&put.name, put.line));
                    if put.type_name.contains("<'") {
                        self.drop_early.insert(put.name.clone());
                    }
                }
            }
        }
    }

    fn end(&mut self, put: &Put, reason: EndReason, diagnostic: &Value) {
        self.ended.push(EndedVariable {
            name: put.name.clone(),
            type_name: put.type_name.clone(),
            reason,
            diagnostic: diagnostic.clone(),
        });
    }
}

/// The diagnostics of the source that evcxr has analysed, without errors that are only about keeping
/// variables: `evcxr_variable_store(v);` moves each, and takes it for `'static`. Whether that can
/// be is found out when the cell is compiled.
pub fn about_the_cell(diagnostics: Vec<String>) -> Vec<String> {
    let keeps = |span: &Value| {
        let text = span["text"][0]["text"].as_str().unwrap_or_default();
        text.starts_with("evcxr_variable_store(") && text.ends_with(");")
    };
    let about_keeping = |line: &String| {
        serde_json::from_str::<Value>(line).is_ok_and(|diagnostic| spans(&diagnostic).any(keeps))
    };
    let lines = diagnostics.into_iter();
    lines.filter(|line| !about_keeping(line)).collect()
}

/// Errors that make evcxr forget these variables, if it is about to keep them.
pub fn forget(source: &str, names: &[String]) -> Vec<String> {
    let errors = names
        .iter()
        .filter_map(|name| Some(moved(name, line_of_put(source, name)?)));
    errors.collect()
}

/// The source with `drop(…)` for these variables before the first line that keeps one, the newest
/// variable first, as at the end of a scope.
pub fn with_early_drops(source: &str, names: &BTreeSet<String>) -> String {
    let first = source.lines().position(|line| line.starts_with(PUT));
    let (Some(first), false) = (first, names.is_empty()) else {
        return source.to_owned();
    };
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_by_key(|name| std::cmp::Reverse(line_of_let(source, name)));
    let drops: String = names
        .iter()
        .map(|name| format!("::core::mem::drop({name});{ADDED_TEXT_MARK}"))
        .collect();
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    lines[first].insert_str(0, &drops);
    lines.join("\n") + "\n"
}

/// A span on a line that keeps a variable.
struct Put {
    name: String,
    type_name: String,
    line: usize,
    primary: bool,
    /// rustc says that a borrow must last until this line, as opposed to: a value is moved here.
    holds_the_borrow: bool,
}

/// The primary one first.
fn puts(diagnostic: &Value) -> Vec<Put> {
    let mut puts: Vec<Put> = spans(diagnostic)
        .flat_map(|span| span_and_callers(span).filter_map(put))
        .collect();
    puts.sort_by_key(|put| !put.primary);
    puts
}

fn put(span: &Value) -> Option<Put> {
    let (name, type_name) = kept(span["text"][0]["text"].as_str()?)?;
    let label = span["label"].as_str().unwrap_or_default();
    Some(Put {
        name,
        type_name,
        line: usize::try_from(span["line_start"].as_u64()?).ok()?,
        primary: span["is_primary"] == true,
        holds_the_borrow: label.contains("requires that") || label.contains("borrow later"),
    })
}

/// The span itself, and where the macros that it is in were called.
fn span_and_callers(span: &Value) -> impl Iterator<Item = &Value> {
    std::iter::successors(Some(span), |span| {
        let caller = &span["expansion"]["span"];
        caller.is_object().then_some(caller)
    })
}

/// Name and type of the variable that a line keeps.
fn kept(line: &str) -> Option<(String, String)> {
    let rest = &line[line.find(PUT)? + PUT.len()..];
    let (type_name, rest) = rest.rsplit_once(">(stringify!(")?;
    let (name, _) = rest.split_once(')')?;
    Some((name.to_owned(), type_name.to_owned()))
}

/// Line, from 1, that keeps the variable.
fn line_of_put(source: &str, name: &str) -> Option<usize> {
    let keeps = |line: &str| kept(line).is_some_and(|(kept, _)| kept == name);
    source.lines().position(keeps).map(|index| index + 1)
}

/// Line of the last `let` that names the variable, as far as words tell.
fn line_of_let(source: &str, name: &str) -> Option<usize> {
    let lines: Vec<&str> = source.lines().collect();
    lines.iter().rposition(|line| {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let mut words = line.split(|letter| !is_word(letter));
        words.any(|word| word == "let") && words.any(|word| word == name) && !line.contains(PUT)
    })
}

/// Of a value that cannot be moved into the store because of a variable with a destructor: that
/// variable, from `borrow might be used here, when `guard` is dropped and runs the destructor`.
fn dropped_too_late(diagnostic: &Value) -> impl Iterator<Item = String> {
    spans(diagnostic).filter_map(|span| {
        let label = span["label"].as_str()?;
        let (_, rest) = label.split_once("when `")?;
        let (name, rest) = rest.split_once('`')?;
        rest.starts_with(" is dropped").then(|| name.to_owned())
    })
}

/// The variables of added `drop`s that a diagnostic is about.
fn early_drop(diagnostic: &Value) -> Vec<String> {
    let names = spans(diagnostic).filter_map(|span| {
        let text = span["text"][0]["text"].as_str()?;
        let column = usize::try_from(span["column_start"].as_u64()?).ok()?;
        let mut at = 0;
        for added in text.split_inclusive(ADDED_TEXT_MARK) {
            let range: Range<usize> = at..at + added.chars().count();
            at = range.end;
            let name = added.strip_prefix("::core::mem::drop(");
            let name = name.and_then(|name| name.split(')').next());
            if let (Some(name), true) = (name, range.contains(&(column - 1))) {
                return Some(name.to_owned());
            }
        }
        None
    });
    names.collect()
}

fn spans(diagnostic: &Value) -> impl Iterator<Item = &Value> {
    diagnostic["spans"].as_array().into_iter().flatten()
}

/// The error by which evcxr forgets a variable.
fn moved(name: &str, line: usize) -> String {
    json!({
        "message": format!("use of moved value: `{name}`"),
        "code": {"code": "E0382", "explanation": null},
        "level": "error",
        "spans": [{
            "file_name": "src/lib.rs", "is_primary": true, "label": null, "expansion": null,
            "line_start": line, "line_end": line, "column_start": 1, "column_end": 2,
            "byte_start": 0, "byte_end": 0, "text": [],
            "suggested_replacement": null, "suggestion_applicability": null,
        }],
        "children": [],
        "rendered": null,
    })
    .to_string()
}

#[cfg(test)]
mod tests;
