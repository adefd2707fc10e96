//! The directory in which one kernel compiles its cells, and the environment that leads evcxr there.

use std::{
    ffi::OsString,
    fs::Permissions,
    os::unix::{
        fs::{DirBuilderExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use anyhow::{Context, Result};
use interleave_compiler::{
    installation::Installation,
    role::{ROLE_ENV, Role},
};
use interleave_protocol::{PRELUDE_LINK, WORKSPACE_ENV};

mod forkservers;
mod guard;

/// Where evcxr compiles.
const COMPILE_DIRECTORY_ENV: &str = "EVCXR_TMPDIR";
/// Its name in the workspace.
const COMPILE_DIRECTORY: &str = "evcxr";
/// The same of the process that knows std.
const ANALYSIS_DIRECTORY: &str = "analysis";
/// Where evcxr looks for `evcxr.toml`.
const CONFIG_DIRECTORY_ENV: &str = "EVCXR_CONFIG_DIR";

/// Its name in the workspace.
const CONFIG_DIRECTORY: &str = "config";

/// A quick first look at each cell matters more than how fast it runs; `:opt 2` chooses otherwise.
const EVCXR_CONFIG: &str = "[evcxr]\nopt_level = \"0\"\n";

/// A kernel's own directory. Only its owner can read it.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    /// What every cell links, as it was installed.
    prelude: OnceLock<PathBuf>,
}

impl Workspace {
    /// Enters a new workspace.
    ///
    /// evcxr and the rust-analyzer in it read their directories and find their tools through the
    /// environment. So the first call replaces this process by itself, with the environment
    /// changed; in the second life it returns. The workspace is as long-lived as the process: its end
    /// is how the guard learns of the end of the process.
    ///
    /// # Errors
    ///
    /// When the directory or the guard cannot be made.
    pub fn enter(installation: &Installation) -> Result<&'static Self> {
        let Some(root) = std::env::var_os(WORKSPACE_ENV).map(PathBuf::from) else {
            return Err(start_again(installation));
        };
        guard::keep(installation, &root)?;
        forkservers::start(installation);
        Ok(Box::leak(Box::new(Self {
            root,
            prelude: OnceLock::new(),
        })))
    }

    /// Where evcxr compiles.
    pub(super) fn compile_directory(&self) -> PathBuf {
        self.root.join(COMPILE_DIRECTORY)
    }

    /// Writes a file into the directory where evcxr compiles. evcxr makes its own files anew for
    /// each cell, so a workspace that somebody has removed, such as a program that clears `/tmp`,
    /// is whole again then.
    pub(super) fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let directory = self.compile_directory();
        fill(&self.root)
            .and_then(|()| std::fs::write(directory.join(name), content))
            .with_context(|| format!("cannot write to {}", directory.display()))?;
        match self.prelude.get() {
            Some(prelude) if !self.root.join(PRELUDE_LINK).exists() => {
                self.link_prelude(prelude).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Where the host connects to the kernel.
    pub(super) fn socket(&self) -> PathBuf {
        self.root.join("host.sock")
    }

    /// Leads to the prelude that the host is to load; see [`interleave_compiler::prelude`].
    pub(super) fn link_prelude(&self, prelude: &Path) -> Result<PathBuf> {
        let prelude = self.prelude.get_or_init(|| prelude.to_owned());
        interleave_compiler::prelude::link(&self.root, prelude)
    }

    /// Where compilers tell how far they have come.
    pub(super) fn progress_socket(&self) -> PathBuf {
        self.root.join(interleave_protocol::PROGRESS_SOCKET)
    }

    /// The process that runs the cells, with the environment that the kernel itself was started in.
    pub(super) fn host_command(&self, installation: &Installation, prelude: &Path) -> Command {
        let mut command = Command::new(installation.home.join("bin/interleave-host"));
        installation.restore_environment(&mut command);
        command
            .env_remove(WORKSPACE_ENV)
            .env_remove(COMPILE_DIRECTORY_ENV)
            .env_remove(CONFIG_DIRECTORY_ENV)
            .env_remove(ROLE_ENV)
            .env(interleave_protocol::SOCKET_ENV, self.socket())
            .env(interleave_protocol::PRELUDE_ENV, prelude);
        if leads_session() {
            // `kill(0, …)` in a cell means the cell's processes. The guard ends the session.
            command.process_group(0);
        }
        command
    }

    /// The process that completes and explains; see `analyst`.
    pub(super) fn analysis_command(&self, installation: &Installation) -> Command {
        let mut command = Command::new(installation.home.join("bin/interleave"));
        command
            .arg("analyse")
            // The progress of its cargo is no news.
            .env_remove(WORKSPACE_ENV)
            .env(COMPILE_DIRECTORY_ENV, self.root.join(ANALYSIS_DIRECTORY))
            .env(ROLE_ENV, Role::Analysis.name())
            .env("RUSTC", &installation.rustc);
        command
    }
}

/// Environment variable: `off` lets rust-analyzer find the types of variables, as evcxr does.
const TYPES_SWITCH_ENV: &str = "INTERLEAVE_RUSTC_TYPES";

/// Makes the directory and becomes this program again. Returns only when that fails.
fn start_again(installation: &Installation) -> anyhow::Error {
    let root = match create() {
        Ok(root) => root,
        Err(error) => return error,
    };
    let error = match std::env::current_exe() {
        Ok(program) => Command::new(program)
            .args(std::env::args_os().skip(1))
            .envs(environment(installation, &root))
            .exec(),
        Err(error) => error,
    };
    let _ = std::fs::remove_dir_all(&root);
    anyhow::Error::new(error).context("cannot start the kernel again in its workspace")
}

fn create() -> Result<PathBuf> {
    let root = tempfile::Builder::new()
        .prefix("interleave-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .context("cannot make a temporary directory")?
        .keep();
    let config = root.join(CONFIG_DIRECTORY);
    let filled = fill(&root).and_then(|()| {
        std::fs::create_dir(&config)?;
        std::fs::write(config.join("evcxr.toml"), EVCXR_CONFIG)
    });
    if let Err(error) = filled {
        let _ = std::fs::remove_dir_all(&root);
        return Err(error).with_context(|| format!("cannot use {}", root.display()));
    }
    Ok(root)
}

/// Makes the directories that evcxr and rust-analyzer expect. What is there stays.
fn fill(root: &Path) -> std::io::Result<()> {
    [COMPILE_DIRECTORY, ANALYSIS_DIRECTORY]
        .iter()
        .try_for_each(|name| {
            let mut directories = std::fs::DirBuilder::new();
            let directories = directories.recursive(true).mode(0o700);
            directories.create(root.join(name).join("src"))
        })
}

fn environment(installation: &Installation, root: &Path) -> Vec<(String, OsString)> {
    let mut environment = installation.environment();
    environment.extend([
        (WORKSPACE_ENV.to_owned(), root.into()),
        (
            COMPILE_DIRECTORY_ENV.to_owned(),
            root.join(COMPILE_DIRECTORY).into(),
        ),
        (
            CONFIG_DIRECTORY_ENV.to_owned(),
            root.join(CONFIG_DIRECTORY).into(),
        ),
    ]);
    if std::env::var_os(TYPES_SWITCH_ENV).is_none_or(|value| value != "off") {
        environment.extend([
            (ROLE_ENV.to_owned(), Role::Cells.name().into()),
            // rust-analyzer asks it where the sources of std are, and is to know nothing of std.
            ("RUSTC".to_owned(), "false".into()),
        ]);
    }
    environment
}

/// Whether all processes of the session come from this one. Jupyter starts each kernel so.
fn leads_session() -> bool {
    rustix::process::getsid(None).is_ok_and(|session| session == rustix::process::getpid())
}
