//! Asks rustc for the types of a cell's variables.
//!
//! evcxr keeps a variable under the name of its type, and asks rust-analyzer for that name. rustc
//! knows it better and sooner. It is asked through `cargo check` of the source that evcxr writes for
//! analysis: that ends in one line for each variable, `evcxr_variable_store(x);` (`analysis_code`
//! in `eval_context.rs` of evcxr 0.22). In its place rustc finds a `match` on a pointer to the
//! variable that lacks every arm, and its complaint names the type.
//!
//! This error, E0004, is one of the check between type inference and borrow checking. So the type is
//! final (`{integer}` has become `i32`), and a variable that was moved has one, too.

use std::{
    collections::BTreeMap, fs, os::unix::process::ExitStatusExt, path::Path, process::Command,
};

use anyhow::{Context, Result};
use interleave_protocol::{
    CellFacts,
    types::{Found, Wanted},
};
use serde_json::Value;

use crate::{
    call::{Answered, Caller},
    dependencies::Dependencies,
    installation::Installation,
    learning, limits, order, unneeded,
};

mod certain;
mod names;

pub(crate) use certain::Certain;
pub use names::{Nameable, as_rust};

/// Where the question is, in the directory of the cell.
const SOURCE: &str = "types.rs";

/// Of computing. A type that doubles thirty times has a name that takes hours to write.
const MOST_SECONDS: u64 = 10;

/// Between these words rustc writes the type.
const MESSAGE: [&str; 2] = ["non-exhaustive patterns: type `*const ", "` is non-empty"];

/// Whether the kernel has asked a question.
pub fn are_wanted(directory: &Path) -> bool {
    directory.join(Wanted::FILE).exists()
}

/// Answers the question that lies in `directory`, where evcxr wrote the source for analysis.
///
/// # Errors
///
/// When rustc cannot be run or the disk fails.
pub fn learn(
    installation: &Installation,
    dependencies: &Dependencies,
    directory: &Path,
) -> Result<()> {
    let wanted: Wanted = serde_json::from_slice(&fs::read(directory.join(Wanted::FILE))?)?;
    limits::memory(wanted.facts.memory_limit);
    limits::processor(MOST_SECONDS);
    let source = fs::read_to_string(directory.join("src/lib.rs"))
        .context("cannot read the source that evcxr wrote")?;
    // What only evcxr reads would hide a `thread_local!` in a module.
    let source = interleave_protocol::types::without_added(&source);
    let source = learning::with_types(&source, &wanted.facts);
    let caller = Caller {
        installation,
        dependencies,
        directory,
    };
    let mut found = Found::default();
    for form in forms(&source, &wanted.facts) {
        found = ask(caller, &form, &wanted.names)?;
        // An error in the first form may be of our making.
        if found.too_long || !found.other_errors {
            break;
        }
    }
    fs::write(directory.join(Found::FILE), serde_json::to_vec(&found)?)?;
    Ok(())
}

/// The source for analysis as rustc is asked about it: made simpler, and as it is in case that fails.
fn forms(source: &str, facts: &CellFacts) -> impl Iterator<Item = String> {
    // The error type goes before the items are put in order, which would put it and its implementation apart.
    // What is not needed goes afterwards: it leaves empty lines, which would be in the order of evcxr.
    let first = simpler(source, facts).map(|source| {
        let source = in_order(source);
        unneeded::left_out(&source, facts).unwrap_or(source)
    });
    first.into_iter().chain([in_order(source.to_owned())])
}

fn in_order(source: String) -> String {
    order::ordered(&source).map_or(source, |ordered| ordered.source)
}

fn ask(caller: Caller<'_>, source: &str, names: &[String]) -> Result<Found> {
    let (source, lines) = ask_for(source, names);
    // Not the file that evcxr wrote: it compares what is there with what it is about to write.
    fs::write(caller.directory.join(SOURCE), source)?;
    let understand = |answered: &Answered| read(&String::from_utf8_lossy(&answered.said), &lines);
    let rustc = rustc(caller, SOURCE);
    let answered = caller.call(rustc, SOURCE, None, &|_| false, |answered| {
        !understand(answered).other_errors
    })?;
    let ended = answered.status.and_then(|status| status.signal());
    Ok(Found {
        too_long: ended.is_some(),
        ..understand(&answered)
    })
}

