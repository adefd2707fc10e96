//! The crates that a cell can name, compiled.
//!
//! The base set, the prelude and what it re-exports, was compiled at installation into the
//! template. When a notebook adds a crate with `:dep`, evcxr writes it into the cell's `Cargo.toml`;
//! then real cargo builds base set and additions together, in a package of its own whose build
//! directory starts as a copy of the template's, so that only the additions are compiled.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    installation::Installation,
    progress,
    seams::{self, SEAMS},
};

mod description;
mod manifest;

/// The shared object that the host loads before any cell.
const PRELUDE_OBJECT: &str = "libinterleave.so";

/// For rustc, beside what cargo says. The host finds the code of a cell that waits in one of these
/// crates by the frame pointers between.
const FLAGS: &str = "-Cprefer-dynamic -Cforce-frame-pointers=yes";

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

/// A package without code that depends on what a cell depends on.
struct Package {
    directory: PathBuf,
}

impl Package {
    /// The package for a cell with crates of its own, or `None` when the base set is enough.
    fn with_additions(installation: &Installation, directory: &Path) -> Result<Option<Self>> {
        let cell = fs::read_to_string(directory.join("Cargo.toml"))
            .context("cannot read the Cargo.toml that evcxr wrote")?;
        let Some(manifest) = manifest::with_additions(&installation.home, &cell)? else {
            return Ok(None);
        };
        let home = directory.join("dependencies");
        if fs::read_to_string(home.join("Cargo.toml")).is_ok_and(|written| written == manifest) {
            return Ok(Some(Self { directory: home }));
        }
        let template = installation.template();
        if !home.exists() {
            fs::create_dir_all(&home)?;
            copy_by_links(&template.join("target"), &home.join("target"))?;
        }
        // What an earlier set of additions left is out of date.
        let _ = fs::remove_file(home.join(Dependencies::FILE));
        let lock = home.join("Cargo.lock");
        let lock = if lock.exists() {
            lock
        } else {
            template.join("Cargo.lock")
        };
        Self::create(&home, &manifest, &lock).map(Some)
    }

