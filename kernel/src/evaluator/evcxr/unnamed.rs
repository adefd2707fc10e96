//! What to write for a type that has no name: what a closure takes and gives, what an iterator gives.
//!
//! rustc has only `{closure}` for them. But it knows the types of what they take and give, and is
//! asked for those when a student needs the words.

use evcxr::Error;

use super::{
    EvcxrEvaluator, diagnostics, lets,
    syntax::bindings,
    types::nameable,
    variables::{Definition, Variables},
};

/// A variable that no student has.
const ASKED: &str = "interleave_asked";

/// From the one that can do most to the one that most can do.
const CLOSURE_TRAITS: [&str; 3] = ["Fn", "FnMut", "FnOnce"];

impl EvcxrEvaluator {
    /// Learns what can be written instead of the types of the variables that an error is about.
    pub(super) fn learn_types_of_ended(&mut self, error: &Error) {
        for name in diagnostics::variables(error) {
            let Some(definition) = self.variables.of_unnamed_type(&name).cloned() else {
                continue;
            };
            if let Some(of) = self.closure(&definition) {
                self.variables.learn_type(&name, format!("impl {of}"));
            } else if let Some(item) = self.item(&definition) {
                self.variables.learn_item(&name, item);
            }
        }
    }

    /// `Fn(i32) -> i32`, if that is what the variable is.
    fn closure(&mut self, definition: &Definition) -> Option<String> {
        let value = definition.binding.value.clone()?;
        let parameters = bindings::parameters(&definition.cell.code, &value)?;
        CLOSURE_TRAITS.into_iter().find_map(|name| {
            let asked = self.ask(definition, &signature_of(definition, name, parameters))?;
            let signature = asked.strip_prefix("fn")?;
            Some(format!("{name}{}", with_lifetime_of_result(signature)))
        })
    }

    /// What the variable gives, if it is an iterator.
    fn item(&mut self, definition: &Definition) -> Option<String> {
        let name = &definition.binding.name;
        let asked = format!("let Some({ASKED}) = {{{name}}}.next() else {{ loop {{}} }};");
        self.ask(definition, &asked)
    }

    /// The type of [`ASKED`] at the end of the cell that defined a variable.
    fn ask(&mut self, definition: &Definition, question: &str) -> Option<String> {
        let code = format!("{}\n;{question}", definition.cell.code);
        let mut variables = lets::untyped(&code);
        variables.retain(|variable| variable.name == ASKED);
        let found = self.ask_rustc(&code, &variables).ok()?;
        if found.other_errors {
            return None;
        }
        // `impl Future` is no type that a variable can be given.
        nameable(found.types.get(ASKED)?).filter(|ty| !ty.contains("impl "))
    }
}

/// A `let` whose type is a function that takes and gives what the closure does.
fn signature_of(definition: &Definition, closure_trait: &str, parameters: usize) -> String {
    let name = &definition.binding.name;
    let taken: Vec<String> = (0..parameters).map(|n| format!("P{n}")).collect();
    let taken = taken.join(", ");
    let generics = format!("{taken}{}", if parameters > 0 { ", R" } else { "R" });
    format!(
        "let {ASKED} = {{ fn signature<{generics}, F: {closure_trait}({taken}) -> R>(_: &F) \
         -> fn({taken}) -> R {{ loop {{}} }} signature(&{name}) }};"
    )
}

/// `() -> &str` → `() -> &'static str`: rustc leaves the lifetime out, and what takes no reference
/// cannot lend it.
fn with_lifetime_of_result(signature: &str) -> String {
    match signature.split_once(") -> ") {
        Some((taken, given)) if !taken.contains('&') => {
            format!("{taken}) -> {}", given.replace('&', "&'static "))
        }
        _ => signature.to_owned(),
    }
}

impl Variables {
    /// Where a variable was defined that could not be kept because its type has no name.
    fn of_unnamed_type(&self, name: &str) -> Option<&Definition> {
        let ended = self.ended(name)?;
        let is_future = ended.type_name.starts_with("{async ");
        let is_unnamed = ended.type_name.is_empty() || ended.type_name.contains('{');
        (is_unnamed && !is_future)
            .then_some(ended.definition.as_ref())
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_without_a_lender_is_static() {
        let check = |signature, expected: &str| {
            assert_eq!(with_lifetime_of_result(signature), expected);
        };
        check("() -> &str", "() -> &'static str");
        check("(&str) -> &str", "(&str) -> &str");
        check("(i32)", "(i32)");
    }
}
