//! Where Interleave and the Rust toolchain are installed.
//!
//! ```text
//! HOME/bin/         interleave, interleave-host, interleave-compiler
//! HOME/stand-in/bin cargo, rustup, interleave-rustc: links to interleave-compiler
//! HOME/stand-in/linker          ld.lld: another
//! HOME/prelude, HOME/protocol   the sources of what cells see
//! HOME/template/    those crates and their dependencies, compiled
//! HOME/toolchain.json           the Rust toolchain that compiled them
//! ```

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Environment variable: the installation's directory.
const HOME_ENV: &str = "INTERLEAVE_HOME";

/// Variables that the kernel changes so that evcxr finds the stand-ins. Each original value is kept
/// under the same name with [`ORIGINAL_PREFIX`] before it.
const CHANGED_VARIABLES: [&str; 3] = ["PATH", "CARGO_HOME", "RUSTC"];

/// See [`CHANGED_VARIABLES`].
const ORIGINAL_PREFIX: &str = "INTERLEAVE_ORIGINAL_";

/// An installed Interleave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    /// Its directory.
    pub home: PathBuf,
    /// The real rustc.
    pub rustc: PathBuf,
    /// The real cargo.
    pub cargo: PathBuf,
}

/// The toolchain, as `toolchain.json` names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toolchain {
    /// Path of rustc itself, not of rustup's proxy for it.
    pub rustc: PathBuf,
    /// Path of cargo itself.
    pub cargo: PathBuf,
    /// What `rustc -vV` says. Crates compiled by another compiler cannot be linked.
    pub version: String,
    /// The toolchain's directory.
    pub sysroot: PathBuf,
}

impl Installation {
    /// The installation that the kernel named in the environment.
    ///
    /// # Errors
    ///
    /// When there is none, or it is damaged.
    pub fn from_environment() -> Result<Self> {
        let home = std::env::var_os(HOME_ENV).with_context(|| {
            format!("{HOME_ENV} is not set: only the kernel starts this program")
        })?;
        Self::open(Path::new(&home))
    }

    /// The installation that the running program is part of.
    ///
    /// # Errors
    ///
    /// When the program was not installed, or the installation is damaged.
    pub fn of_program() -> Result<Self> {
        let program = std::env::current_exe().context("cannot find this program")?;
        let home = program
            .parent()
            .and_then(Path::parent)
            .context("this program has no home")?;
        Self::open(home)
    }

    /// The installation in a directory.
    ///
    /// # Errors
    ///
    /// When it is damaged.
    pub fn open(home: &Path) -> Result<Self> {
        let toolchain = Self::toolchain(home)?;
        Ok(Self {
            home: home.to_owned(),
            rustc: toolchain.rustc,
            cargo: toolchain.cargo,
        })
    }

    /// The toolchain that the installation in a directory was built with.
    ///
    /// # Errors
    ///
    /// When the file that names it cannot be read.
    pub fn toolchain(home: &Path) -> Result<Toolchain> {
        let path = home.join("toolchain.json");
        let text = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read {}: run install.sh again to repair it",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    /// The toolchain's directory.
    pub fn sysroot(&self) -> &Path {
        self.rustc.ancestors().nth(2).unwrap_or(&self.rustc)
    }

    /// The link named `cargo`, `rustup` or `interleave-rustc`.
    pub fn stand_in(&self, tool: &str) -> PathBuf {
        self.home.join("stand-in/bin").join(tool)
    }

    /// Where the linker's driver finds our program under the name of a linker.
    pub fn linker_directory(&self) -> PathBuf {
        self.home.join("stand-in/linker")
    }

    /// The compiled crates that every cell sees.
    pub fn template(&self) -> PathBuf {
        self.home.join("template")
    }

    /// Gives a command the environment that the kernel was started with.
    pub fn restore_environment(&self, command: &mut Command) {
        if std::env::var_os(HOME_ENV).is_none() {
            // Not below a kernel: nothing was changed.
            return;
        }
        for name in CHANGED_VARIABLES {
            let kept = format!("{ORIGINAL_PREFIX}{name}");
            match std::env::var_os(&kept) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
            command.env_remove(kept);
        }
        command.env_remove(HOME_ENV);
    }

    /// What the kernel sets for itself, so that evcxr finds the stand-ins.
    pub fn environment(&self) -> Vec<(String, OsString)> {
        let mut changes = vec![(HOME_ENV.to_owned(), self.home.clone().into())];
        for name in CHANGED_VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                changes.push((format!("{ORIGINAL_PREFIX}{name}"), value));
            }
        }
        let mut path = OsString::from(self.home.join("stand-in/bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        changes.push(("PATH".to_owned(), path));
        // rust-analyzer prefers $CARGO_HOME/bin/cargo to $CARGO and to the PATH
        // (ra_ap_toolchain, `Tool::prefer_proxy`).
        changes.push(("CARGO_HOME".to_owned(), self.home.join("stand-in").into()));
        // Spares rust-analyzer the way through rustup's proxy.
        changes.push(("RUSTC".to_owned(), self.rustc.clone().into()));
        changes
    }
}
