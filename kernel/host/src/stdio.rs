//! Takes the standard descriptors away from evcxr's protocol and gives them to the cells.

use std::{
    fs::File,
    io::{self, PipeReader},
    os::fd::OwnedFd,
};

use rustix::io::fcntl_dupfd_cloexec;

use crate::output;

/// Lowest number for private descriptors, so that a cell which opens files sees small numbers.
pub(crate) const PRIVATE_FD: i32 = 200;

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
    let control_in = fcntl_dupfd_cloexec(rustix::stdio::stdin(), PRIVATE_FD)?;
    let control_out = fcntl_dupfd_cloexec(rustix::stdio::stdout(), PRIVATE_FD)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    let (stdout_reader, stdout_writer) = io::pipe()?;
    let (stderr_reader, stderr_writer) = io::pipe()?;
    output::expect(&stdout_writer, &stderr_writer)?;
    rustix::stdio::dup2_stdout(stdout_writer)?;
    rustix::stdio::dup2_stderr(stderr_writer)?;
    Ok(Stdio {
        control_in,
        control_out,
        outputs: [stdout_reader, stderr_reader],
    })
}
