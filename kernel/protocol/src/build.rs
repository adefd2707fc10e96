//! What a compiler tells the kernel while a notebook adds crates.

use serde::{Deserialize, Serialize};

/// How far real cargo has come with the crates that a notebook adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum BuildProgress {
    /// It asks the registry what there is.
    Updating,
    /// It downloads crates.
    Downloading {
        /// So many are here.
        done: u32,
        /// So many are wanted, as far as is known yet.
        total: u32,
    },
    /// It compiles crates.
    Compiling {
        /// So many parts are done; a crate with a build script has three.
        done: u32,
        /// So many parts there are.
        total: u32,
        /// What is being compiled, separated by commas.
        names: String,
    },
}
