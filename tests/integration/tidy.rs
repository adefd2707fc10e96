//! Rules of the repository.

use std::{
    fs,
    path::{Path, PathBuf},
};

const LINES: usize = 400;
const PRELUDE: &str = "kernel/prelude/src/";

/// Every Rust file of the kernel and of these tests, with its path from the top.
fn sources() -> Vec<(String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a workspace");
    let mut files = Vec::new();
    for folder in ["kernel", "tests/integration"] {
        collect(&top.join(folder), &mut files);
    }
    assert!(files.len() > 30, "the files are somewhere else");
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(top).expect("a file below the top");
        (
            name.display().to_string(),
            fs::read_to_string(path).unwrap(),
        )
    };
    files.iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Fails with every line outside of `places` that contains `text`.
fn only_in(text: &str, places: &[&str], reason: &str) {
    let mut found = Vec::new();
    for (name, source) in sources() {
        if places.iter().any(|place| name.starts_with(place)) || name.ends_with("tidy.rs") {
            continue;
        }
        let lines = (1..).zip(source.lines());
        let lines = lines.filter(|(_, line)| line.contains(text));
        found.extend(lines.map(|(number, line)| format!("{name}:{number}: {}", line.trim())));
    }
    assert!(found.is_empty(), "{reason}\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    let mut files = sources();
    files.retain(|(_, source)| !source.starts_with("//! "));
    let names = Vec::from_iter(files.iter().map(|(name, _)| name));
    assert!(
        names.is_empty(),
        "these do not begin with a //! line: {names:#?}"
    );
}

#[test]
fn no_file_is_too_long_to_be_read_in_one_go() {
    let mut files = sources();
    files.retain(|(_, source)| source.lines().count() > LINES);
    let names = Vec::from_iter(files.iter().map(|(name, _)| name));
    assert!(
        names.is_empty(),
        "these have more than {LINES} lines; split them by what their parts are about: {names:#?}"
    );
}

#[test]
fn one_folder_knows_evcxr() {
    only_in(
        "evcxr::",
        &[
            "kernel/src/evaluator",
            "kernel/src/cli.rs",
            "kernel/src/main.rs",
        ],
        "evcxr stays behind the trait Evaluator, so that the rest can be tested without it",
    );
}

#[test]
fn one_folder_knows_zeromq() {
    only_in(
        "zeromq::",
        &["kernel/src/sockets", "tests/integration"],
        "a socket is owned by one task in kernel/src/sockets; send to that task",
    );
}

#[test]
fn the_session_and_the_wire_do_no_io() {
    for text in ["tokio::", "std::fs", "std::net", "std::thread"] {
        let found = sources().into_iter().filter(|(name, source)| {
            let pure = ["kernel/src/session", "kernel/src/wire"];
            pure.iter().any(|place| name.starts_with(place)) && source.contains(text)
        });
        let found: Vec<_> = found.map(|(name, _)| name).collect();
        assert!(
            found.is_empty(),
            "{text} is I/O, and these are pure: {found:?}"
        );
    }
}

#[test]
fn nothing_is_ordered_by_time() {
    let kernel = sources().into_iter().filter(|(name, _)| {
        name.starts_with("kernel/src/") && !name.ends_with("evaluator/scripted.rs")
    });
    for (name, source) in kernel {
        assert!(
            !source.contains("sleep("),
            "{name}: wait for what you need, not for a while"
        );
    }
}

#[test]
fn every_public_item_of_the_prelude_has_an_example() {
    let exempt = ["private", "host.rs", "names.rs"].map(|name| format!("{PRELUDE}{name}"));
    let mut found = Vec::new();
    for (name, source) in sources() {
        let public = name.starts_with(PRELUDE) && !exempt.iter().any(|e| name.starts_with(e));
        if public {
            let items = items_without_an_example(&source).into_iter();
            found.extend(items.map(|(number, item)| format!("{name}:{number}: {item}")));
        }
    }
    assert!(
        found.is_empty(),
        "students read these in the notebook and copy the example; show in a doctest what it does, \
         and assert it:\n{}",
        found.join("\n")
    );
}

/// The public items, and the methods of public traits, whose documentation has no code that runs.
fn items_without_an_example(source: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let (mut docs, mut in_attribute, mut in_trait) = (Vec::new(), false, false);
    for (number, line) in (1..).zip(source.lines()) {
        let code = line.trim();
        if let Some(doc) = code.strip_prefix("///") {
            docs.push(doc.trim());
        } else if in_attribute || code.starts_with("#[") {
            in_attribute = !code.ends_with(']');
        } else {
            let public = code.starts_with("pub ") || in_trait && code.starts_with("fn ");
            if public && is_item(code) && !has_example(&docs) {
                found.push((number, code));
            }
            in_trait = line != "}" && (in_trait || line.starts_with("pub trait "));
            docs.clear();
        }
    }
    found
}

fn is_item(code: &str) -> bool {
    let kinds = ["fn", "struct", "enum", "trait"];
    let mut words = code.split(' ');
    words.any(|word| kinds.contains(&word))
}

/// Whether a block of code begins in the documentation that rustdoc runs, and lets succeed.
fn has_example(docs: &[&str]) -> bool {
    let fences = docs.iter().filter_map(|doc| doc.strip_prefix("```"));
    // Every second one ends a block.
    fences.step_by(2).any(|language| language.is_empty())
}
