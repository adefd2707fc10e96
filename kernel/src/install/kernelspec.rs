//! The directory by which Jupyter knows the kernel.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The kernel's name for programs: `jupyter console --kernel interleave`.
pub const NAME: &str = "interleave";

/// The kernel's name for people.
const DISPLAY_NAME: &str = "Rust (Interleave)";

const LOGOS: [(&str, &[u8]); 3] = [
    (
        "logo-32x32.png",
        include_bytes!("../../logo/logo-32x32.png"),
    ),
    (
        "logo-64x64.png",
        include_bytes!("../../logo/logo-64x64.png"),
    ),
    ("logo-svg.svg", include_bytes!("../../logo/logo-svg.svg")),
];

/// Writes the kernelspec for the installation in `home`, in place of an older one.
///
/// # Errors
///
/// When the disk fails; an older kernelspec is still whole then.
pub fn write(kernels: &Path, home: &Path) -> Result<PathBuf> {
    let directory = kernels.join(NAME);
    let context = || format!("cannot write {}", directory.display());
    fs::create_dir_all(&directory).with_context(context)?;
    for (name, bytes) in LOGOS {
        fs::write(directory.join(name), bytes).with_context(context)?;
    }
    // Jupyter sees the new kernel at once and whole, or the old one.
    let new = directory.join("kernel.json.new");
    fs::write(&new, serde_json::to_vec_pretty(&contents(home))?).with_context(context)?;
    fs::rename(new, directory.join("kernel.json")).with_context(context)?;
    Ok(directory)
}

/// The program that an installed kernelspec starts.
///
/// # Errors
///
/// When there is no kernelspec, or it is not ours.
pub fn program(kernels: &Path) -> Result<PathBuf> {
    let path = kernels.join(NAME).join("kernel.json");
    let text = fs::read(&path).with_context(|| format!("there is no {}", path.display()))?;
    let spec: Value =
        serde_json::from_slice(&text).with_context(|| format!("{} is not JSON", path.display()))?;
    let program = spec["argv"][0].as_str().map(PathBuf::from);
    program.with_context(|| format!("{} starts no program", path.display()))
}

fn contents(home: &Path) -> Value {
    json!({
        "argv": [home.join("bin/interleave"), "kernel", "{connection_file}"],
        "display_name": DISPLAY_NAME,
        "language": "rust",
        "interrupt_mode": "message",
        "kernel_protocol_version": "5.5",
        "metadata": { "debugger": false },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernelspec_names_its_program_and_replaces_an_older_one() {
        let kernels = tempfile::tempdir().unwrap();
        for home in ["/opt/one", "/opt/two"] {
            write(kernels.path(), Path::new(home)).unwrap();
            let expected = Path::new(home).join("bin/interleave");
            assert_eq!(program(kernels.path()).unwrap(), expected);
        }
        let files = fs::read_dir(kernels.path().join(NAME)).unwrap().count();
        assert_eq!(files, LOGOS.len() + 1);
    }

    #[test]
    fn a_missing_kernelspec_is_named() {
        let kernels = tempfile::tempdir().unwrap();
        let error = program(kernels.path()).unwrap_err().to_string();
        assert!(error.ends_with("interleave/kernel.json"), "{error}");
    }
}
