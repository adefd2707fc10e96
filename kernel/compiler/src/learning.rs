//! Learns the types of a cell's variables from the one call of rustc that compiles it.
//!
//! evcxr wants to know each variable's type before the cell is compiled, since the line that keeps the
//! variable names it. It takes any name for a type, so it is given an alias, and in that line stands
//! a question:
//!
//! ```text
//! evcxr_variable_store.put_variable::<_>(stringify!(v), v) as ::interleave::private::variables::Kept<_>;
//! ```
//!
//! rustc infers the type, and says of the cast that it is trivial: the lint's words name the type, in full
//! and after inference. A cast is checked before borrows are, so a moved variable has a type, too.
//! The cast makes no code; the object is the same as with the type written out. The kernel remembers
//! what an alias stands for, and the compiler puts that in its place in every later source.
//!
//! Later cells write the type in words, and to them these words have to mean the same. Where that is not
//! certain (`types::Certain`) the source is compiled with the words in it, as rustc would check them if
//! they had been known before, as is a cell that has to be compiled once more. Where that fails, or a type
//! cannot be written, the cell is refused with [`TYPES_NOT_LEARNT`], and the kernel asks for the types
//! first; see [`types`](crate::types).

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    fs,
    path::Path,
    process::Command,
};

use anyhow::Result;
use interleave_protocol::{
    CellFacts, TYPES_NOT_LEARNT,
    types::{ALIAS, Found, Learnt},
};
use serde_json::{Value, json};

use crate::{
    attempt,
    cell::{Purpose, Run},
    rewrite::{checked, put},
    statics::definitions,
    types::{Certain, Nameable, as_rust},
};

mod paths;

/// Environment variable: `off` asks rustc for the types before the cell is compiled.
pub const SWITCH: &str = "INTERLEAVE_LEARNT_TYPES";

/// Of computing. A type may have a name that takes hours to write; what takes so long for another reason
/// is compiled again, without a question.
pub const MOST_SECONDS: u64 = 5;

/// A type that no variable has.
const UNKNOWN: &str = "::interleave::private::Undetermined";

/// Words of a source in which the lint, or what it takes to get full names, could be seen.
const DISTURBED: [&str; 3] = ["trivial_casts", "(warnings", "RUSTC_BOOTSTRAP"];

/// What evcxr wrote, with types in the place of the aliases of earlier cells.
pub(crate) fn with_types(generated: &str, facts: &CellFacts) -> String {
    if !generated.contains(ALIAS) {
        return generated.to_owned();
    }
    let mut parts = generated.split(ALIAS);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !(letter.is_ascii_digit() || letter == '_'));
        let (number, rest) = part.split_at(end.unwrap_or(part.len()));
        let word = format!("{ALIAS}{number}");
        // evcxr writes a type nowhere else.
        let is_type = text.ends_with("_variable::<") && rest.starts_with(">(stringify!(")
            || text.ends_with(": ") && rest.starts_with(',');
        match facts.learnt.get(&word) {
            _ if !is_type || is_of(&word, facts) => text.push_str(&word),
            Some(learnt) => text.push_str(&learnt.ty),
            None => text.push_str(UNKNOWN),
        }
        text.push_str(rest);
    }
    text
}

/// What the types were made of when these variables were made, of what evcxr wrote.
pub(crate) fn numbers(generated: &str, facts: &CellFacts) -> BTreeMap<String, u64> {
    let checks = generated.lines().filter_map(checked);
    let numbers = checks.filter_map(|(name, ty)| {
        let learnt = facts.learnt.get(ty)?;
        (learnt.definitions != 0).then(|| (name.to_owned(), learnt.definitions))
    });
    numbers.collect()
}

/// Whether it is an alias of the cell that is compiled.
fn is_of(word: &str, facts: &CellFacts) -> bool {
    let numbers = word
        .strip_prefix(ALIAS)
        .and_then(|numbers| numbers.split_once('_'));
    facts.learn && numbers.is_some_and(|(cell, _)| cell == facts.id.to_string())
}

/// The variables of one cell.
pub(crate) struct Learning {
    /// Each alias with its variable.
    wanted: BTreeMap<String, String>,
    source: String,
    /// What rustc has said, by variable.
    types: RefCell<BTreeMap<String, String>>,
    answer: RefCell<BTreeMap<String, Learnt>>,
    refused: Cell<bool>,
}

