//! Remembers what the real cargo says when the answer depends on nothing but the toolchain.
//!
//! rust-analyzer asks about a dozen such questions whenever a kernel starts. An installation
//! belongs to one toolchain, so its first kernel asks for all.

use std::{
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::installation::Installation;

/// A question and its answer.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// Kept whole, so that two questions with the same hash are not taken for each other.
    arguments: Vec<String>,
    code: u8,
    output: String,
}

/// Whether the answer depends on the toolchain alone. `sysroot` is the toolchain's directory.
pub fn is_fixed(arguments: &[OsString], sysroot: &Path) -> bool {
    let words: Vec<&str> = arguments.iter().filter_map(|word| word.to_str()).collect();
    match words[..] {
        ["--version"] => true,
        ["rustc", ..] => words.contains(&"--print"),
        ["metadata", ..] => words
            .windows(2)
            .any(|pair| pair[0] == "--manifest-path" && Path::new(pair[1]).starts_with(sysroot)),
        _ => false,
    }
}

/// Prints the answer, remembered or asked for. What cargo says on standard error is not repeated.
///
/// # Errors
///
/// When cargo cannot be run.
pub fn give(installation: &Installation, arguments: &[OsString]) -> Result<ExitCode> {
    let question: Vec<String> = arguments
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let file = file_for(installation, &question);
    let answer = match remembered(&file, &question) {
        Some(answer) => answer,
        None => {
            let answer = ask(installation, question)?;
            // A home that cannot be written to costs time, nothing else.
            let _ = remember(&file, &answer);
            answer
        }
    };
    print!("{}", answer.output);
    Ok(ExitCode::from(answer.code))
}

fn file_for(installation: &Installation, question: &[String]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    question.hash(&mut hasher);
    let name = format!("{:016x}.json", hasher.finish());
    installation.home.join("answers").join(name)
}

fn remembered(file: &Path, question: &[String]) -> Option<Answer> {
    let answer: Answer = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    (answer.arguments == question).then_some(answer)
}

fn remember(file: &Path, answer: &Answer) -> Result<()> {
    fs::create_dir_all(file.parent().context("the file has no directory")?)?;
    // Kernels that start at the same time do not see each other's half-written answers.
    let new = file.with_extension(std::process::id().to_string());
    fs::write(&new, serde_json::to_vec(answer)?)?;
    Ok(fs::rename(new, file)?)
}

fn ask(installation: &Installation, arguments: Vec<String>) -> Result<Answer> {
    let mut command = Command::new(&installation.cargo);
    installation.restore_environment(&mut command);
    let output = command
        .args(&arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run {}", installation.cargo.display()))?;
    Ok(Answer {
        arguments,
        code: output
            .status
            .code()
            .and_then(|code| code.try_into().ok())
            .unwrap_or(1),
        output: String::from_utf8(output.stdout).context("cargo printed no UTF-8")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_toolchain_decides_is_fixed() {
        let fixed = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            is_fixed(&words, Path::new("/toolchain"))
        };
        assert!(fixed("--version"));
        assert!(fixed("rustc -Z unstable-options --print cfg -- -O"));
        assert!(fixed("metadata --manifest-path /toolchain/lib/Cargo.toml"));
        assert!(!fixed("metadata --manifest-path /home/me/Cargo.toml"));
        assert!(!fixed("rustc -O"));
        assert!(!fixed("config get"));
    }

    #[test]
    fn another_question_with_the_same_name_is_not_answered() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("answers/x.json");
        let answer = Answer {
            arguments: vec!["--version".into()],
            code: 0,
            output: "cargo".into(),
        };
        remember(&file, &answer).unwrap();
        assert_eq!(
            remembered(&file, &answer.arguments).unwrap().output,
            "cargo"
        );
        assert!(remembered(&file, &["config".into()]).is_none());
    }
}
