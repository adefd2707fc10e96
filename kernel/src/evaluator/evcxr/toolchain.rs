//! The Rust toolchain that Interleave was installed with.

use anyhow::{Context, Result};
use interleave_compiler::installation::Installation;

/// What `:version` prints.
pub(super) fn versions(rustc: &str) -> String {
    let rustc = rustc.lines().next().unwrap_or(rustc);
    format!(
        "interleave {}\nevcxr 0.22.0\n{rustc}",
        env!("CARGO_PKG_VERSION")
    )
}

/// A crate that another compiler made cannot be linked; say so before rustc does.
pub(super) fn check(installation: &Installation) -> Result<()> {
    let expected = Installation::toolchain(&installation.home)?;
    let output = std::process::Command::new(&installation.rustc)
        .arg("-vV")
        .output()
        .with_context(|| {
            format!(
                "cannot run {}: the Rust toolchain that Interleave was installed with is gone; \
                 run install.sh again",
                installation.rustc.display()
            )
        })?;
    let found = String::from_utf8_lossy(&output.stdout);
    anyhow::ensure!(
        found == expected.version,
        "the Rust toolchain has changed since Interleave was installed: run install.sh again"
    );
    Ok(())
}
