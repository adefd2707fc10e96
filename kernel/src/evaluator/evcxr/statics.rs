//! The statics of the process that runs the cells, as far as the compiler knows them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use interleave_compiler::statics::Known;

/// The compiler's notes as they were before a cell.
pub(super) struct KnownStatics {
    file: PathBuf,
    before: Option<Vec<u8>>,
}

impl KnownStatics {
    /// `directory` is where evcxr compiles.
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self {
            file: directory.join(Known::FILE),
            before: None,
        }
    }

    /// A cell is about to be compiled.
    pub(super) fn remember(&mut self) {
        self.before = fs::read(&self.file).ok();
    }

    /// The process is now one that has not loaded the cell.
    pub(super) fn restore(&self) {
        let restored = match &self.before {
            Some(known) => fs::write(&self.file, known),
            None => fs::remove_file(&self.file),
        };
        if let Err(error) = restored {
            tracing::warn!(%error, "the statics of a cell that ended cannot be forgotten");
        }
    }
}
