//! What rust-analyzer is told of the crates that a cell can name.

use std::{collections::HashSet, path::Path};

use serde_json::Value;

use super::manifest::{self, PRELUDE, base_names};
use crate::request::CELL_CRATE;

/// Crates below the base set whose types no student meets. rust-analyzer would resolve every name
/// in them before it knows the type of the first variable: without them it is ready in three
/// quarters of the time.
const UNSEEN: [&str; 19] = [
    "base64",
    "bytes",
    "crossbeam-epoch",
    "errno",
    "futures-macro",
    "libc",
    "memchr",
    "mio",
    "parking_lot_core",
    "scopeguard",
    "serde",
    "serde_core",
    "serde_derive",
    "serde_json",
    "signal-hook-registry",
    "slab",
    "smallvec",
    "socket2",
    "tokio-macros",
];

/// Removes [`UNSEEN`] from what `cargo metadata` says, except where a notebook's own crates need
/// them.
pub(super) fn without_unseen(metadata: &mut Value) {
    without_united(metadata);
    let base = reachable(metadata, &nodes_named(metadata, &base_names()));
    let unseen: HashSet<String> = nodes_named(metadata, &UNSEEN).into_iter().collect();
    for node in nodes_mut(metadata) {
        if !node["id"].as_str().is_some_and(|id| base.contains(id)) {
            continue;
        }
        if let Some(dependencies) = node["deps"].as_array_mut() {
            dependencies.retain(|dependency| !is_one_of(&dependency["pkg"], &unseen));
        }
        if let Some(dependencies) = node["dependencies"].as_array_mut() {
            dependencies.retain(|id| !is_one_of(id, &unseen));
        }
    }
    let root = metadata["resolve"]["root"].as_str().map(str::to_owned);
    let kept = reachable(metadata, &Vec::from_iter(root));
    for list in ["/packages", "/resolve/nodes"] {
        if let Some(list) = metadata.pointer_mut(list).and_then(Value::as_array_mut) {
            list.retain(|entry| is_one_of(&entry["id"], &kept));
        }
    }
}

/// Removes what the package depends on only for the sake of features.
fn without_united(metadata: &mut Value) {
    let root = metadata["resolve"]["root"].clone();
    for node in nodes_mut(metadata).filter(|node| node["id"] == root) {
        let Some(dependencies) = node["deps"].as_array_mut() else {
            continue;
        };
        dependencies.retain(|dependency| dependency["name"] != manifest::UNITED_PACKAGE);
        let kept: Vec<Value> = dependencies
            .iter()
            .map(|dependency| dependency["pkg"].clone())
            .collect();
        node["dependencies"] = Value::from(kept);
    }
}

/// Makes metadata of our package read as if the package were the cell's: rust-analyzer looks for
/// the source file that evcxr writes.
pub(super) fn place_in(metadata: &mut Value, directory: &Path) {
    let path = |name: &str| Value::from(directory.join(name).to_string_lossy());
    metadata["workspace_root"] = Value::from(directory.to_string_lossy());
    metadata["target_directory"] = path("target");
    for package in metadata["packages"].as_array_mut().into_iter().flatten() {
        // A package without a source counts as the user's own, and rust-analyzer would offer its
        // private fields.
        if base_names().contains(&package["name"].as_str().unwrap_or_default())
            && package["source"].is_null()
        {
            package["source"] = Value::from("interleave");
        }
        if package["name"] == CELL_CRATE {
            package["manifest_path"] = path("Cargo.toml");
            package["targets"][0]["src_path"] = path("src/lib.rs");
        }
    }
}

