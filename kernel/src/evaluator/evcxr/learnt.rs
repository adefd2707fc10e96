//! Types that evcxr has under other names.
//!
//! evcxr wants to know a variable's type before rustc has seen the cell. So it is given an alias for each,
//! and the compiler learns from rustc what the types are, while it compiles the cell; see
//! `interleave_compiler::learning`. What was learnt is kept here, for the compiler and for whoever asks
//! evcxr for types.

use std::collections::{BTreeMap, BTreeSet};

use evcxr::{CommandContext, Error, EvalOutputs};
use interleave_compiler::learning::SWITCH;
use interleave_protocol::{
    CellFacts, TYPES_NOT_LEARNT,
    types::{ALIAS, Found, Learnt, alias},
};

use super::{
    EvcxrEvaluator, diagnostics,
    lets::{self, Typed},
    types,
};

/// What is known by aliases.
#[derive(Debug, Default)]
pub(super) struct LearntTypes(BTreeMap<String, Learnt>);

/// What became of a cell that was given to evcxr with aliases.
pub(super) enum Tried {
    /// It was compiled, or run, like any other.
    Done(Result<EvalOutputs, Error>),
    /// Its types have to be known before. They may be.
    Refused(Option<Found>),
}

impl LearntTypes {
    /// For the compiler.
    pub(super) fn all(&self) -> BTreeMap<String, Learnt> {
        self.0.clone()
    }

    /// Takes what was learnt of a cell. `used` are the types of all variables that there are now.
    pub(super) fn add<'a>(
        &mut self,
        learnt: &BTreeMap<String, Learnt>,
        used: impl Iterator<Item = &'a str>,
    ) {
        let learnt = learnt.iter();
        self.0
            .extend(learnt.map(|(alias, learnt)| (alias.clone(), learnt.clone())));
        let used: BTreeSet<&str> = used.collect();
        self.0.retain(|alias, _| used.contains(alias.as_str()));
    }

    /// A type as evcxr has it, as it is.
    pub(super) fn of<'a>(&'a self, ty: &'a str) -> &'a str {
        self.0.get(ty).map_or(ty, |learnt| &learnt.ty)
    }

    /// The variables of `context`, and their types.
    pub(super) fn variables<'a>(
        &'a self,
        context: &'a CommandContext,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let variables = context.variables_and_types();
        variables.map(|(name, ty)| (name, self.of(ty)))
    }

    /// What evcxr says of types.
    pub(super) fn in_text(&self, text: &str) -> String {
        let mut parts = text.split(ALIAS);
        let mut new = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|letter: char| !(letter.is_ascii_digit() || letter == '_'));
            let (number, rest) = part.split_at(end.unwrap_or(part.len()));
            new.push_str(self.of(&format!("{ALIAS}{number}")));
            new.push_str(rest);
        }
        new
    }
}

/// Whether types are learnt in this way at all.
pub(super) fn is_on() -> bool {
    std::env::var_os(SWITCH).is_none_or(|value| value != "off")
}

impl EvcxrEvaluator {
    /// Runs a cell whose types the compiler is to learn; `None` if there is nothing to learn.
    pub(super) fn try_to_learn(&mut self, code: &str, facts: &mut CellFacts) -> Option<Tried> {
        if self.analyst.is_none() || !is_on() {
            return None;
        }
        let variables = lets::untyped(code);
        if variables.is_empty() {
            return None;
        }
        let aliases = variables.iter().enumerate();
        let aliases =
            aliases.map(|(index, variable)| (variable.name.clone(), alias(facts.id, index)));
        self.typed = Typed::new(code, &variables, &aliases.collect());
        facts.learn = true;
        let result = self.compile_and_run(facts);
        let error = result.as_ref().err().and_then(diagnostics::first_code);
        if error.as_deref() != Some(TYPES_NOT_LEARNT) {
            return Some(Tried::Done(result));
        }
        let found = types::take_answer(&self.workspace.compile_directory());
        Some(Tried::Refused(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_evcxr_says_has_the_types_in_it() {
        let learnt = |ty: &str| Learnt {
            ty: ty.to_owned(),
            definitions: 0,
        };
        let mut types = LearntTypes::default();
        let new = [(alias(1, 0), learnt("i32")), (alias(1, 10), learnt("u8"))];
        let used = [alias(1, 0), alias(1, 10)];
        types.add(&BTreeMap::from(new), used.iter().map(String::as_str));
        assert_eq!(
            types.in_text(&format!("a: {}, b: {}<br>", alias(1, 10), alias(1, 0))),
            "a: u8, b: i32<br>"
        );
        assert_eq!(types.of("String"), "String");
        types.add(&BTreeMap::new(), [alias(1, 0).as_str()].into_iter());
        assert_eq!(types.of(&alias(1, 10)), alias(1, 10));
    }
}