impl Learning {
    /// `None` if there is nothing to learn. `known` is what was learnt of the cell already.
    pub(crate) fn of(
        source: &str,
        facts: &CellFacts,
        known: BTreeMap<String, Learnt>,
    ) -> Option<Self> {
        if !facts.learn {
            return None;
        }
        let puts = source.lines().filter_map(put);
        let wanted = puts.filter(|(_, ty)| is_of(ty, facts));
        let wanted: BTreeMap<_, _> = wanted
            .map(|(name, ty)| (ty.to_owned(), name.to_owned()))
            .collect();
        (!wanted.is_empty()).then(|| Self {
            wanted,
            source: source.to_owned(),
            types: RefCell::default(),
            answer: RefCell::new(known),
            refused: Cell::new(DISTURBED.iter().any(|word| source.contains(word))),
        })
    }

    /// What a call of rustc needs so that the answer is in what it says.
    pub(crate) fn ask(rustc: &mut Command) {
        rustc
            // For the options that begin with -Z. No feature of the language comes with it, and a nightly
            // compiler's way of naming symbols neither (`get_symbol_mangling_version` in `rustc_session`).
            .env("RUSTC_BOOTSTRAP", "1")
            .args([
                "-Wtrivial_casts",
                "-Ztrim-diagnostic-paths=no",
                "-Zwrite-long-types-to-disk=no",
                "-Zallow-features=",
                "-Zunstable-options",
                "-Csymbol-mangling-version=legacy",
            ]);
    }

    /// Compiles the source that is at `path`, which has aliases.
    pub(crate) fn compile(
        &self,
        path: &Path,
        rustc: impl Fn(Purpose<'_>) -> Result<Run>,
    ) -> Result<Run> {
        let source = fs::read_to_string(path)?;
        if self.refused.get() {
            return Ok(self.refuse());
        }
        if let Some(learnt) = self.known() {
            fs::write(path, self.with_words(&source, line, &learnt))?;
            let run = rustc(Purpose::Object)?;
            return Ok(self.judged(run, &source, &learnt));
        }
        fs::write(path, self.with_questions(&source))?;
        let enough = |line: &[u8]| {
            take(&String::from_utf8_lossy(line)).is_some_and(|said| self.note(said).is_useless())
        };
        let mut run = rustc(Purpose::Types(&enough))?;
        run.diagnostics.retain(|line| match take(line) {
            Some(said) => {
                self.note(said);
                false
            }
            None => true,
        });
        let Some(learnt) = self.learnt().filter(|_| !run.crashed) else {
            return Ok(self.refuse());
        };
        for said in &mut run.diagnostics {
            // What rustc quotes, as if the types had been known.
            *said = self.with_words(said, |_, name| question(name), &learnt);
        }
        fs::write(path, self.with_words(&source, line, &learnt))?;
        // A cell that does not succeed is compiled again, in another form or without some variables.
        let doubtful = run.success && !self.are_certain(&learnt);
        if doubtful
            && learnt
                .values()
                .any(|learnt| may_be_made_of_another(&learnt.ty))
        {
            let run = rustc(Purpose::Object)?;
            return Ok(self.judged(run, &source, &learnt));
        }
        if doubtful || run.diagnostics.iter().any(|line| paths::are_shown(line)) {
            let words = rustc(Purpose::Words)?;
            if words.success != run.success {
                return Ok(self.refuse());
            }
            run.diagnostics = words.diagnostics;
        }
        Ok(self.judged(run, &source, &learnt))
    }

    /// Refuses a cell that fails, if that may be because of the words for its types.
    fn judged(&self, run: Run, source: &str, learnt: &BTreeMap<String, Learnt>) -> Run {
        let is_expected =
            run.success || attempt::is_about_stored_variables(&run.diagnostics, source);
        if !is_expected && (run.crashed || !self.are_certain(learnt)) {
            return self.refuse();
        }
        self.answer.borrow_mut().clone_from(learnt);
        run
    }

    /// What was learnt when the cell was compiled in another form.
    fn known(&self) -> Option<BTreeMap<String, Learnt>> {
        let known = self.answer.borrow();
        let known = self
            .wanted
            .keys()
            .map(|alias| Some((alias.clone(), known.get(alias)?.clone())));
        known.collect()
    }

    fn note(&self, said: Option<(String, String)>) -> &Self {
        self.types.borrow_mut().extend(said);
        self
    }

    /// Whether all is known, and the object will not be used.
    fn is_useless(&self) -> bool {
        self.types.borrow().len() == self.wanted.len() && self.learnt().is_none()
    }

    fn are_certain(&self, learnt: &BTreeMap<String, Learnt>) -> bool {
        let certain = Certain::of(&self.source);
        learnt.values().all(|learnt| certain.holds(&learnt.ty))
    }

    /// What was learnt.
    pub(crate) fn answer(&self) -> BTreeMap<String, Learnt> {
        self.answer.borrow().clone()
    }

    /// Whether the types have to be asked for.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.get()
    }