/// The source without what evcxr adds that costs time and has nothing to do with types, on the same lines;
/// `None` if there is nothing of that.
///
/// - evcxr defines an error type that everything can become. rustc then compares the
///   implementations of `From` that it knows, which takes longer than all else; the prelude's type
///   is compared already.
/// - Only a cell that awaits needs a function that can.
fn simpler(source: &str, facts: &CellFacts) -> Option<String> {
    let start = source.rfind(ERROR_TYPE)?;
    let end = start + source[start..].find("\nfn evcxr_variable_store<T")?;
    let is_ours = source[start..end]
        .lines()
        .skip(1)
        .all(|line| line.is_empty() || line.starts_with(' '));
    if !is_ours {
        return None;
    }
    let lines = "\n".repeat(source[start..end].matches('\n').count());
    let mut simpler = format!(
        "{}{PRELUDE_ERROR}{lines}{}",
        &source[..start],
        &source[end..]
    );
    if !facts.awaits {
        simpler = simpler.replacen(ASYNC_FUNCTION, SIMPLE_FUNCTION, 1);
    }
    Some(simpler)
}

/// `get_user_error_type` and `analysis_code` in `eval_context.rs` of evcxr 0.22.
const ERROR_TYPE: &str = "            struct EvcxrUserCodeError {}";
const ASYNC_FUNCTION: &str = "\nasync fn evcxr_analysis_wrapper(";
const SIMPLE_FUNCTION: &str = "\nfn evcxr_analysis_wrapper(";
/// What is there instead.
const PRELUDE_ERROR: &str = "use ::interleave::private::UserError as EvcxrUserCodeError;";

/// Puts the question into the source. The lines, counted from 1, on which it is, each with its
/// variable.
fn ask_for(source: &str, names: &[String]) -> (String, BTreeMap<u64, String>) {
    let mut asked = BTreeMap::new();
    let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
    // evcxr's lines are the last ones; a student may write the same.
    for (index, line) in lines.iter_mut().enumerate().rev() {
        let stored = line
            .strip_prefix("evcxr_variable_store(")
            .and_then(|rest| rest.strip_suffix(");"));
        let Some(name) = stored.map(str::to_owned) else {
            if matches!(line.as_str(), "Ok(())" | "}") {
                continue;
            }
            break;
        };
        line.clear();
        if names.contains(&name) {
            line.push_str(&format!("match &raw const {name} {{}};"));
            asked.insert(index as u64 + 1, name);
        }
    }
    lines.push(String::new());
    (lines.join("\n"), asked)
}

/// What rustc is asked about the types in a source.
fn rustc(caller: Caller<'_>, source: &str) -> Command {
    let mut rustc = caller.rustc(source);
    rustc
        // For the two options that begin with -Z. Nothing of this compilation is kept.
        .env("RUSTC_BOOTSTRAP", "1")
        .args([
            "--crate-type=lib",
            "--emit=metadata",
            "--cap-lints=allow",
            "-Cprefer-dynamic",
            // Paths that lead to the name from anywhere, however long they are.
            "-Ztrim-diagnostic-paths=no",
            "-Zwrite-long-types-to-disk=no",
        ]);
    rustc
}

fn read(diagnostics: &str, lines: &BTreeMap<u64, String>) -> Found {
    let mut found = Found::default();
    let diagnostics = diagnostics
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for diagnostic in diagnostics {
        match answer(&diagnostic, lines) {
            Some((name, ty)) => {
                found.types.insert(name.to_owned(), ty.to_owned());
            }
            // Without a place it is the summary at the end.
            None if diagnostic["level"] == "error" && diagnostic["spans"][0].is_object() => {
                found.other_errors = true;
            }
            None => {}
        }
    }
    // Something that has no place, such as a crate that cannot be read.
    found.other_errors |= found.types.len() < lines.len();
    found
}

