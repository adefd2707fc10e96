//! With which options rustc compiles a cell.

use std::{fs, path::Path};

use anyhow::Result;
use interleave_protocol::CellFacts;
use toml::Table;

use crate::{dependencies::Dependencies, request::Emit};

const EMIT_LINK: &str = "--emit=link";
const EMIT_METADATA: &str = "--emit=metadata";

/// How to make what is asked for.
pub(super) fn code_generation(
    directory: &Path,
    dependencies: &Dependencies,
    facts: &CellFacts,
    emit: Emit,
) -> Result<Vec<String>> {
    let libraries = dependencies.directory.display();
    let mut arguments: Vec<String> = match emit {
        Emit::Check => vec!["--crate-type=lib".into(), EMIT_METADATA.into()],
        Emit::SharedObject => vec![
            "--crate-type=cdylib".into(),
            EMIT_LINK.into(),
            parts(),
            "-Crpath".into(),
            format!("-Clink-arg=-Wl,-rpath,{libraries}"),
        ],
    };
    arguments.extend([
        format!("-Copt-level={}", level(directory, facts)?),
        "-Cdebug-assertions=on".into(),
        "-Coverflow-checks=on".into(),
        "-Cprefer-dynamic".into(),
        // The host finds the callers of a function by frame pointers, and the kernel their lines.
        "-Cforce-frame-pointers=yes".into(),
        "-Cdebuginfo=line-tables-only".into(),
    ]);
    Ok(arguments)
}

/// Environment variable: `off` compiles in parts that are kept, as cargo does.
const CODEGEN_SWITCH: &str = "INTERLEAVE_CODEGEN";

/// Little of a cell is the same as in the cell before. What rustc spends on keeping and comparing
/// parts is more than it saves: a third of the time of a larger cell.
fn parts() -> String {
    let is_off = std::env::var_os(CODEGEN_SWITCH).is_some_and(|value| value == "off");
    let option = if is_off {
        "-Cincremental=incremental"
    } else {
        "-Ccodegen-units=2"
    };
    option.to_owned()
}

/// What `:opt` chose, for this cell or for the notebook: evcxr writes the latter into the profile of
/// the cell's `Cargo.toml`.
pub(super) fn level(directory: &Path, facts: &CellFacts) -> Result<String> {
    if let Some(level) = &facts.opt_level {
        return Ok(level.clone());
    }
    let manifest: Table = fs::read_to_string(directory.join("Cargo.toml"))?.parse()?;
    let level = manifest
        .get("profile")
        .and_then(|profile| profile.get("dev")?.get("opt-level"));
    Ok(match level {
        Some(toml::Value::String(level)) => level.clone(),
        Some(level) => level.to_string(),
        None => "0".to_owned(),
    })
}

/// The same without code generation: only what rustc says.
pub(super) fn without_object(arguments: &mut [String]) {
    let emits = arguments.iter_mut().filter(|word| *word == EMIT_LINK);
    emits.for_each(|word| *word = EMIT_METADATA.to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_optimisation_level_is_the_one_that_evcxr_wrote() {
        let directory = tempfile::tempdir().unwrap();
        let written = |wanted: &str| {
            let manifest = format!("[profile.dev]\nopt-level = {wanted}\n");
            fs::write(directory.path().join("Cargo.toml"), manifest).unwrap();
            level(directory.path(), &CellFacts::default()).unwrap()
        };
        assert_eq!(written("2"), "2");
        assert_eq!(written("\"s\""), "s");
        let facts = CellFacts {
            opt_level: Some("3".into()),
            ..CellFacts::default()
        };
        assert_eq!(level(directory.path(), &facts).unwrap(), "3");
    }
}
