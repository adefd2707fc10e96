//! Everything that an answer of rustc depends on.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::Path,
    process::Command,
};

/// What rustc is asked, in full: parts, each with its length before it, so that no two lists of
/// parts are the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question(Vec<u8>);

/// Variables that change what rustc, cc or the linker make, by the beginnings of their names.
const VARIABLES: [&str; 8] = [
    "RUST",
    "CARGO",
    "LD_",
    "GCC_",
    "COLLECT_",
    "COMPILER_PATH",
    "LIBRARY_PATH",
    "PATH",
];

/// Of these, the ones that do not.
const HARMLESS: [&str; 2] = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"];

impl Question {
    /// Adds a part.
    pub fn add(&mut self, part: impl AsRef<[u8]>) {
        let part = part.as_ref();
        self.0.extend((part.len() as u64).to_le_bytes());
        self.0.extend(part);
    }

    /// Adds what identifies the content of a file, without reading it: the system sets the time of
    /// its last change, and no program can set it back.
    pub fn add_file(&mut self, path: &Path) {
        self.add(path.as_os_str().as_bytes());
        match fs::metadata(path) {
            Ok(found) => {
                let numbers = [
                    found.dev(),
                    found.ino(),
                    found.size(),
                    found.mtime().cast_unsigned(),
                    found.mtime_nsec().cast_unsigned(),
                    found.ctime().cast_unsigned(),
                    found.ctime_nsec().cast_unsigned(),
                ];
                self.add(numbers.map(u64::to_le_bytes).as_flattened());
            }
            Err(error) => self.add(error.to_string()),
        }
    }

    /// Adds all files of a directory, but not those of directories in it.
    pub fn add_directory(&mut self, path: &Path) {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
        files.sort_unstable();
        self.add(path.as_os_str().as_bytes());
        self.add((files.len() as u64).to_le_bytes());
        files.iter().for_each(|file| self.add_file(file));
    }

    /// Adds the program, its arguments, and those variables that matter of its environment.
    pub fn add_command(&mut self, command: &Command) {
        self.add(command.get_program().as_bytes());
        self.add((command.get_args().len() as u64).to_le_bytes());
        command
            .get_args()
            .for_each(|argument| self.add(argument.as_bytes()));
        let mut variables: std::collections::BTreeMap<_, _> = std::env::vars_os().collect();
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => _ = variables.insert(name.to_owned(), value.to_owned()),
                None => _ = variables.remove(name),
            }
        }
        variables.retain(|name, _| matters(name));
        self.add((variables.len() as u64).to_le_bytes());
        for (name, value) in variables {
            self.add(name.as_bytes());
            self.add(value.as_bytes());
        }
    }

    /// All parts.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn matters(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    VARIABLES
        .iter()
        .any(|beginning| name.starts_with(beginning))
        && !HARMLESS.contains(&&*name)
}
