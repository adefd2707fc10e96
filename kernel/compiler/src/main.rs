//! One program under several names: `cargo`, `rustup`, what cargo takes for rustc, a linker, and the start
//! of a server.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::process::CommandExt,
    panic::resume_unwind,
    path::Path,
    process::{Command, ExitCode, ExitStatus},
    thread,
};

use anyhow::{Context, Result};
use interleave_compiler::{
    answers, cell, dependencies,
    forkserver::{self, Tool},
    installation::Installation,
    progress,
    request::{CELL_CRATE, CargoRequest, Emit, RustupRequest},
    role::{self, Role},
    seams, types,
};

/// Bytes of stack. syn calls itself for each level of nesting in a cell.
const STACK: usize = 64 * 1024 * 1024;

fn main() -> ExitCode {
    lead_group();
    match on_large_stack(run) {
        Ok(code) => code,
        Err(error) => {
            // evcxr shows a student what cargo says, so this speaks as cargo does.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Lets the kernel end everything that is started from here at once, build scripts included. Where the
/// kernel leads no session, its guard knows one group only, and all stay in that.
fn lead_group() {
    if rustix::process::getsid(None).ok() == rustix::process::getppid() {
        // An error means that this process leads one already.
        let _ = rustix::process::setpgid(None, None);
    }
}

fn on_large_stack(work: fn() -> Result<ExitCode>) -> Result<ExitCode> {
    let thread = thread::Builder::new().stack_size(STACK).spawn(work)?;
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn run() -> Result<ExitCode> {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    let name = Path::new(&name).file_name().unwrap_or_default();
    if name == seams::WRAPPER {
        return seams::compile(&arguments);
    }
    if name == forkserver::LINKER {
        // The environment is that of rustc, which knows nothing of the installation.
        let status = forkserver::link(&Installation::of_program()?, &arguments)?;
        return Ok(exit_code(status));
    }
    let installation = Installation::from_environment()?;
    if name == forkserver::ROLE {
        return serve(&installation, &arguments);
    }
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
    let role = Role::of_environment();
    match CargoRequest::parse(arguments, &directory) {
        CargoRequest::Compile(emit) if role == Role::Analysis => compile_nothing(&directory, emit),
        CargoRequest::Compile(emit) => {
            let dependencies = match dependencies::built(installation, &directory)? {
                Ok(dependencies) => dependencies,
                Err(cargo_failed) => return Ok(cargo_failed),
            };
            if emit == Emit::Check && types::are_wanted(&directory) {
                types::learn(installation, &dependencies, &directory)?;
                return Ok(ExitCode::SUCCESS);
            }
            take_out_added(&directory)?;
            cell::compile(installation, &dependencies, &directory, emit)
        }
        CargoRequest::Metadata {
            package,
            by_rust_analyzer: true,
        } if role == Role::Cells => {
            println!("{}", role::bare_metadata(&package));
            Ok(ExitCode::SUCCESS)
        }
        CargoRequest::Metadata { package, .. } => {
            match dependencies::metadata(installation, &package)? {
                Ok(metadata) => println!("{metadata}"),
                Err(cargo_failed) => return Ok(cargo_failed),
            }
            Ok(ExitCode::SUCCESS)
        }
        // evcxr cleans when static linking is switched; nothing here depends on that.
        CargoRequest::Clean => Ok(ExitCode::SUCCESS),
        // Where no crate is known, rust-analyzer does without what it asks of the toolchain.
        CargoRequest::OfCell if role == Role::Cells => Ok(ExitCode::FAILURE),
        CargoRequest::Describe | CargoRequest::Other | CargoRequest::OfCell
            if answers::is_fixed(arguments, installation.sysroot()) =>
        {
            answers::give(installation, arguments)
        }
        CargoRequest::Describe => describe(installation, arguments),
        CargoRequest::Other | CargoRequest::OfCell => {
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
    Ok(exit_code(output.status))
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(1))
}

/// Becomes the server of the tool that is named.
fn serve(installation: &Installation, arguments: &[OsString]) -> Result<ExitCode> {
    let named = |tool: &Tool| arguments.iter().any(|word| word == tool.name());
    let tool = Tool::ALL.into_iter().find(named);
    tool.context("no tool is named")?.serve(installation)?;
    Ok(ExitCode::FAILURE)
}

/// Writes the source anew as rustc is to see it, without what only evcxr reads.
fn take_out_added(directory: &Path) -> Result<()> {
    let file = directory.join("src/lib.rs");
    let source = fs::read_to_string(&file).context("cannot read the source that evcxr wrote")?;
    let without = interleave_protocol::types::without_added(&source);
    if without != source {
        fs::write(&file, without)?;
    }
    Ok(())
}

/// Satisfies an evcxr whose cells are never run: it wants a file to name to its host.
fn compile_nothing(directory: &Path, emit: Emit) -> Result<ExitCode> {
    if let (Emit::SharedObject, Some(file)) = (emit, std::env::var_os(cell::OBJECT_PATH_ENV)) {
        let object = directory.join(format!("lib{CELL_CRATE}.so"));
        fs::write(&object, "")?;
        fs::write(file, object.as_os_str().as_encoded_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
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
