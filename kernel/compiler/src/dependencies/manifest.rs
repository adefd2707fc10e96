//! The `Cargo.toml` of what cells depend on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use toml::{Table, Value};

use crate::request::CELL_CRATE;

/// The crates that every cell can name, beside the prelude, each with the features that the prelude
/// asks for: one copy serves both.
const PRELOADED: [&str; 5] = ["crossbeam", "futures", "parking_lot", "rayon", "tokio"];

/// Features that popular crates ask of crates that the prelude uses too. cargo unites the features
/// of all; if they were not asked for at once, adding such a crate would compile the prelude anew,
/// and the process of the cells would have to be replaced ([`crate::prelude`]).
const UNITED: [(&str, &str, &[&str]); 13] = [
    ("bytes", "1", &["serde"]),
    ("crossbeam-channel", "0.5", &[]),
    ("crossbeam-queue", "0.3", &[]),
    ("either", "1", &["use_std"]),
    ("futures-channel", "0.3", &[]),
    ("futures-core", "0.3", &[]),
    ("futures-io", "0.3", &[]),
    ("futures-sink", "0.3", &[]),
    ("futures-util", "0.3", &[]),
    ("serde", "1", &["alloc", "rc"]),
    ("serde_json", "1", &["raw_value"]),
    ("slab", "0.4", &[]),
    ("smallvec", "1", &["const_generics", "const_new"]),
];

/// The same of crates that procedural macros use. A macro that is compiled anew makes cargo compile
/// whatever uses it anew.
const UNITED_FOR_MACROS: [(&str, &str, &[&str]); 2] = [
    (
        "syn",
        "2",
        &["extra-traits", "fold", "full", "visit", "visit-mut"],
    ),
    (
        "syn",
        "3",
        &["extra-traits", "fold", "full", "visit", "visit-mut"],
    ),
];

/// The name in code of the package that asks for those features. It is one of its own because cargo
/// refuses a package that depends on one crate under two names, and a notebook may add any of these.
pub(super) const UNITED_PACKAGE: &str = "interleave_united";

/// Optimised, because a student's first `par_iter` should show what threads gain. evcxr asks for
/// the same of the crates that a notebook adds.
const PROFILE: &str = "
[profile.dev]
debug = false
incremental = false
# The host loads the prelude by its path, and that must lead to the toolchain's libstd.
rpath = true

[profile.dev.package.\"*\"]
opt-level = 2
debug-assertions = false
overflow-checks = false
";

/// The name of the prelude's package.
pub(super) const PRELUDE: &str = "interleave";

/// The crates that every cell can name.
pub(super) fn base_names() -> Vec<&'static str> {
    [PRELUDE].into_iter().chain(PRELOADED).collect()
}

/// The manifest for cells that add nothing.
pub(crate) fn base(home: &Path) -> String {
    render(base_dependencies(home))
}

/// The manifest for a cell whose `Cargo.toml`, as evcxr wrote it, is given; `None` when it adds
/// nothing.
pub(crate) fn with_additions(home: &Path, cell: &str) -> Result<Option<String>> {
    let cell: Table = cell
        .parse()
        .context("evcxr wrote a Cargo.toml that is not TOML")?;
    let additions = cell.get("dependencies").and_then(Value::as_table);
    let Some(additions) = additions.filter(|additions| !additions.is_empty()) else {
        return Ok(None);
    };
    let mut dependencies = base_dependencies(home);
    // A crate that is preloaded and asked for again is what the notebook asks for; cargo unites
    // its features with those that the prelude needs.
    dependencies.extend(additions.clone());
    Ok(Some(render(dependencies)))
}

fn base_dependencies(home: &Path) -> Table {
    let at = |directory: &Path| {
        let path = Value::from(directory.to_string_lossy().into_owned());
        Value::Table(Table::from_iter([("path".to_owned(), path)]))
    };
    let mut dependencies = Table::new();
    dependencies.insert(PRELUDE.into(), at(&home.join("prelude")));
    dependencies.insert(UNITED_PACKAGE.into(), at(&united_directory(home)));
    for name in PRELOADED {
        dependencies.insert(name.into(), Value::from("*"));
    }
    dependencies
}

/// Where the package that asks for features is.
pub(super) fn united_directory(home: &Path) -> PathBuf {
    home.join("united")
}

/// The manifest of that package.
pub(super) fn united() -> String {
    Table::from_iter([
        ("package".to_owned(), package(UNITED_PACKAGE)),
        ("dependencies".to_owned(), features(&UNITED)),
        (
            "build-dependencies".to_owned(),
            features(&UNITED_FOR_MACROS),
        ),
    ])
    .to_string()
}

fn features(crates: &[(&str, &str, &[&str])]) -> Value {
    let entry = |(name, version, features): &(&str, &str, &[&str])| {
        let features: Vec<Value> = features.iter().copied().map(Value::from).collect();
        let dependency = Table::from_iter([
            ("package".to_owned(), Value::from(*name)),
            ("version".to_owned(), Value::from(*version)),
            ("features".to_owned(), Value::from(features)),
        ]);
        // Of a crate there can be several versions.
        let key = format!("{name}_{}", version.replace('.', "_"));
        (key, Value::Table(dependency))
    };
    Value::Table(crates.iter().map(entry).collect())
}

fn package(name: &str) -> Value {
    Value::Table(Table::from_iter([
        ("name".to_owned(), Value::from(name)),
        ("version".to_owned(), Value::from("1.0.0")),
        ("edition".to_owned(), Value::from("2024")),
    ]))
}

fn render(dependencies: Table) -> String {
    let manifest = Table::from_iter([
        ("package".to_owned(), package(CELL_CRATE)),
        ("dependencies".to_owned(), Value::Table(dependencies)),
        // The installation may lie inside somebody's workspace, which this is no part of.
        ("workspace".to_owned(), Value::Table(Table::new())),
    ]);
    format!("{manifest}{PROFILE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "/opt/interleave";

    #[test]
    fn a_cell_that_adds_nothing_needs_no_manifest_of_its_own() {
        let cell = "[package]\nname = \"ctx\"\n[dependencies]\n";
        assert_eq!(with_additions(HOME.as_ref(), cell).unwrap(), None);
    }

    #[test]
    fn additions_stand_beside_the_base_set() {
        let cell = "[dependencies]\nregex = \"1\"\ntokio = { version = \"1.40\" }\n";
        let manifest = with_additions(HOME.as_ref(), cell).unwrap().unwrap();
        let manifest: Table = manifest.parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        assert_eq!(dependencies["regex"].as_str(), Some("1"));
        assert_eq!(dependencies["tokio"]["version"].as_str(), Some("1.40"));
        assert_eq!(
            dependencies["interleave"]["path"].as_str(),
            Some("/opt/interleave/prelude")
        );
        assert_eq!(dependencies["rayon"].as_str(), Some("*"));
        assert!(manifest["workspace"].as_table().unwrap().is_empty());
    }
}
