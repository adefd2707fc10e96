//! Tells the kernel how far real cargo has come, so that the student sees a bar instead of nothing.
//!
//! cargo draws its own bar for terminals. It is asked to draw it here, too, and what it draws is read
//! back: nothing else names how many crates there are. The lines are those of cargo's `Progress`
//! (`util/progress.rs`) and of its download queue (`core/package.rs`).

use std::{
    io::{self, BufReader, Read},
    os::unix::net::UnixDatagram,
    path::Path,
    process::{Command, Output, Stdio},
    thread,
};

use interleave_protocol::BuildProgress;

/// Wide enough for cargo to draw numbers and names.
const WIDTH: &str = "100";

/// Runs cargo as [`Command::output`] does. The standard error that is returned is without the bar.
///
/// # Errors
///
/// When cargo cannot be run.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let mut child = command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", WIDTH)
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut answer = child.stdout.take();
    let answer = thread::spawn(move || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(pipe) = &mut answer {
            pipe.read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    });
    let stderr = match child.stderr.take() {
        Some(pipe) => without_bar(BufReader::new(pipe), &mut Kernel::find())?,
        None => Vec::new(),
    };
    let stdout = answer.join().unwrap_or_else(|_| Ok(Vec::new()))?;
    Ok(Output {
        status: child.wait()?,
        stdout,
        stderr,
    })
}

/// Where progress is told; nowhere when there is no kernel to hear of it.
struct Kernel(Option<UnixDatagram>);

impl Kernel {
    fn find() -> Self {
        let connect = || {
            let workspace = std::env::var_os(interleave_protocol::WORKSPACE_ENV)?;
            let socket = UnixDatagram::unbound().ok()?;
            let path = Path::new(&workspace).join(interleave_protocol::PROGRESS_SOCKET);
            interleave_protocol::at_socket(&path, |path| socket.connect(path)).ok()?;
            // A kernel that does not read must not stop cargo.
            socket.set_nonblocking(true).ok()?;
            Some(socket)
        };
        Self(connect())
    }
}

impl Extend<BuildProgress> for Kernel {
    fn extend<I: IntoIterator<Item = BuildProgress>>(&mut self, steps: I) {
        for step in steps {
            if let Some(socket) = &self.0 {
                // A step that is lost is followed by another.
                let _ = socket.send(&interleave_protocol::to_line(&step));
            }
        }
    }
}

/// Reads what cargo says to the end; steps go to `kernel`, and the rest is returned.
fn without_bar(
    mut from: impl Read,
    kernel: &mut impl Extend<BuildProgress>,
) -> io::Result<Vec<u8>> {
    let mut said = Vec::new();
    let mut part = Vec::new();
    let mut reading = Reading::default();
    let mut bytes = [0; 4096];
    loop {
        let count = match from.read(&mut bytes) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        for byte in bytes.iter().take(count) {
            part.push(*byte);
            if matches!(byte, b'\r' | b'\n') {
                let text = String::from_utf8_lossy(&part).into_owned();
                kernel.extend(reading.step(&text));
                // The bar is drawn over, so it ends in a return; all else ends in a line.
                if *byte == b'\n' {
                    said.append(&mut part);
                }
                part.clear();
            }
        }
    }
    said.append(&mut part);
    Ok(said)
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading {
    downloaded: u32,
    /// The crates that were there before; the first bar counts them as built.
    present: Option<u32>,
}

impl Reading {
    fn step(&mut self, text: &str) -> Option<BuildProgress> {
        let (word, rest) = text.trim().split_once(' ')?;
        match word {
            "Updating" => Some(BuildProgress::Updating),
            "Downloaded" if !rest.contains(" crates (") => {
                self.downloaded += 1;
                None
            }
            "Downloading" => {
                let remaining: u32 = rest.split(' ').next()?.parse().ok()?;
                Some(BuildProgress::Downloading {
                    done: self.downloaded,
                    total: self.downloaded + remaining,
                })
            }
            "Building" => {
                let (counts, names) = rest.split_once("] ")?.1.split_once(':')?;
                let (done, total) = counts.split_once('/')?;
                let (done, total): (u32, u32) = (done.parse().ok()?, total.parse().ok()?);
                let present = *self.present.get_or_insert(done);
                Some(BuildProgress::Compiling {
                    done: done.saturating_sub(present),
                    total: total.saturating_sub(present),
                    names: names.trim().to_owned(),
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, steps: &[BuildProgress], rest: &str) {
        let mut found = Vec::new();
        let said = without_bar(text.as_bytes(), &mut found).unwrap();
        assert_eq!(found, steps);
        assert_eq!(String::from_utf8(said).unwrap(), rest);
    }

    #[test]
    fn downloads_are_counted() {
        let downloading = |done, total| BuildProgress::Downloading { done, total };
        check(
            "    Updating crates.io index\n Downloading 1 crate   \r Downloading 2 crates   \r  \
             Downloaded either v1.19.0\n Downloading 1 crate   \r  Downloaded rand v0.3.1\n  \
             Downloaded 2 crates (198.6KiB) in 0.08s\n",
            &[
                BuildProgress::Updating,
                downloading(0, 1),
                downloading(0, 2),
                downloading(1, 2),
            ],
            "    Updating crates.io index\n  Downloaded either v1.19.0\n  Downloaded rand v0.3.1\n  \
             Downloaded 2 crates (198.6KiB) in 0.08s\n",
        );
    }

    #[test]
    fn crates_that_were_there_do_not_count() {
        let compiling = |done, names: &str| BuildProgress::Compiling {
            done,
            total: 2,
            names: names.to_owned(),
        };
        check(
            "   Compiling a v1.0.0\n    Building [====>   ] 60/62: a, b   \r    Building [=====>  ] \
             61/62: b   \rerror: no\nmore",
            &[compiling(0, "a, b"), compiling(1, "b")],
            "   Compiling a v1.0.0\nerror: no\nmore",
        );
    }

    #[test]
    fn other_words_are_passed_on() {
        check(
            "error: Updating\nBuilding it\n",
            &[],
            "error: Updating\nBuilding it\n",
        );
    }
}
