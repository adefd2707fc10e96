//! The program `interleave`.

use std::process::ExitCode;

use interleave_kernel::cli;

fn main() -> ExitCode {
    cli::main()
}
