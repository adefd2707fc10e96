//! What the rust-analyzer is for that evcxr carries in a process.
//!
//! rust-analyzer needs seconds and hundreds of megabytes to know std and the crates that cells see.
//! A process that runs cells does without: rustc says what the types are ([`crate::types`]). What
//! completion and documentation need is known in a process of its own.

use std::path::Path;

use serde_json::{Value, json};

use crate::request::CELL_CRATE;

/// Environment variable that names the [`Role`].
pub const ROLE_ENV: &str = "INTERLEAVE_ROLE";

/// What a process with evcxr in it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It runs cells. Its rust-analyzer is told of no crate but the cell's own.
    Cells,
    /// It completes and explains. Nothing is compiled.
    Analysis,
    /// Both, as evcxr is made.
    Both,
}

impl Role {
    /// The role of this process, or of the one that started it.
    pub fn of_environment() -> Self {
        match std::env::var(ROLE_ENV).as_deref() {
            Ok("cells") => Self::Cells,
            Ok("analysis") => Self::Analysis,
            _ => Self::Both,
        }
    }

    /// The value of [`ROLE_ENV`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Cells => "cells",
            Self::Analysis => "analysis",
            Self::Both => "both",
        }
    }
}

/// What `cargo metadata` says of a cell that depends on nothing.
pub fn bare_metadata(package: &Path) -> Value {
    let path = |name: &str| Value::from(package.join(name).to_string_lossy());
    let id = format!("path+file://{}#{CELL_CRATE}@1.0.0", package.display());
    json!({
        "version": 1,
        "packages": [{
            "name": CELL_CRATE,
            "version": "1.0.0",
            "id": id,
            "edition": "2024",
            "manifest_path": path("Cargo.toml"),
            "dependencies": [],
            "features": {},
            "targets": [{
                "name": CELL_CRATE,
                "kind": ["cdylib"],
                "crate_types": ["cdylib"],
                "src_path": path("src/lib.rs"),
                "edition": "2024",
            }],
        }],
        "workspace_members": [id],
        "resolve": {
            "root": id,
            "nodes": [{ "id": id, "dependencies": [], "deps": [], "features": [] }],
        },
        "workspace_root": package.to_string_lossy(),
        "target_directory": path("target"),
    })
}