    fn create(directory: &Path, manifest: &str, lock_file: &Path) -> Result<Self> {
        fs::create_dir_all(directory.join("src"))?;
        fs::write(directory.join("src/lib.rs"), "")?;
        let lock = directory.join("Cargo.lock");
        if lock != lock_file {
            fs::copy(lock_file, &lock)
                .with_context(|| format!("cannot copy {}", lock_file.display()))?;
        }
        fs::write(directory.join("Cargo.toml"), manifest)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    fn build(&self, installation: &Installation) -> Result<Result<Dependencies, ExitCode>> {
        let metadata = match self.metadata(installation)? {
            Ok(metadata) => metadata,
            Err(code) => return Ok(Err(code)),
        };
        let mut command = self.cargo(installation, "build");
        command.args([
            "--message-format=json-render-diagnostics",
            "--target",
            host_target(),
        ]);
        // Describing the package has downloaded what was missing.
        command.arg("--offline");
        let artifacts = match run(command)? {
            Ok(output) => output,
            Err(code) => return Ok(Err(code)),
        };
        let target = self.directory.join("target");
        let directory = target.join(host_target()).join("debug/deps");
        Ok(Ok(Dependencies {
            externs: externs(&metadata, &artifacts, &directory)?,
            directory,
            macros: target.join("debug/deps"),
            users_of_tokio: description::users_of_tokio(&metadata),
        }))
    }

    /// Removes what an earlier installation compiled with other changes; cargo knows nothing of them.
    fn forget_outdated(&self, installation: &Installation) -> Result<()> {
        let target = self.directory.join("target");
        let mut outdated = SEAMS.iter().filter(|seam| !seam.is_in(&target)).peekable();
        if outdated.peek().is_none() {
            return Ok(());
        }
        let mut clean = self.cargo(installation, "clean");
        clean.args(["--offline", "--quiet", "--target", host_target()]);
        for seam in outdated {
            clean.args(["--package", seam.package]);
        }
        // An error means that it was not compiled yet, or that the build will tell.
        run(clean).map(|_| ())
    }

    /// Describes the package with what is on this machine, or else with the network.
    fn metadata(&self, installation: &Installation) -> Result<Result<Value, ExitCode>> {
        let describe = || {
            let mut command = self.cargo(installation, "metadata");
            command.args(["--format-version=1", "--filter-platform", host_target()]);
            command
        };
        let mut offline = describe();
        offline.arg("--offline").stdin(Stdio::null());
        let output = offline
            .output()
            .with_context(|| format!("cannot run {}", installation.cargo.display()))?;
        if output.status.success() {
            return Ok(Ok(serde_json::from_slice(&output.stdout)?));
        }
        Ok(match run(describe())? {
            Ok(output) => Ok(serde_json::from_str(&output)?),
            Err(code) => Err(code),
        })
    }

    fn cargo(&self, installation: &Installation, subcommand: &str) -> Command {
        let mut command = Command::new(&installation.cargo);
        installation.restore_environment(&mut command);
        let target = self.directory.join("target");
        command
            .arg(subcommand)
            .current_dir(&self.directory)
            .env("RUSTC", &installation.rustc)
            // Part of cargo's fingerprints: the same for the template and for additions, whatever
            // evcxr or the student's environment says.
            .env("RUSTFLAGS", FLAGS)
            .env("RUSTC_WRAPPER", installation.stand_in(seams::WRAPPER))
            .env(seams::DIRECTORY_ENV, seams::directory(&target))
            .env("CARGO_TARGET_DIR", target)
            .env_remove("CARGO_BUILD_BUILD_DIR");
        command
    }
}

/// Runs cargo, and returns what it printed or its exit code.
fn run(mut command: Command) -> Result<Result<String, ExitCode>> {
    let output = progress::output(&mut command)
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    std::io::stderr().write_all(&output.stderr)?;
    if output.status.success() {
        return Ok(Ok(
            String::from_utf8(output.stdout).context("cargo printed no UTF-8")?
        ));
    }
    Ok(Err(ExitCode::from(
        output
            .status
            .code()
            .and_then(|code| code.try_into().ok())
            .unwrap_or(1),
    )))
}

/// Matches the names that the package gives its dependencies with the files that cargo built.
fn externs(metadata: &Value, artifacts: &str, directory: &Path) -> Result<Vec<(String, PathBuf)>> {
    let artifacts: Vec<Value> = artifacts
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let root = &metadata["resolve"]["root"];
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .context("cargo resolved nothing")?;
    let node = nodes
        .iter()
        .find(|node| node["id"] == *root)
        .context("cargo resolved no root")?;
    let mut externs = Vec::new();
    for dependency in node["deps"].as_array().into_iter().flatten() {
        let Some(name) = dependency["name"].as_str() else {
            continue;
        };
        if manifest::is_united(name) {
            continue;
        }
        let file = artifacts
            .iter()
            .filter(|artifact| artifact["package_id"] == dependency["pkg"])
            .filter(|artifact| artifact["target"]["kind"] != serde_json::json!(["custom-build"]))
            .find_map(linkable_file)
            .with_context(|| format!("cargo built no library `{name}`"))?;
        // Cargo names a second link beside the directory; the dynamic linker must meet one path.
        let linked = file.file_name().map(|name| directory.join(name));
        externs.push((
            name.to_owned(),
            linked.filter(|path| path.exists()).unwrap_or(file),
        ));
    }
    Ok(externs)
}

/// A crate's file to link: the shared object if it has one, so that all cells share it.
fn linkable_file(artifact: &Value) -> Option<PathBuf> {
    let files: Vec<&str> = artifact["filenames"]
        .as_array()?
        .iter()
        .filter_map(Value::as_str)
        .collect();
    [".so", ".rlib"]
        .iter()
        .find_map(|extension| files.iter().find(|file| file.ends_with(extension)))
        .map(PathBuf::from)
}

/// Copies a directory tree. Files become hard links where the file system allows it: cargo and
/// rustc replace files instead of changing them.
fn copy_by_links(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_by_links(&entry.path(), &target)?;
        } else if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    crate::files::replace(path, serde_json::to_vec(value)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The platform that cells run on: this one.
fn host_target() -> &'static str {
    env!("INTERLEAVE_TARGET")
}