    /// The types of a cell that is refused only for what they are.
    pub(crate) fn found(&self) -> Option<Found> {
        // The source for analysis has other names for these.
        let is_other = |ty: &String| ty.contains("impl ") || ty.contains("run_user_code");
        let types = self.types.borrow().clone();
        let is_whole = types.len() == self.wanted.len() && !types.values().any(is_other);
        is_whole.then(|| Found {
            types,
            ..Found::default()
        })
    }

    /// To try the cell in another form is useless.
    fn refuse(&self) -> Run {
        self.refused.set(true);
        Run {
            crashed: true,
            ..Run::default()
        }
    }

    fn with_questions(&self, source: &str) -> String {
        let wanted = self.wanted.iter();
        wanted.fold(source.to_owned(), |source, (alias, name)| {
            source.replace(&line(alias, name), &question(name))
        })
    }

    /// The text with types in the lines that are `of` an alias and a variable.
    fn with_words(
        &self,
        text: &str,
        of: impl Fn(&str, &str) -> String,
        learnt: &BTreeMap<String, Learnt>,
    ) -> String {
        let wanted = self.wanted.iter();
        wanted.fold(text.to_owned(), |text, (alias, name)| {
            text.replace(&of(alias, name), &line(&learnt[alias].ty, name))
        })
    }

    /// The types by alias; `None` if one is not known or cannot be written.
    fn learnt(&self) -> Option<BTreeMap<String, Learnt>> {
        let types = self.types.borrow();
        let learnt = self.wanted.iter().map(|(alias, name)| {
            let Nameable::Type(ty) = as_rust(types.get(name)?) else {
                return None;
            };
            let definitions = definitions::code(&self.source, &ty);
            Some((alias.clone(), Learnt { ty, definitions }))
        });
        learnt.collect()
    }
}

/// Whether a value of another type becomes one of these words' type where they stand, as a function
/// becomes a pointer. Then only an object in which they stand has a variable of that type.
fn may_be_made_of_another(ty: &str) -> bool {
    ["fn(", "dyn ", "for<"].iter().any(|word| ty.contains(word))
}

/// What evcxr reads as an error of the compiler.
pub(crate) fn refusal() -> Value {
    json!({
        "$message_type": "diagnostic",
        "level": "error",
        "message": "the types of the variables have to be asked for",
        "code": { "code": TYPES_NOT_LEARNT, "explanation": null },
        "spans": [],
        "children": [],
        "rendered": null,
    })
}

fn line(ty: &str, name: &str) -> String {
    format!("put_variable::<{ty}>(stringify!({name}), {name});")
}

fn question(name: &str) -> String {
    format!(
        "put_variable::<_>(stringify!({name}), {name}) as ::interleave::private::variables::Kept<_>;"
    )
}

/// `None` if rustc says something else than that a cast is trivial. The variable and its type, if it is
/// one of ours: ``trivial cast: `interleave::private::variables::Kept<u8>` as …``.
#[expect(
    clippy::option_option,
    reason = "what is taken away need not be an answer"
)]
fn take(said: &str) -> Option<Option<(String, String)>> {
    if !said.contains("trivial_casts") {
        return None;
    }
    let diagnostic: Value = serde_json::from_str(said).ok()?;
    (diagnostic["code"]["code"] == "trivial_casts").then(|| answer(&diagnostic))
}

fn answer(diagnostic: &Value) -> Option<(String, String)> {
    let message = with_name_of_prelude(diagnostic["message"].as_str()?);
    let message = message.strip_prefix("trivial cast: `interleave::private::variables::Kept<")?;
    let (ty, _) = message.split_once(">` as `")?;
    let text = diagnostic["spans"][0]["text"][0]["text"].as_str()?;
    let (_, put) = text.rsplit_once("put_variable::<_>(stringify!(")?;
    let (name, _) = put.split_once("), ")?;
    (!has_hole(ty)).then(|| (name.to_owned(), ty.to_owned()))
}

/// rustc has the name that an `extern crate` gives to a crate: a cell has `extern crate interleave as _`, which
/// no other crate has.
fn with_name_of_prelude(message: &str) -> String {
    let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut parts = message.split("_::");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = if text.ends_with(is_letter) {
            "_"
        } else {
            "interleave"
        };
        text.extend([name, "::", part]);
    }
    text
}

/// Whether something in the type is not inferred yet.
fn has_hole(ty: &str) -> bool {
    let mut words = ty.split(|letter: char| !(letter.is_alphanumeric() || "_'".contains(letter)));
    words.any(|word| word == "_")
}

#[cfg(test)]
mod tests;
