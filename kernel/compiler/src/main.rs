//! One program under three names: `cargo`, `rustup`, and what cargo takes for rustc.

use std::{
    ffi::OsString,
    io::{self, Write},
    os::unix::process::CommandExt,
    path::Path,
    process::{Command, ExitCode},
};

use anyhow::{Context, Result};
use interleave_compiler::{
    answers, cell, dependencies,
    installation::Installation,
    progress,
    request::{CargoRequest, RustupRequest},
    seams,
};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            // evcxr shows a student what cargo says, so this speaks as cargo does.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    let name = Path::new(&name).file_name().unwrap_or_default();
    if name == seams::WRAPPER {
        return seams::compile(&arguments);
    }
    let installation = Installation::from_environment()?;
    if name == "rustup" {
        return rustup(&installation, &arguments);
    }
    cargo(&installation, &arguments)
}

fn rustup(installation: &Installation, arguments: &[OsString]) -> Result<ExitCode> {
    match RustupRequest::parse(arguments) {
        RustupRequest::WhichCargo => println!("{}", installation.stand_in("cargo").display()),
        RustupRequest::WhichRustc => println!("{}", installation.rustc.display()),
        RustupRequest::Other => return pass_through(installation, "rustup".as_ref(), arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn cargo(installation: &Installation, arguments: &[OsString]) -> Result<ExitCode> {
    let directory = std::env::current_dir().context("cannot find the current directory")?;
    match CargoRequest::parse(arguments, &directory) {
        CargoRequest::Compile(emit) => {
            let dependencies = match dependencies::built(installation, &directory)? {
                Ok(dependencies) => dependencies,
                Err(cargo_failed) => return Ok(cargo_failed),
            };
            cell::compile(installation, &dependencies, &directory, emit)
        }
        CargoRequest::Metadata { package } => {
            match dependencies::metadata(installation, &package)? {
                Ok(metadata) => println!("{metadata}"),
                Err(cargo_failed) => return Ok(cargo_failed),
            }
            Ok(ExitCode::SUCCESS)
        }
        // evcxr cleans when static linking is switched; nothing here depends on that.
        CargoRequest::Clean => Ok(ExitCode::SUCCESS),
        CargoRequest::Describe | CargoRequest::Other
            if answers::is_fixed(arguments, installation.sysroot()) =>
        {
            answers::give(installation, arguments)
        }
        CargoRequest::Describe => describe(installation, arguments),
        CargoRequest::Other => {
            pass_through(installation, installation.cargo.as_os_str(), arguments)
        }
    }
}

/// Lets real cargo look at a crate that a notebook is about to add: it may have to be downloaded.
fn describe(installation: &Installation, arguments: &[OsString]) -> Result<ExitCode> {
    let mut command = Command::new(&installation.cargo);
    installation.restore_environment(&mut command);
    let output = progress::output(command.args(arguments))
        .with_context(|| format!("cannot run {}", installation.cargo.display()))?;
    io::stdout().write_all(&output.stdout)?;
    io::stderr().write_all(&output.stderr)?;
    let code = output
        .status
        .code()
        .and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(1)))
}

/// Becomes the real tool.
fn pass_through(
    installation: &Installation,
    tool: &std::ffi::OsStr,
    arguments: &[OsString],
) -> Result<ExitCode> {
    let mut command = Command::new(tool);
    installation.restore_environment(&mut command);
    let error = command.args(arguments).exec();
    Err(error).with_context(|| format!("cannot run {}", tool.display()))
}
