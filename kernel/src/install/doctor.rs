//! Checks an installation and says what to repair.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use interleave_compiler::{
    dependencies::Dependencies,
    installation::{Installation, Toolchain},
    seams::{SEAMS, Seam},
};

use super::{PROGRAMS, kernelspec, location::Location};

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What.
    pub subject: &'static str,
    /// What is right about it, or what is wrong and how to repair it.
    pub result: Result<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.result {
            Ok(text) => write!(f, "ok      {}: {text}", self.subject),
            Err(error) => write!(f, "repair  {}: {error:#}", self.subject),
        }
    }
}

/// Looks at everything that a kernel needs.
pub fn examine(location: &Location) -> Vec<Finding> {
    let home = home(location);
    let mut findings = vec![Finding {
        subject: "kernelspec",
        result: home
            .as_ref()
            .map(|home| home.display().to_string())
            .map_err(copy),
    }];
    let Ok(home) = home else { return findings };
    let toolchain = Installation::toolchain(&home);
    findings.push(Finding {
        subject: "programs",
        result: programs(&home),
    });
    findings.push(Finding {
        subject: "Rust toolchain",
        result: toolchain.as_ref().map_err(copy).and_then(rustc),
    });
    findings.push(Finding {
        subject: "rust-src",
        result: toolchain.as_ref().map_err(copy).and_then(rust_src),
    });
    findings.push(Finding {
        subject: "linker",
        result: linker(),
    });
    findings.push(Finding {
        subject: "crates that cells use",
        result: template(&home),
    });
    findings.push(Finding {
        subject: "output of tasks and parallel jobs",
        result: Ok(seams(&home)),
    });
    findings
}

/// Errors cannot be cloned; their words can.
fn copy(error: &anyhow::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

fn home(location: &Location) -> Result<PathBuf> {
    let program = kernelspec::program(&location.kernels).context("run install.sh")?;
    let home = program.parent().and_then(Path::parent);
    home.map(Path::to_owned)
        .context("it starts a program elsewhere: run install.sh again")
}

fn programs(home: &Path) -> Result<String> {
    for name in PROGRAMS {
        let program = home.join("bin").join(name);
        ensure!(
            program.exists(),
            "{} is missing: run install.sh again",
            program.display()
        );
    }
    Ok(PROGRAMS.join(", "))
}

fn rustc(toolchain: &Toolchain) -> Result<String> {
    let output = Command::new(&toolchain.rustc)
        .arg("-vV")
        .output()
        .with_context(|| {
            format!(
                "{} is gone: run install.sh again",
                toolchain.rustc.display()
            )
        })?;
    ensure!(
        String::from_utf8_lossy(&output.stdout) == toolchain.version,
        "it has changed since the installation: run install.sh again"
    );
    Ok(toolchain
        .version
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}

/// Without the standard library's source, rust-analyzer cannot infer the types of variables.
fn rust_src(toolchain: &Toolchain) -> Result<String> {
    let source = toolchain.sysroot.join("lib/rustlib/src/rust/library");
    ensure!(
        source.join("std/src/lib.rs").exists(),
        "run: rustup component add rust-src"
    );
    Ok(source.display().to_string())
}

fn linker() -> Result<String> {
    for name in ["cc", "gcc", "clang"] {
        if Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|out| out.status.success())
        {
            return Ok(name.to_owned());
        }
    }
    bail!("there is no C compiler: install one, on Debian with: apt install gcc")
}

/// Without a seam the library works, so there is nothing to repair.
fn seams(home: &Path) -> String {
    let target = home.join("template/target");
    let describe = |seam: &Seam| {
        let cell = if seam.is_in(&target) {
            "the cell that started it"
        } else {
            "the newest cell"
        };
        format!("of {} in {cell}", seam.package)
    };
    let with_tasks = SEAMS.iter().filter(|seam| seam.has_tasks);
    with_tasks.map(describe).collect::<Vec<_>>().join(", ")
}

fn template(home: &Path) -> Result<String> {
    let dependencies = Dependencies::of_template(&home.join("template"))?;
    for (name, file) in &dependencies.externs {
        ensure!(file.exists(), "{name} is missing: run install.sh again");
    }
    dependencies.prelude()?;
    let names: Vec<&str> = dependencies
        .externs
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    Ok(names.join(", "))
}
