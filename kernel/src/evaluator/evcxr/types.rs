//! Finds the types of a cell's variables before evcxr sees the cell; see `lets`.

use std::{collections::BTreeMap, fs, path::Path};

use evcxr::{CompilationError, Error, EvalOutputs};
use interleave_protocol::{
    CellFacts, to_line,
    types::{Found, Wanted},
};

use super::{
    EvcxrEvaluator, commands,
    lets::{self, Typed, Variable},
    syntax,
    variables::Sending,
};

/// A type that no variable has. It stands in a cell with an error, where a type is not known: evcxr
/// then compiles the cell, and its error comes out.
const UNDETERMINED: &str = "::interleave::private::Undetermined";

impl EvcxrEvaluator {
    /// The cell with the types of its variables. Those that no other cell can hold are hidden; what
    /// rustc says of their types is returned.
    pub(super) fn with_types(
        &mut self,
        sending: &mut Sending,
    ) -> Result<BTreeMap<String, String>, Error> {
        let code = sending.text();
        let variables = match self.analyst {
            Some(_) => lets::untyped(&code),
            None => Vec::new(),
        };
        let mut hidden = BTreeMap::new();
        if variables.is_empty() {
            self.typed = Typed::new(&code, &[], &BTreeMap::new());
            return Ok(hidden);
        }
        let found = self.ask_rustc(&code, &variables)?;
        let mut types = BTreeMap::new();
        let mut left = Vec::new();
        for variable in &variables {
            let name = &variable.name;
            match found.types.get(name).map(|ty| as_rust(ty)) {
                Some(Nameable::Type(ty)) => _ = types.insert(name.clone(), ty),
                Some(Nameable::No(ty)) => _ = hidden.insert(name.clone(), ty),
                // Whatever it is, nobody can write it.
                _ if found.too_long => _ = hidden.insert(name.clone(), String::new()),
                _ if found.other_errors => {
                    types.insert(name.clone(), UNDETERMINED.to_owned());
                }
                _ => left.push(name.clone()),
            }
        }
        if !left.is_empty() {
            let others = self.ask_analyst(&code).unwrap_or_default();
            types.extend(others.into_iter().filter(|(name, _)| left.contains(name)));
            let unknown = left.into_iter().filter(|name| !types.contains_key(name));
            hidden.extend(unknown.map(|name| (name, String::new())));
        }
        for name in hidden.keys() {
            sending.hide(name);
        }
        let code = sending.text();
        self.typed = Typed::new(&code, &lets::untyped(&code), &types);
        Ok(hidden)
    }

    /// The same from rust-analyzer, when the types were the cell's only fault. rustc may name a
    /// type that cannot be named from a cell.
    pub(super) fn with_other_types(
        &mut self,
        code: &str,
        result: &Result<EvalOutputs, Error>,
    ) -> Option<Result<Typed, Error>> {
        if self.typed.is_as_it_was()
            || !is_about_generated_code(result.as_ref().err()?)
            // Then the error is of its making, and the cell has run.
            || self.link.was_succeeded()
        {
            return None;
        }
        let types = self.ask_analyst(code);
        Some(types.map(|types| Typed::new(code, &lets::untyped(code), &types)))
    }

    /// What rustc says of the types of these variables of the cell.
    pub(super) fn ask_rustc(&mut self, code: &str, variables: &[Variable]) -> Result<Found, Error> {
        let names = variables.iter().map(|variable| variable.name.clone());
        let wanted = Wanted {
            names: names.collect(),
            facts: CellFacts {
                memory_limit: self.link.lineage().memory_limit().bytes(),
                ..syntax::facts(code)
            },
        };
        let directory = self.workspace.compile_directory();
        let question = directory.join(Wanted::FILE);
        self.workspace
            .write(Wanted::FILE, &to_line(&wanted))
            .map_err(|error| Error::Message(format!("{error:#}")))?;
        // evcxr overlooks the variables of some patterns, but not those of a plain `let`.
        let inferred = variables.iter().filter(|variable| !variable.is_plain());
        let inferred = inferred.map(|variable| (variable.name.clone(), "_".to_owned()));
        let typed = Typed::new(code, variables, &inferred.collect());
        let errors = self.context.check(&commands::only_crates(&typed.code));
        let found = take_answer(&directory);
        // It would turn the next check into a question.
        let _ = fs::remove_file(question);
        let unanswered = Found {
            other_errors: true,
            ..Found::default()
        };
        Ok(found.filter(|_| errors.is_ok()).unwrap_or(unanswered))
    }

    fn ask_analyst(&mut self, code: &str) -> Result<BTreeMap<String, String>, Error> {
        let Some(analyst) = &mut self.analyst else {
            return Ok(BTreeMap::new());
        };
        let code = commands::only_crates(code);
        let inside = self
            .notebook
            .with(self.context.variables_and_types(), &code);
        analyst.types(inside.code).map_err(Error::Message)
    }
}

