//! Files that the next cell reads. An interrupt kills this process at any moment, and half a file
//! would be an error in every cell from then on.

use std::{fs, io, path::Path};

/// Puts a file in place, whole or not at all.
///
/// # Errors
///
/// When the disk fails.
pub fn replace(file: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    // Kernels that start at the same time share some of the files.
    let new = file.with_extension(format!("{}.new", std::process::id()));
    fs::write(&new, content)?;
    fs::rename(new, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.json");
        replace(&file, "one").unwrap();
        replace(&file, "two").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }
}
