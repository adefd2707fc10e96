//! Finds the types of a cell's variables before evcxr sees the cell; see `lets`.

use std::{collections::BTreeMap, fs, path::Path};

use evcxr::{CompilationError, Error, EvalOutputs};
use interleave_compiler::types::{Nameable, as_rust};
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
    /// rustc says of their types is returned. It may have said it already.
    pub(super) fn with_types(
        &mut self,
        sending: &mut Sending,
        found: Option<Found>,
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
        let knows_all = |found: &Found| {
            let mut names = variables.iter().map(|variable| &variable.name);
            names.all(|name| found.types.contains_key(name))
        };
        let found = match found.filter(knows_all) {
            Some(found) => found,
            None => self.ask_rustc(&code, &variables)?,
        };
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
                learnt: self.learnt.all(),
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
            .with(self.learnt.variables(&self.context), &code);
        analyst.types(inside.code).map_err(Error::Message)
    }
}

/// Without an answer, the cell did not come so far as to be checked.
pub(super) fn take_answer(directory: &Path) -> Option<Found> {
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
