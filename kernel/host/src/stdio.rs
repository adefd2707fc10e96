//! Takes the standard descriptors away from evcxr's protocol and gives them to the cells.

use std::{
    fs::File,
    io::{self, PipeReader},
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::OnceLock,
};

use crate::{descriptors::private, output};

/// What belongs on the standard streams, in the order of their numbers.
static OURS: OnceLock<[OwnedFd; 3]> = OnceLock::new();

/// The descriptors after the exchange.
pub(crate) struct Stdio {
    /// Lines from evcxr.
    pub(crate) control_in: OwnedFd,
    /// Lines to evcxr.
    pub(crate) control_out: OwnedFd,
    /// What arrives on standard output and standard error past [`output`]: from programs that a
    /// cell starts, and from code that calls the system itself.
    pub(crate) outputs: [PipeReader; 2],
}

/// Moves evcxr's two pipes to private descriptors, puts the null device on standard input, and
/// puts fresh pipes on standard output and standard error.
pub(crate) fn take_over() -> io::Result<Stdio> {
    let control_in = private(rustix::stdio::stdin())?;
    let control_out = private(rustix::stdio::stdout())?;
    let (stdout_reader, stdout_writer) = io::pipe()?;
    let (stderr_reader, stderr_writer) = io::pipe()?;
    output::expect(&stdout_writer, &stderr_writer)?;
    let ours = [
        private(File::open("/dev/null")?)?,
        private(stdout_writer)?,
        private(stderr_writer)?,
    ];
    OURS.set(ours)
        .map_err(|_| io::Error::other("the streams were taken over twice"))?;
    restore();
    Ok(Stdio {
        control_in,
        control_out,
        outputs: [stdout_reader, stderr_reader],
    })
}

/// Puts the standard streams back where a cell has closed or redirected them: what the next cell
/// prints belongs in the notebook.
pub(crate) fn restore() {
    let Some([stdin, stdout, stderr]) = OURS.get() else {
        return;
    };
    // An error means that the process may open nothing more; then the stream stays as it is.
    if !is_same(rustix::stdio::stdin(), stdin) {
        let _ = rustix::stdio::dup2_stdin(stdin);
    }
    if !is_same(rustix::stdio::stdout(), stdout) {
        let _ = rustix::stdio::dup2_stdout(stdout);
    }
    if !is_same(rustix::stdio::stderr(), stderr) {
        let _ = rustix::stdio::dup2_stderr(stderr);
    }
}

fn is_same(now: BorrowedFd<'_>, ours: &OwnedFd) -> bool {
    let identity = |fd| rustix::fs::fstat(fd).map(|stat| (stat.st_dev, stat.st_ino));
    identity(now).is_ok_and(|now| identity(ours.as_fd()) == Ok(now))
}