/// The names in code of the crates that tokio is a part of, or that are tokio. The prelude is not
/// among them: it needs nobody to start the runtime.
pub(super) fn users_of_tokio(metadata: &Value) -> Vec<String> {
    let tokio: HashSet<String> = nodes_named(metadata, &["tokio"]).into_iter().collect();
    let root = &metadata["resolve"]["root"];
    let root = nodes(metadata).find(|node| node["id"] == *root);
    let dependencies = root.and_then(|node| node["deps"].as_array());
    dependencies
        .into_iter()
        .flatten()
        .filter_map(|dependency| Some((dependency["name"].as_str()?, dependency["pkg"].as_str()?)))
        .filter(|(name, id)| {
            *name != PRELUDE && !reachable(metadata, &[(*id).to_owned()]).is_disjoint(&tokio)
        })
        .map(|(name, _)| name.to_owned())
        .collect()
}

fn is_one_of(id: &Value, ids: &HashSet<String>) -> bool {
    id.as_str().is_some_and(|id| ids.contains(id))
}

fn nodes(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
}

fn nodes_mut(metadata: &mut Value) -> impl Iterator<Item = &mut Value> {
    metadata["resolve"]["nodes"]
        .as_array_mut()
        .into_iter()
        .flatten()
}

fn nodes_named(metadata: &Value, names: &[&str]) -> Vec<String> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| {
            package["name"]
                .as_str()
                .is_some_and(|name| names.contains(&name))
        })
        .filter_map(|package| package["id"].as_str().map(str::to_owned))
        .collect()
}

fn reachable(metadata: &Value, from: &[String]) -> HashSet<String> {
    let mut reached = HashSet::new();
    let mut waiting = from.to_vec();
    while let Some(id) = waiting.pop() {
        let node = nodes(metadata).find(|node| node["id"] == *id);
        let dependencies = node.and_then(|node| node["dependencies"].as_array());
        if reached.insert(id) {
            let ids = dependencies.into_iter().flatten().filter_map(Value::as_str);
            waiting.extend(ids.map(str::to_owned));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(edges: &[(&str, &[&str])]) -> Value {
        let packages: Vec<Value> = edges
            .iter()
            .map(|(name, _)| serde_json::json!({ "name": name, "id": name }))
            .collect();
        let nodes: Vec<Value> = edges
            .iter()
            .map(|(name, to)| {
                let deps: Vec<Value> = to
                    .iter()
                    .map(|to| serde_json::json!({ "name": to, "pkg": to }))
                    .collect();
                serde_json::json!({ "id": name, "deps": deps, "dependencies": to })
            })
            .collect();
        serde_json::json!({ "packages": packages, "resolve": { "root": "ctx", "nodes": nodes } })
    }

    #[track_caller]
    fn check(edges: &[(&str, &[&str])], expected: &[&str]) {
        let mut metadata = metadata(edges);
        without_unseen(&mut metadata);
        let names: Vec<&str> = metadata["packages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|package| package["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn crates_that_use_tokio_are_known() {
        let metadata = metadata(&[
            ("ctx", &["interleave", "rand", "reqwest", "tokio"]),
            ("interleave", &["tokio"]),
            ("rand", &[]),
            ("reqwest", &["hyper"]),
            ("hyper", &["tokio"]),
            ("tokio", &[]),
        ]);
        assert_eq!(users_of_tokio(&metadata), ["reqwest", "tokio"]);
    }

    #[test]
    fn what_only_the_base_set_needs_is_left_out() {
        check(
            &[
                ("ctx", &["tokio"]),
                ("tokio", &["mio", "pin-project-lite"]),
                ("mio", &["libc"]),
                ("libc", &[]),
                ("pin-project-lite", &[]),
            ],
            &["ctx", "tokio", "pin-project-lite"],
        );
    }

    #[test]
    fn what_a_notebook_adds_is_kept_with_all_it_needs() {
        check(
            &[
                ("ctx", &["tokio", "toml"]),
                ("tokio", &["mio", "serde"]),
                ("mio", &[]),
                ("toml", &["serde"]),
                ("serde", &[]),
            ],
            &["ctx", "tokio", "toml", "serde"],
        );
    }
}
