//! Remembers what rustc made of a cell, for the user's other kernels and the same one started again.
//!
//! A wrong answer cannot be found. The question holds everything that rustc's answer depends on, as
//! it is and not as a hash: the source, the arguments, the variables of the environment that rustc
//! and the linker read, and of each file of compiler and crates what changes when anybody changes it
//! (see [`Question`]). The name of the entry is a hash of the question, and the entry holds the whole
//! question, which is compared; and a checksum of the answer. What rustc read besides, it says itself
//! (`--emit=dep-info`): a cell that includes a file, or asks for a variable of the environment, is
//! not remembered. Nor are cells with crates of their own (`:dep`), whose files are the kernel's, nor
//! errors, but for those of borrow checking: others may come from a full disk.
//!
//! An entry is written beside its place and then renamed, so kernels do not disturb each other. When
//! there is too much, what was not used for longest goes.

use std::{
    fs::{self, DirBuilder, File},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

mod question;

pub use question::Question;

/// Environment variable: `off`, or another directory.
pub const SWITCH: &str = "INTERLEAVE_CACHE";

/// Bytes: some thousand cells.
const MOST: u64 = 256 << 20;

/// What rustc answered.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Whether it accepted the source.
    pub success: bool,
    /// Its diagnostics.
    pub said: Vec<u8>,
    /// The object that it made, if that was asked for.
    pub made: Vec<u8>,
}

/// Stands before the three parts of an entry.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    question: usize,
    said: usize,
    made: usize,
    success: bool,
    /// Of all that is behind, and of `success`.
    checksum: String,
}

/// A directory of answers.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
}

impl Cache {
    /// The user's, which is made if need be. `None` when it is switched off, or when the directory
    /// is not the user's alone: what lies there is run.
    pub fn of_user() -> Option<Self> {
        Self::in_directory(directory()?)
    }

    /// The same in any directory.
    pub fn in_directory(directory: PathBuf) -> Option<Self> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&directory);
        let found = fs::symlink_metadata(&directory).ok()?;
        let is_safe = found.is_dir()
            && found.uid() == rustix::process::geteuid().as_raw()
            && found.mode() & 0o077 == 0;
        (made.is_ok() && is_safe).then_some(Self { directory })
    }

    /// The answer, if the very same question was answered before.
    pub fn find(&self, question: &Question) -> Option<Answer> {
        let path = self.path(question);
        let entry = fs::read(&path).ok()?;
        let answer = read(&entry, question.bytes())?;
        // When it was last used; an error costs an entry, later.
        let _ = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(answer)
    }

    /// Keeps an answer. What cannot be kept is asked again.
    pub fn keep(&self, question: &Question, answer: &Answer) {
        let path = self.path(question);
        let Some(entry) = written(question.bytes(), answer) else {
            return;
        };
        if crate::files::replace(&path, entry).is_ok() && is_time_to_tidy(&path) {
            // What is left over is tidied next time.
            let _ = self.tidy(MOST);
        }
    }

    fn path(&self, question: &Question) -> PathBuf {
        self.directory.join(hex(&Sha256::digest(question.bytes())))
    }

    /// Removes what was not used for longest, until the rest has so many bytes.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read.
    pub fn tidy(&self, most: u64) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            // Another kernel may have removed it.
            if let Ok(found) = entry.metadata() {
                entries.push((found.modified()?, found.len(), entry.path()));
            }
        }
        entries.sort_unstable_by(|one, other| other.cmp(one));
        let mut kept = 0;
        for (_, length, path) in entries {
            kept += length;
            if kept > most {
                let _ = fs::remove_file(path);
            }
        }
        Ok(())
    }
}

/// Where the user's answers are; `None` when there are none.
pub fn directory() -> Option<PathBuf> {
    let own = std::env::var_os(SWITCH).filter(|value| !value.is_empty());
    match own {
        Some(value) if value == "off" => None,
        Some(value) => Some(value.into()),
        None => user_directory(),
    }
}

/// Where they are if nothing else is said, as the XDG base directory specification has it.
pub fn user_directory() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(caches.join("interleave/cells"))
}

/// To look through the directory takes longer than to write an entry; now and then is enough.
fn is_time_to_tidy(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"0"))
}

fn written(question: &[u8], answer: &Answer) -> Option<Vec<u8>> {
    let parts = [question, &answer.said, &answer.made];
    let head = Head {
        question: question.len(),
        said: answer.said.len(),
        made: answer.made.len(),
        success: answer.success,
        checksum: checksum(answer.success, parts),
    };
    let mut entry = serde_json::to_vec(&head).ok()?;
    entry.push(b'\n');
    parts.into_iter().for_each(|part| entry.extend(part));
    Some(entry)
}

/// `None` when the entry is damaged, or answers another question.
fn read(entry: &[u8], question: &[u8]) -> Option<Answer> {
    let end = entry.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&entry[..end]).ok()?;
    let (asked, rest) = entry[end + 1..].split_at_checked(head.question)?;
    let (said, made) = rest.split_at_checked(head.said)?;
    let is_whole =
        made.len() == head.made && head.checksum == checksum(head.success, [asked, said, made]);
    (is_whole && asked == question).then(|| Answer {
        success: head.success,
        said: said.to_owned(),
        made: made.to_owned(),
    })
}

fn checksum(success: bool, parts: [&[u8]; 3]) -> String {
    let mut hash = Sha256::new();
    hash.update([u8::from(success)]);
    parts.into_iter().for_each(|part| hash.update(part));
    hex(&hash.finalize())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
