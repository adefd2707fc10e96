//! The process in which the cells of a notebook run.
//!
//! evcxr starts it as its "subprocess" and tells it, line by line, which compiled cell to load and
//! call. evcxr means those lines to pass over standard input and output; here they pass over
//! private copies of those descriptors, and the cell's standard streams are pipes that lead to the
//! kernel. So nothing that a cell prints can be taken for a message, and no message for a print.
//!
//! libstd is a shared object in the cells, so its calls of `read`, `write`, `close` and
//! `pthread_create` find the functions of this executable before those of libc: [`input`],
//! [`output`], [`descriptors`] and [`observe`] stand there.
//!
//! [`snapshot`] lets a copy of the process take its place when it ends within a cell.
//!
//! A second life, `interleave-host guard`, outlasts a kernel and clears up behind it.

mod cells;
mod descriptors;
mod fork;
mod guard;
mod input;
mod link;
mod next;
mod observe;
mod output;
mod service;
mod snapshot;
mod stdio;
mod stop;
mod tasks;
mod threads;
mod trace;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let result = match arguments.next() {
        Some(argument) if argument == "guard" => guard::run(arguments),
        _ => run_cells(),
    };
    report(result)
}

fn report(result: std::io::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("interleave-host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run_cells() -> std::io::Result<()> {
    let environment = Environment::take();
    let (Some(socket), Some(prelude)) = (environment.socket, environment.prelude) else {
        return Err(std::io::Error::other(
            "this program is started by the interleave kernel",
        ));
    };
    observe::adopt_first();
    fork::watch()?;
    let stdio = stdio::take_over()?;
    link::connect(socket, stdio.control_out, stdio.outputs)?;
    cells::run(stdio.control_in, &prelude, environment.snapshots)
}

/// What the kernel and evcxr told this process, removed from the environment that cells see.
struct Environment {
    socket: Option<std::ffi::OsString>,
    prelude: Option<std::ffi::OsString>,
    snapshots: bool,
}

impl Environment {
    fn take() -> Self {
        let environment = Self {
            socket: std::env::var_os(interleave_protocol::SOCKET_ENV),
            prelude: std::env::var_os(interleave_protocol::PRELUDE_ENV),
            snapshots: std::env::var_os(interleave_protocol::SNAPSHOTS_ENV)
                .is_none_or(|value| value != "off"),
        };
        // evcxr sets the last two for its own runtime; a student's program must not inherit them.
        for name in [
            interleave_protocol::SOCKET_ENV,
            interleave_protocol::PRELUDE_ENV,
            "EVCXR_IS_RUNTIME",
            "RUST_BACKTRACE",
        ] {
            // SAFETY: the process has one thread yet, so nobody reads the environment meanwhile.
            unsafe { std::env::remove_var(name) };
        }
        environment
    }
}