/// Without an answer, the cell did not come so far as to be checked.
fn take_answer(directory: &Path) -> Option<Found> {
    let file = directory.join(Found::FILE);
    let found = serde_json::from_slice(&fs::read(&file).ok()?).ok();
    let _ = fs::remove_file(file);
    found
}

/// Whether rustc did not take a type that stands in generated code, about which a student could do
/// nothing.
fn is_about_generated_code(error: &Error) -> bool {
    match error {
        Error::CompilationErrors(errors) => {
            !errors.iter().any(CompilationError::is_from_user_code)
                && errors
                    .iter()
                    .any(|error| error.code().is_some_and(|code| code.starts_with("E0")))
        }
        // `attempt_to_fix_error` in evcxr's `eval_context.rs`, of a private type.
        Error::Message(text) => text.starts_with("Failed to determine type"),
        Error::TypeRedefinedVariablesLost(_) | Error::SubprocessTerminated(_) => false,
    }
}

/// A type of rustc's for a student to read and to write, if it can be written.
pub(super) fn nameable(ty: &str) -> Option<String> {
    const SHORT: [&str; 5] = [
        "std::string::String",
        "std::vec::Vec",
        "std::option::Option",
        "std::result::Result",
        "std::boxed::Box",
    ];
    let Nameable::Type(_) = as_rust(ty) else {
        return None;
    };
    Some(SHORT.iter().fold(ty.to_owned(), |ty, path| {
        let (_, name) = path.rsplit_once("::").unwrap_or(("", path));
        ty.replace(path, name)
    }))
}

/// What a type of rustc's is in a cell.
#[derive(Debug, PartialEq, Eq)]
enum Nameable {
    Type(String),
    /// As a student can read it.
    No(String),
}

fn as_rust(ty: &str) -> Nameable {
    // A function has a type of its own, which rustc writes as `fn(i32) {name}`.
    let is_function = ty
        .split('(')
        .next()
        .is_some_and(|head| head.ends_with("fn"));
    let ty = match ty.rsplit_once(" {") {
        Some((pointer, name)) if is_function && name.ends_with('}') => pointer,
        _ => ty,
    };
    if ty.contains(['{', '}']) || ty.contains("evcxr_analysis_wrapper") {
        return Nameable::No(without_places(ty));
    }
    Nameable::Type(with_static_lifetimes(&with_public_names(ty)))
}

/// rustc writes the crates behind `crossbeam` and `futures` by their own names, but their types are
/// reached by others: `pub use crossbeam_channel as channel;`.
fn with_public_names(ty: &str) -> String {
    ty.replace("crossbeam::crossbeam_", "crossbeam::")
        .replace("futures::futures_", "futures::")
}

/// What is kept borrows nothing that ends. rustc leaves such lifetimes out, and names all others.
fn with_static_lifetimes(ty: &str) -> String {
    let ty = ty.replace("'_", "'static");
    let mut parts = ty.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push('&');
        if !part.starts_with('\'') {
            text.push_str("'static ");
        }
        text.push_str(part);
    }
    text
}

/// `{closure@types.rs:1:2: 3:4}` → `{closure}`: the place is one in generated code.
fn without_places(ty: &str) -> String {
    let mut parts = ty.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.find('}').map_or(part, |end| &part[end..]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustc_writes_is_rust_or_not() {
        let check = |ty: &str, expected: Nameable| assert_eq!(as_rust(ty), expected, "{ty}");
        let same = |ty: &str| check(ty, Nameable::Type(ty.to_owned()));
        same("std::sync::Arc<std::sync::Mutex<i32>>");
        same("for<'a> fn(&'a str) -> usize");
        same("std::boxed::Box<(dyn std::ops::Fn(i32) -> i32 + std::marker::Send + 'static)>");
        check(
            "for<'a> fn(&'a str) -> usize {str::len}",
            Nameable::Type("for<'a> fn(&'a str) -> usize".to_owned()),
        );
        check("fn(i32) {m::f::<u8>}", Nameable::Type("fn(i32)".to_owned()));

        check(
            "&mut std::str::Split<'_, &str>",
            Nameable::Type("&'static mut std::str::Split<'static, &'static str>".to_owned()),
        );
        check(
            "crossbeam::crossbeam_channel::Sender<u8>",
            Nameable::Type("crossbeam::channel::Sender<u8>".to_owned()),
        );
        let no = |ty: &str, shown: &str| check(ty, Nameable::No(shown.to_owned()));
        no("Map<A, {closure@types.rs:1:2: 3:4}>", "Map<A, {closure}>");
        no("{async block@types.rs:1:2: 3:4}", "{async block}");
        no("{closure@types.rs:1:2: 3:4}", "{closure}");
        let local = "evcxr_analysis_wrapper::{closure#0}::Local";
        no(local, local);
    }
}