fn answer<'a>(
    diagnostic: &'a Value,
    lines: &'a BTreeMap<u64, String>,
) -> Option<(&'a str, &'a str)> {
    if diagnostic["code"]["code"] != "E0004" {
        return None;
    }
    let line = diagnostic["spans"][0]["line_start"].as_u64()?;
    let [before, behind] = MESSAGE;
    let ty = diagnostic["message"].as_str()?.strip_prefix(before)?;
    Some((lines.get(&line)?, ty.strip_suffix(behind)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As evcxr 0.22 writes it.
    const GENERATED: &str = "fn evcxr_variable_store<T: 'static>(_: T) {}
async fn evcxr_analysis_wrapper(a: i32,) -> Result<(), EvcxrUserCodeError> {
let x = vec![a];
evcxr_variable_store(x);
let y = 1;
evcxr_variable_store(y);
evcxr_variable_store(a);
evcxr_variable_store(x);
Ok(())
}
";

    /// The same.
    const ERROR: &str = "            struct EvcxrUserCodeError {}
            impl<T: std::fmt::Display> From<T> for EvcxrUserCodeError {
                fn from(error: T) -> Self {
                    EvcxrUserCodeError {}
                }
            }
        ";

    #[test]
    fn only_the_wanted_variables_are_asked_for_and_no_line_of_the_student_changes() {
        let (source, lines) = ask_for(GENERATED, &["x".to_owned(), "y".to_owned()]);
        assert_eq!(
            source.lines().skip(3).collect::<Vec<_>>(),
            [
                "evcxr_variable_store(x);",
                "let y = 1;",
                "match &raw const y {};",
                "",
                "match &raw const x {};",
                "Ok(())",
                "}",
            ]
        );
        assert_eq!(
            lines,
            BTreeMap::from([(6, "y".to_owned()), (8, "x".to_owned())])
        );
    }

    #[test]
    fn the_simpler_source_has_the_same_lines() {
        let source = format!("fn f() {{}}\n\n{ERROR}\n{GENERATED}");
        let facts = CellFacts::default();
        let simple = simpler(&source, &facts).unwrap();
        assert_eq!(simple.lines().count(), source.lines().count());
        let changed: Vec<_> = simple
            .lines()
            .zip(source.lines())
            .filter(|(new, old)| new != old && !new.is_empty())
            .map(|(new, _)| new)
            .collect();
        let function = GENERATED.lines().nth(1).unwrap().replace("async ", "");
        assert_eq!(changed, [PRELUDE_ERROR, function.as_str()]);
        let awaits = CellFacts {
            awaits: true,
            ..facts
        };
        assert!(
            simpler(&source, &awaits)
                .unwrap()
                .contains("\nasync fn evcxr")
        );
        assert_eq!(simpler(GENERATED, &awaits), None);
    }

    #[test]
    fn the_first_form_is_simpler_whatever_the_order_of_its_items() {
        let source = format!("use std::fmt;\n{ERROR}\n{GENERATED}");
        let forms: Vec<_> = forms(&source, &CellFacts::default()).collect();
        let implements = forms.iter().map(|form| form.contains("impl<T"));
        assert_eq!(implements.collect::<Vec<_>>(), [false, true]);
    }

    #[track_caller]
    fn check(diagnostics: &str, types: &[(&str, &str)], other_errors: bool) {
        let lines = BTreeMap::from([(6, "y".to_owned())]);
        let found = read(diagnostics, &lines);
        let types = types
            .iter()
            .map(|(name, ty)| ((*name).to_owned(), (*ty).to_owned()));
        assert_eq!(found.types, types.collect());
        assert_eq!(found.other_errors, other_errors);
    }

    #[test]
    fn the_type_is_read_from_the_complaint() {
        let complaint = r#"{"level":"error","code":{"code":"E0004"},"spans":[{"line_start":6}],
            "message":"non-exhaustive patterns: type `*const std::vec::Vec<i32>` is non-empty"}"#
            .replace('\n', "");
        let other = r#"{"level":"error","code":{"code":"E0308"},"spans":[{"line_start":3}],"message":"mismatched types"}"#;
        let summary = r#"{"level":"error","code":null,"spans":[],"message":"aborting due to 1 previous error"}"#;
        check(
            &format!("{complaint}\n{summary}"),
            &[("y", "std::vec::Vec<i32>")],
            false,
        );
        check(
            &format!("{other}\n{complaint}"),
            &[("y", "std::vec::Vec<i32>")],
            true,
        );
        check(other, &[], true);
        check("", &[], true);
        check(&complaint.replace(":6", ":3"), &[], true);
    }
}
