//! Where an installation goes: for one user, or below a prefix such as a virtual environment.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

/// The two directories of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// For Interleave's own files; nothing else is in it.
    pub data: PathBuf,
    /// Where Jupyter looks for kernelspecs.
    pub kernels: PathBuf,
}

/// The file with the history of a user's cells, which outlives installations until one is removed.
/// As the XDG base directory specification has it; `None` when the user has no home directory.
pub fn history() -> Option<PathBuf> {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".local/state"));
    let state = state.filter(|path| path.is_absolute()).or_else(home)?;
    Some(state.join("interleave/history.sqlite"))
}

impl Location {
    /// For the current user, where Jupyter looks first.
    ///
    /// # Errors
    ///
    /// When the user has no home directory.
    pub fn of_user() -> Result<Self> {
        let directory = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
        let home = directory("HOME").map(PathBuf::from);
        let share = match directory("XDG_DATA_HOME") {
            Some(share) => PathBuf::from(share),
            None => home
                .context("HOME is not set; give --prefix")?
                .join(".local/share"),
        };
        let jupyter =
            directory("JUPYTER_DATA_DIR").map_or_else(|| share.join("jupyter"), PathBuf::from);
        Ok(Self {
            data: share.join("interleave"),
            kernels: jupyter.join("kernels"),
        })
    }

    /// Below a prefix.
    pub fn of_prefix(prefix: &Path) -> Result<Self> {
        // The paths are written into compiled files.
        let prefix = std::path::absolute(prefix).context("the prefix is no path")?;
        Ok(Self {
            data: prefix.join("share/interleave"),
            kernels: prefix.join("share/jupyter/kernels"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_holds_both_directories() {
        let location = Location::of_prefix(Path::new("/opt/venv")).unwrap();
        assert_eq!(location.data, Path::new("/opt/venv/share/interleave"));
        assert_eq!(
            location.kernels,
            Path::new("/opt/venv/share/jupyter/kernels")
        );
    }
}
