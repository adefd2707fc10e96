//! Compiles a cell with checkpoints, and without when that fails.
//!
//! So an error is always about the student's code alone, and no cell fails because of a checkpoint.

use std::{fs, io, path::Path};

use anyhow::Result;
use interleave_protocol::CellFacts;
use serde_json::Value;

use crate::{
    cell::Run,
    checkpoints::{self, Checked},
    diagnostics::Mapping,
    insertions::Insertions,
    unneeded,
};

/// Writes the source to `path`, with checkpoints if it can have some and without what it does not
/// need, and calls rustc; once more with the source as it is, if it must. rustc knows the file by its
/// `name`.
pub(crate) fn with_checkpoints(
    path: &Path,
    name: &str,
    source: &str,
    facts: &CellFacts,
    opt_level: &str,
    rustc: impl Fn() -> Result<Run>,
) -> Result<Run> {
    let less = unneeded::left_out(source, facts);
    let first = less.as_deref().unwrap_or(source);
    let checked = checkpoints::insert(first, opt_level);
    if less.is_some() || checked.is_some() {
        let text = checked.as_ref().map_or(first, |checked| &checked.source);
        write(path, text, checked.as_ref())?;
        let mut run = rustc()?;
        if run.success || run.crashed || is_about_stored_variables(&run.diagnostics, source) {
            if let Some(checked) = &checked {
                let mapping = Mapping {
                    path: name,
                    source: first,
                    checked,
                };
                let diagnostics = run.diagnostics.into_iter();
                run.diagnostics = diagnostics.filter_map(|line| mapping.back(line)).collect();
            }
            return Ok(run);
        }
    }
    write(path, source, None)?;
    rustc()
}

fn write(path: &Path, source: &str, checked: Option<&Checked>) -> Result<()> {
    let insertions = path.with_file_name(Insertions::FILE);
    match checked {
        Some(checked) => {
            crate::files::replace(&insertions, serde_json::to_vec(&checked.insertions)?)?
        }
        None => match fs::remove_file(insertions) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        },
    }
    fs::write(path, source)?;
    Ok(())
}

/// Whether every error has to do with a line that stores a variable. Then evcxr compiles once more,
/// without that line ([`crate::keeping`]).
fn is_about_stored_variables(diagnostics: &[String], source: &str) -> bool {
    let lines: Vec<&str> = source.lines().collect();
    let is_stored = |span: &Value| {
        let line = span["line_start"].as_u64().unwrap_or_default();
        let index = usize::try_from(line).unwrap_or_default().checked_sub(1);
        let text = index.and_then(|index| lines.get(index));
        text.is_some_and(|text| text.contains("evcxr_variable_store.put_variable::<"))
    };
    diagnostics
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|diagnostic| diagnostic["level"] == "error")
        .filter_map(|mut error| match error["spans"].take() {
            Value::Array(spans) if !spans.is_empty() => Some(spans),
            // "aborting due to …"
            _ => None,
        })
        .all(|spans| spans.iter().any(is_stored))
}

#[cfg(test)]
mod tests;
