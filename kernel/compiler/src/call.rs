//! One call of rustc about a cell, which may have been answered before.

use std::{
    ffi::OsString,
    fs, io,
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use anyhow::{Context, Result};

use crate::{
    cache::{Answer, Cache, Question},
    dependencies::Dependencies,
    forkserver,
    installation::Installation,
    request::CELL_CRATE,
};

/// Where rustc says what it has read, in the directory of the cell.
const READ: &str = "out/read.d";

/// What the directory of a kernel is called in what rustc makes, which other kernels use, too.
const NAME_OF_DIRECTORY: &str = "/interleave";

/// Who calls, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller<'a> {
    pub(crate) installation: &'a Installation,
    pub(crate) dependencies: &'a Dependencies,
    /// Where evcxr compiles; all paths are relative to it.
    pub(crate) directory: &'a Path,
}

/// What rustc answered, now or before.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) success: bool,
    /// Of an answer that was given now.
    pub(crate) status: Option<ExitStatus>,
    /// One JSON object a line.
    pub(crate) said: Vec<u8>,
}

impl Caller<'_> {
    /// rustc, about a source, with the crates of the cell.
    pub(crate) fn rustc(&self, source: &str) -> Command {
        let mut rustc = Command::new(&self.installation.rustc);
        self.installation.restore_environment(&mut rustc);
        rustc
            .current_dir(self.directory)
            // A linker that is killed leaves its files there; the workspace is removed.
            .env("TMPDIR", self.directory)
            .args(["--crate-name", CELL_CRATE, "--edition=2024"])
            .args(["--error-format=json", "--out-dir=out"])
            .arg(format!("--emit=dep-info={READ}"))
            .arg(source);
        for (name, file) in &self.dependencies.externs {
            let mut argument = OsString::from(format!("{name}="));
            argument.push(file);
            rustc.arg("--extern").arg(argument);
        }
        for libraries in [&self.dependencies.directory, &self.dependencies.macros] {
            rustc.arg(format!("-Ldependency={}", libraries.display()));
        }
        rustc
    }

    /// Calls rustc, unless the same was answered before. `made` is the file that it makes, if that
    /// matters. Kept is what `keep` accepts. rustc is ended when it has said a line that is `enough`.
    ///
    /// # Errors
    ///
    /// When rustc cannot be run or the disk fails.
    pub(crate) fn call(
        &self,
        mut rustc: Command,
        source: &str,
        made: Option<&str>,
        enough: &dyn Fn(&[u8]) -> bool,
        keep: impl FnOnce(&Answered) -> bool,
    ) -> Result<Answered> {
        let question = self.question(&rustc, source)?;
        let cache = question.as_ref().and_then(|_| Cache::of_user());
        let memory = cache.zip(question);
        let made = made.map(|file| self.directory.join(file));
        if let Some((cache, question)) = &memory
            && let Some(answer) = cache.find(question)
        {
            if let Some(file) = made.filter(|_| answer.success) {
                crate::files::replace(&file, answer.made)?;
            }
            return Ok(Answered {
                success: answer.success,
                status: None,
                said: answer.said,
            });
        }
        let answered = self.run(&mut rustc, enough)?;
        if let Some((cache, question)) = &memory
            && keep(&answered)
            && self.has_read_nothing_but(source)
        {
            let made = made.filter(|_| answered.success).map(fs::read);
            let answer = Answer {
                success: answered.success,
                said: answered.said.clone(),
                made: made.transpose()?.unwrap_or_default(),
            };
            cache.keep(question, &answer);
        }
        Ok(answered)
    }

    fn run(&self, rustc: &mut Command, enough: &dyn Fn(&[u8]) -> bool) -> Result<Answered> {
        let mut directory = OsString::from("--remap-path-prefix=");
        directory.push(self.directory);
        directory.push(format!("={NAME_OF_DIRECTORY}"));
        rustc.arg(directory);
        let output = match forkserver::output_of_rustc(self.installation, rustc, enough) {
            Some(output) => output,
            None => rustc
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .and_then(|child| output_of(child, enough))
                .with_context(|| format!("cannot run {}", rustc.get_program().display()))?,
        };
        Ok(Answered {
            success: output.status.success(),
            status: Some(output.status),
            said: output.stderr,
        })
    }

    /// `None` for a cell with crates of its own.
    fn question(&self, rustc: &Command, source: &str) -> Result<Option<Question>> {
        let Dependencies {
            directory, macros, ..
        } = self.dependencies;
        if !directory.starts_with(self.installation.template()) {
            return Ok(None);
        }
        let mut question = Question::default();
        // It writes the source, and knows what an answer is.
        question.add_file(&std::env::current_exe()?);
        question.add_file(&self.installation.rustc);
        let libraries = self.installation.sysroot().join("lib");
        let target = env!("INTERLEAVE_TARGET");
        let of_target = libraries.join("rustlib").join(target).join("lib");
        for directory in [&libraries, &of_target, directory, macros] {
            question.add_directory(directory);
        }
        // The object finds shared objects by the way from its own directory.
        let around = self.directory.ancestors().nth(2).unwrap_or(self.directory);
        question.add(around.as_os_str().as_encoded_bytes());
        question.add_command(rustc);
        question.add(fs::read(self.directory.join(source))?);
        Ok(Some(question))
    }

    /// Whether rustc depended on nothing that is not in the question: no other file, and no variable
    /// of the environment.
    fn has_read_nothing_but(&self, source: &str) -> bool {
        let said = fs::read_to_string(self.directory.join(READ));
        said.is_ok_and(|said| names_only(&said, source))
    }
}

fn output_of(mut child: Child, enough: &dyn Fn(&[u8]) -> bool) -> io::Result<Output> {
    let mut said = (Vec::new(), false);
    if let Some(stderr) = child.stderr.take() {
        said = forkserver::read(stderr, enough)?;
    }
    let (stderr, is_enough) = said;
    if is_enough {
        child.kill()?;
    }
    Ok(Output {
        status: child.wait()?,
        stdout: Vec::new(),
        stderr,
    })
}

/// Each file that was read has a line of its own, `file:`; each variable one with `# env-dep:`.
fn names_only(read: &str, source: &str) -> bool {
    let mut files = read.lines().filter(|line| line.ends_with(':'));
    files
        .next()
        .is_some_and(|file| file.strip_suffix(':') == Some(source))
        && files.next().is_none()
        && !read.contains("env-dep:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_or_a_variable_that_was_read_is_seen() {
        let only = |said: &str| names_only(said, "cells/3/lib.rs");
        assert!(only("out/libctx.so: cells/3/lib.rs\n\ncells/3/lib.rs:\n"));
        assert!(!only(
            "out/libctx.so: cells/3/lib.rs a.txt\n\ncells/3/lib.rs:\na.txt:\n"
        ));
        assert!(!only(
            "out/libctx.so: cells/3/lib.rs\n\ncells/3/lib.rs:\n\n# env-dep:HOME=/root\n"
        ));
        assert!(!only(""));
    }
}
