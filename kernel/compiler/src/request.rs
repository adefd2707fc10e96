//! What evcxr, and the rust-analyzer inside it, ask of cargo and rustup.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// Package name that evcxr 0.22 (`module.rs`) gives to a cell.
pub const CELL_CRATE: &str = "ctx";

/// What is asked of cargo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CargoRequest {
    /// Compile the cell in the current directory.
    Compile(Emit),
    /// Describe the package of the cell in this directory.
    Metadata {
        /// Where its `Cargo.toml` is.
        package: PathBuf,
        /// evcxr asks in the package's directory instead of naming its manifest.
        by_rust_analyzer: bool,
    },
    /// Describe another package, for the real cargo.
    Describe,
    /// Remove build output.
    Clean,
    /// Anything else about the cell in the current directory.
    OfCell,
    /// Anything else, for the real cargo.
    Other,
}

/// How far to compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Emit {
    /// To a shared object.
    SharedObject,
    /// Only as far as errors are found.
    Check,
}

impl CargoRequest {
    /// Reads cargo's arguments, for a cargo that was started in `directory`.
    pub fn parse(arguments: &[OsString], directory: &Path) -> Self {
        let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
        let command = words.iter().find(|word| !word.starts_with(['-', '+']));
        match command.copied() {
            Some("build") if is_cell(directory) => Self::Compile(Emit::SharedObject),
            Some("check") if is_cell(directory) => Self::Compile(Emit::Check),
            Some("clean") if is_cell(directory) => Self::Clean,
            Some("metadata") => {
                let manifest = manifest_path(&words);
                let package = manifest
                    .and_then(|path| directory.join(path).parent().map(Path::to_owned))
                    .unwrap_or_else(|| directory.to_owned());
                if is_cell(&package) {
                    Self::Metadata {
                        package,
                        by_rust_analyzer: manifest.is_some(),
                    }
                } else {
                    Self::Describe
                }
            }
            _ if is_cell(directory) => Self::OfCell,
            _ => Self::Other,
        }
    }
}

/// Whether the directory holds the package of a cell. evcxr checks a new `:dep` in a package of
/// another name, which is for the real cargo.
fn is_cell(directory: &Path) -> bool {
    std::fs::read_to_string(directory.join("Cargo.toml"))
        .is_ok_and(|manifest| manifest.contains(&format!("name = \"{CELL_CRATE}\"")))
}

fn manifest_path<'a>(words: &[&'a str]) -> Option<&'a str> {
    words
        .windows(2)
        .find(|pair| pair[0] == "--manifest-path")
        .map(|pair| pair[1])
}

/// What is asked of rustup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RustupRequest {
    /// Where is cargo? Whatever the toolchain: every cargo must be the stand-in.
    WhichCargo,
    /// Where is the rustc of the toolchain that Interleave was installed with?
    WhichRustc,
    /// Anything else, for the real rustup.
    Other,
}

impl RustupRequest {
    /// Reads rustup's arguments.
    pub fn parse(arguments: &[OsString]) -> Self {
        let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
        match words[..] {
            ["which", "cargo"] => Self::WhichCargo,
            [toolchain, "which", "cargo"] if toolchain.starts_with('+') => Self::WhichCargo,
            ["which", "rustc"] => Self::WhichRustc,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn a_cell_is_compiled_here_and_everything_else_by_cargo() {
        let cell = tempfile::tempdir().unwrap();
        std::fs::write(
            cell.path().join("Cargo.toml"),
            "[package]\nname = \"ctx\"\n",
        )
        .unwrap();
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("Cargo.toml"), "[package]\nname = \"x\"\n").unwrap();

        let build = words("build --target x86_64-unknown-linux-gnu --message-format=json");
        let parse = |line: &[OsString], directory: &Path| CargoRequest::parse(line, directory);
        assert_eq!(
            parse(&build, cell.path()),
            CargoRequest::Compile(Emit::SharedObject)
        );
        assert_eq!(parse(&build, other.path()), CargoRequest::Other);
        assert_eq!(
            parse(&words("--offline check"), cell.path()),
            CargoRequest::Compile(Emit::Check)
        );
        assert_eq!(
            parse(&words("config get"), cell.path()),
            CargoRequest::OfCell
        );
        assert_eq!(
            parse(&words("config get"), other.path()),
            CargoRequest::Other
        );
    }

    #[test]
    fn metadata_is_asked_of_a_manifest_anywhere() {
        let cell = tempfile::tempdir().unwrap();
        let manifest = cell.path().join("Cargo.toml");
        std::fs::write(&manifest, "[package]\nname = \"ctx\"\n").unwrap();
        let asked = words(&format!("metadata --manifest-path {}", manifest.display()));
        assert_eq!(
            CargoRequest::parse(&asked, Path::new("/")),
            CargoRequest::Metadata {
                package: cell.path().to_owned(),
                by_rust_analyzer: true,
            }
        );
    }

    #[test]
    fn rustup_names_the_stand_in_for_every_toolchain() {
        assert_eq!(
            RustupRequest::parse(&words("which cargo")),
            RustupRequest::WhichCargo
        );
        assert_eq!(
            RustupRequest::parse(&words("+nightly which cargo")),
            RustupRequest::WhichCargo
        );
        assert_eq!(
            RustupRequest::parse(&words("+nightly which rustc")),
            RustupRequest::Other
        );
    }
}
