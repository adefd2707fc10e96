//! The crates that a cell can name, compiled.
//!
//! The base set, the prelude and what it re-exports, was compiled at installation into the
//! template. When a notebook adds a crate with `:dep`, evcxr writes it into the cell's `Cargo.toml`;
//! then real cargo builds base set and additions together, in a package of its own whose build
//! directory starts as a copy of the template's, so that only the additions are compiled.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::package::{Package, copy_by_links};
use crate::installation::Installation;

mod description;
mod manifest;
mod package;

/// The shared object that the host loads before any cell.
const PRELUDE_OBJECT: &str = "libinterleave.so";

/// Crates that rustc can link into a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependencies {
    /// Each crate's name in code, and its file.
    pub externs: Vec<(String, PathBuf)>,
    /// Where rustc and the dynamic linker find the crates that those depend on.
    pub directory: PathBuf,
    /// Where rustc finds the procedural macros that those use. They run in the compiler, so cargo
    /// keeps them apart.
    pub macros: PathBuf,
    /// The names in code of tokio and of the crates that use it.
    #[serde(default)]
    pub users_of_tokio: Vec<String>,
}

impl Dependencies {
    const FILE: &str = "externs.json";

    /// The base set of an installation.
    ///
    /// # Errors
    ///
    /// When the installation is damaged.
    pub fn of_template(template: &Path) -> Result<Self> {
        let path = template.join(Self::FILE);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "cannot read {}: run install.sh again to repair it",
                path.display()
            )
        })?;
        serde_json::from_str(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    /// The prelude's shared object.
    ///
    /// # Errors
    ///
    /// When the installation has none.
    pub fn prelude(&self) -> Result<&Path> {
        self.externs
            .iter()
            .map(|(_, path)| path.as_path())
            .find(|path| path.ends_with(PRELUDE_OBJECT))
            .context("the installation has no prelude: run install.sh again to repair it")
    }
}

/// Compiles the base set into the template of an installation. Of an earlier installation, if one
/// is given, what cargo finds unchanged is not compiled again. Cargo's words go to standard error.
///
/// # Errors
///
/// When cargo fails, or the disk does.
pub fn build_template(
    installation: &Installation,
    lock_file: &Path,
    earlier: Option<&Installation>,
) -> Result<()> {
    let template = installation.template();
    if let Some(earlier) = earlier {
        copy_by_links(&earlier.template().join("target"), &template.join("target"))?;
    }
    let united = manifest::united_directory(&installation.home);
    package::write(&united, &manifest::united())?;
    let package = Package::create(&template, &manifest::base(&installation.home), lock_file)?;
    if earlier.is_some() {
        package.forget_outdated(installation)?;
    }
    let Ok(dependencies) = package.build(installation)? else {
        bail!("the crates that cells use could not be compiled");
    };
    write_json(&template.join(Dependencies::FILE), &dependencies)?;
    let Ok(mut metadata) = package.metadata(installation)? else {
        bail!("cargo cannot describe the crates that cells use");
    };
    description::without_unseen(&mut metadata);
    write_json(&template.join(METADATA_FILE), &metadata)
}

/// The crates for the cell in `directory`, built if need be; or cargo's exit code when it failed.
///
/// # Errors
///
/// When the installation or the disk fails.
pub fn built(
    installation: &Installation,
    directory: &Path,
) -> Result<Result<Dependencies, ExitCode>> {
    let Some(package) = Package::with_additions(installation, directory)? else {
        return Dependencies::of_template(&installation.template()).map(Ok);
    };
    let ready = package.directory.join(Dependencies::FILE);
    if let Ok(text) = fs::read_to_string(&ready) {
        return Ok(Ok(serde_json::from_str(&text)?));
    }
    let built = package.build(installation)?;
    if let Ok(dependencies) = &built {
        write_json(&ready, dependencies)?;
    }
    Ok(built)
}

/// What `cargo metadata` says of the cell in `directory`, with the base set among its
/// dependencies; or cargo's exit code when it failed.
///
/// # Errors
///
/// When the installation or the disk fails.
pub fn metadata(installation: &Installation, directory: &Path) -> Result<Result<Value, ExitCode>> {
    let mut metadata: Value = match Package::with_additions(installation, directory)? {
        Some(package) => match package.metadata(installation)? {
            Ok(mut metadata) => {
                description::without_unseen(&mut metadata);
                metadata
            }
            Err(code) => return Ok(Err(code)),
        },
        None => {
            let path = installation.template().join(METADATA_FILE);
            serde_json::from_slice(
                &fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?,
            )?
        }
    };
    description::place_in(&mut metadata, directory);
    Ok(Ok(metadata))
}

const METADATA_FILE: &str = "metadata.json";

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    crate::files::replace(path, serde_json::to_vec(value)?)
        .with_context(|| format!("cannot write {}", path.display()))
}
