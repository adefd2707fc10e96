//! Compiles a cell with checkpoints, and without when that fails.
//!
//! So an error is always about the student's code alone, and no cell fails because of a checkpoint.

use std::{fs, io, path::Path};

use anyhow::Result;
use interleave_protocol::CellFacts;
use serde_json::Value;

use crate::{
    cell::Run,
    checkpoints::{self, Additions, Checked},
    diagnostics::Mapping,
    insertions::Insertions,
    sites::Site,
    unneeded,
};

/// Writes the source to `path`, with checkpoints and notes if it can have some and without what it
/// does not need, and calls rustc; once more with the source as it is, if it must. rustc knows the
/// file by its `name`.
pub(crate) fn with_checkpoints(
    path: &Path,
    name: &str,
    source: &str,
    facts: &CellFacts,
    opt_level: &str,
    rustc: impl Fn() -> Result<Run>,
) -> Result<Run> {
    let cell = CellFacts::id_in(name).unwrap_or_default();
    let less = unneeded::left_out(source, facts);
    let first = less.as_deref().unwrap_or(source);
    let all = checkpoints::insert(first, opt_level, Additions::All { cell });
    let has_notes = all.as_ref().is_some_and(|checked| checked.has_notes);
    if (less.is_some() || all.is_some())
        && let Some(run) = attempt(path, name, first, all, &rustc)?
    {
        return Ok(run);
    }
    write(path, source, None)?;
    let run = rustc()?;
    if !(run.success && has_notes) {
        return Ok(run);
    }
    // A note has broken it.
    let checked = checkpoints::insert(source, opt_level, Additions::Checkpoints);
    if checked.is_some()
        && let Some(run) = attempt(path, name, source, checked, &rustc)?
    {
        return Ok(run);
    }
    write(path, source, None)?;
    rustc()
}

/// Compiles a source with additions, if it has some. `None` when it does not compile because of more
/// than variables that cannot be kept.
fn attempt(
    path: &Path,
    name: &str,
    source: &str,
    checked: Option<Checked>,
    rustc: impl Fn() -> Result<Run>,
) -> Result<Option<Run>> {
    let text = checked.as_ref().map_or(source, |checked| &checked.source);
    write(path, text, checked.as_ref())?;
    let mut run = rustc()?;
    if !(run.success || run.crashed || is_about_stored_variables(&run.diagnostics, source)) {
        return Ok(None);
    }
    if let Some(checked) = &checked {
        let mapping = Mapping {
            path: name,
            source,
            checked,
        };
        let diagnostics = run.diagnostics.into_iter();
        run.diagnostics = diagnostics.filter_map(|line| mapping.back(line)).collect();
    }
    Ok(Some(run))
}

fn write(path: &Path, source: &str, checked: Option<&Checked>) -> Result<()> {
    let insertions = path.with_file_name(Insertions::FILE);
    let sites = path.with_file_name(Site::FILE);
    match checked {
        Some(checked) => {
            crate::files::replace(&insertions, serde_json::to_vec(&checked.insertions)?)?;
            crate::files::replace(&sites, serde_json::to_vec(&checked.sites)?)?;
        }
        None => {
            remove(&insertions)?;
            remove(&sites)?;
        }
    }
    fs::write(path, source)?;
    Ok(())
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whether every error has to do with a line that stores a variable. Then evcxr compiles once more,
/// without that line ([`crate::keeping`]).
pub(crate) fn is_about_stored_variables(diagnostics: &[String], source: &str) -> bool {
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
