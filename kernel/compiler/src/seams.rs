//! Where libraries are changed when they are compiled for the cells.
//!
//! A thread belongs to the cell that started it, and the host sees threads being started. But tasks
//! of tokio and jobs of rayon run on threads that were there before them, and neither library tells
//! anybody who submitted one: tokio's hooks are for whoever builds a runtime, which students do
//! themselves, its spans take the place of the student's own global `tracing` subscriber, and rayon
//! has nothing. So a few lines are added to each, where all tasks and jobs pass.
//!
//! Threads that wait for locks of parking_lot wait at futexes of their own, so it says which lock; and
//! tokio says who waits for a lock or the end of a task, and who has the locks.
//!
//! Cargo calls rustc through this program (`RUSTC_WRAPPER`). For these libraries it gives rustc a
//! copy of the source with the changes; whatever else, it becomes rustc. A version in which a
//! place to change is missing is compiled as it is, and its output goes to the newest cell.

use std::{
    ffi::OsString,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};

mod list;

pub use list::SEAMS;

/// Environment variable: the directory for the copies.
pub(crate) const DIRECTORY_ENV: &str = "INTERLEAVE_SEAMS";

/// Name under which cargo calls this program instead of rustc.
pub const WRAPPER: &str = "interleave-rustc";

/// Below cargo's target directory, so that it is copied with what was compiled from it.
const DIRECTORY: &str = "seams";

/// In a copy: the changes that were made.
const STAMP: &str = "interleave.stamp";

/// A library, and how it is changed.
#[derive(Debug)]
pub struct Seam {
    /// Name of the package.
    pub package: &'static str,
    /// Whether it runs tasks for whoever comes: without the changes their output is the newest cell's.
    pub has_tasks: bool,
    files: &'static [File],
}

/// How one file is changed.
#[derive(Debug)]
struct File {
    path: &'static str,
    /// A text, each occurrence of which is replaced by another on the same line.
    changes: &'static [(&'static str, &'static str)],
    /// What is put behind the end of the file.
    addition: &'static str,
}

impl Seam {
    /// Whether the library below a target directory was compiled with the changes.
    pub fn is_in(&self, target: &Path) -> bool {
        self.copies(target).any(|copy| self.is_stamped(&copy))
    }

    fn copies(&self, target: &Path) -> impl Iterator<Item = PathBuf> {
        let prefix = format!("{}-", self.package);
        let entries = fs::read_dir(target.join(DIRECTORY)).into_iter().flatten();
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(move |path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with(&prefix))
            })
    }

    fn is_stamped(&self, copy: &Path) -> bool {
        fs::read_to_string(copy.join(STAMP)).is_ok_and(|stamp| stamp == self.stamp())
    }

    /// Tells one set of changes from another.
    fn stamp(&self) -> String {
        format!("{:?}", self.files)
    }

    /// The changed files of a package; `None` when a place for a change is missing.
    fn changed(&self, package: &Path) -> Option<Vec<(&'static str, String)>> {
        let changed = |file: &File| {
            let source = fs::read_to_string(package.join(file.path)).ok()?;
            Some((file.path, file.apply(&source)?))
        };
        self.files.iter().map(changed).collect()
    }

    /// A copy of a package with the changes, made now or by an earlier call; `None` when a place
    /// for one is missing.
    fn copy(&self, package: &Path, directory: &Path) -> Result<Option<PathBuf>> {
        let name = package.file_name().context("a package without a name")?;
        let copy = directory.join(name);
        if self.is_stamped(&copy) {
            return Ok(Some(copy));
        }
        let Some(changed) = self.changed(package) else {
            return Ok(None);
        };
        // Cargo may compile two variants of a package at the same time.
        let partial = directory.join(format!(".{}-{}", self.package, std::process::id()));
        copy_sources(&package.join("src"), &partial.join("src"))?;
        for (path, text) in changed {
            fs::write(partial.join(path), text)?;
            keep_time(&package.join(path), &partial.join(path))?;
        }
        fs::write(partial.join(STAMP), self.stamp())?;
        let _ = fs::remove_dir_all(&copy);
        if let Err(error) = fs::rename(&partial, &copy) {
            let _ = fs::remove_dir_all(&partial);
            anyhow::ensure!(self.is_stamped(&copy), error);
        }
        Ok(Some(copy))
    }
}

impl File {
    /// The text of the file with the changes; `None` when a place for one is missing.
    fn apply(&self, source: &str) -> Option<String> {
        let mut changed = source.to_owned();
        for (before, after) in self.changes {
            if !changed.contains(before) {
                return None;
            }
            changed = changed.replace(before, after);
        }
        Some(changed + self.addition)
    }
}

/// Where the copies for a target directory are.
pub(crate) fn directory(target: &Path) -> PathBuf {
    target.join(DIRECTORY)
}

/// Compiles as rustc would; the first argument is its path.
///
/// # Errors
///
/// When rustc cannot be run, or the disk fails.
pub fn compile(arguments: &[OsString]) -> Result<ExitCode> {
    let (rustc, arguments) = arguments.split_first().context("cargo named no rustc")?;
    let mut command = Command::new(rustc);
    match changed_source()? {
        Some(Changed { package, copy }) => {
            command.args(
                arguments
                    .iter()
                    .map(|argument| moved(argument, &package, &copy)),
            );
            let mut remap = OsString::from("--remap-path-prefix=");
            remap.push(&copy);
            remap.push("=");
            remap.push(&package);
            command.arg(remap);
        }
        None => _ = command.args(arguments),
    }
    let error = command.exec();
    Err(error).with_context(|| format!("cannot run {}", rustc.display()))
}

/// A package, and its copy with the changes.
struct Changed {
    package: PathBuf,
    copy: PathBuf,
}

/// What is compiled now, by what cargo says in the environment, when it is one of the libraries.
fn changed_source() -> Result<Option<Changed>> {
    let variable = |name| std::env::var_os(name);
    let name = variable("CARGO_PKG_NAME").unwrap_or_default();
    let Some(seam) = SEAMS.iter().find(|seam| name == seam.package) else {
        return Ok(None);
    };
    // Neither is set when cargo asks the compiler what it is.
    let (Some(package), Some(directory)) =
        (variable("CARGO_MANIFEST_DIR"), variable(DIRECTORY_ENV))
    else {
        return Ok(None);
    };
    let package = PathBuf::from(package);
    let copy = seam.copy(&package, Path::new(&directory))?;
    Ok(copy.map(|copy| Changed { package, copy }))
}

/// The argument, in the copy when it is a path below the package's `src`.
fn moved(argument: &OsString, package: &Path, copy: &Path) -> OsString {
    match Path::new(argument).strip_prefix(package.join("src")) {
        Ok(rest) => copy.join("src").join(rest).into(),
        Err(_) => argument.clone(),
    }
}

fn copy_sources(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_sources(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
            keep_time(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Cargo compiles again what is newer than its compilation.
fn keep_time(from: &Path, to: &Path) -> Result<()> {
    let time = fs::metadata(from)?.modified()?;
    fs::File::options()
        .append(true)
        .open(to)?
        .set_modified(time)?;
    Ok(())
}

#[cfg(test)]
mod tests;
