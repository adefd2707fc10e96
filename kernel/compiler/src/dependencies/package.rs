//! The package that cargo compiles: the base set, and what a notebook adds to it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Dependencies, description, manifest};
use crate::{
    installation::Installation,
    progress,
    seams::{self, SEAMS},
};

/// For rustc, beside what cargo says. The host finds the code of a cell that waits in one of these
/// crates by the frame pointers between.
const FLAGS: &str = "-Cprefer-dynamic -Cforce-frame-pointers=yes";

/// A package without code that depends on what a cell depends on.
pub(super) struct Package {
    pub(super) directory: PathBuf,
}

impl Package {
    /// The package for a cell with crates of its own, or `None` when the base set is enough.
    pub(super) fn with_additions(
        installation: &Installation,
        directory: &Path,
    ) -> Result<Option<Self>> {
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

    pub(super) fn create(directory: &Path, manifest: &str, lock_file: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let lock = directory.join("Cargo.lock");
        if lock != lock_file {
            fs::copy(lock_file, &lock)
                .with_context(|| format!("cannot copy {}", lock_file.display()))?;
        }
        write(directory, manifest)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    pub(super) fn build(
        &self,
        installation: &Installation,
    ) -> Result<Result<Dependencies, ExitCode>> {
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
    pub(super) fn forget_outdated(&self, installation: &Installation) -> Result<()> {
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
    pub(super) fn metadata(&self, installation: &Installation) -> Result<Result<Value, ExitCode>> {
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

/// Writes a package without code.
pub(super) fn write(directory: &Path, manifest: &str) -> Result<()> {
    fs::create_dir_all(directory.join("src"))?;
    fs::write(directory.join("src/lib.rs"), "")?;
    fs::write(directory.join("Cargo.toml"), manifest)?;
    Ok(())
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
        if name == manifest::UNITED_PACKAGE {
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
pub(super) fn copy_by_links(from: &Path, to: &Path) -> Result<()> {
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

/// The platform that cells run on: this one.
fn host_target() -> &'static str {
    env!("INTERLEAVE_TARGET")
}
