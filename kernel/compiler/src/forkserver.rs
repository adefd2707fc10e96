//! Tools that are loaded already: rustc, and the linker that it calls.
//!
//! The kernel starts a server for each ([`Tool::serve`]), which forks for each call; see the crate
//! `interleave-forkserver`. Where there is none, or it is not the tool that lies on the disk now, the tool
//! is started as usual.

mod copy;

use std::{
    collections::BTreeMap,
    ffi::{CString, OsString},
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            ffi::{OsStrExt, OsStringExt},
            process::CommandExt,
        },
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output},
};

use anyhow::{Context, Result};
use interleave_protocol::{
    FORKSERVER_IDENTITY_ENV, FORKSERVER_SOCKET_ENV, ForkRequest, MOST_OF_REQUEST, WORKSPACE_ENV,
};
use rustix::{
    fs::{Mode, OFlags},
    process::{Resource, getpgrp, getrlimit},
};
use sha2::{Digest, Sha256};

use self::copy::Running;
use crate::{
    cache::{Question, hex},
    installation::Installation,
};

/// Environment variable: `off` starts each tool anew.
pub const SWITCH: &str = "INTERLEAVE_FORKSERVER";

/// Name under which the linker's driver finds this program, which then asks the server of the linker.
pub const LINKER: &str = "ld.lld";

/// Name under which this program becomes a server.
pub const ROLE: &str = "forkserver";

/// The library that makes a server of a tool, beside the programs.
pub const LIBRARY: &str = "libinterleave_forkserver.so";

/// A tool that can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The compiler.
    Rustc,
    /// The linker that comes with it, where rustc uses that by default.
    Linker,
}

/// Whether tools are to be served.
pub fn is_on() -> bool {
    std::env::var_os(SWITCH).is_none_or(|value| value != "off")
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Rustc, Self::Linker];

    /// Its word for a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rustc => "rustc",
            Self::Linker => "linker",
        }
    }

    /// The program itself, if it is there.
    fn program(self, installation: &Installation) -> Option<PathBuf> {
        let program = match self {
            Self::Rustc => installation.rustc.clone(),
            Self::Linker => tools_of_target(installation)?.join("rust-lld"),
        };
        program.exists().then_some(program)
    }

    fn socket(self) -> Option<PathBuf> {
        let workspace = PathBuf::from(std::env::var_os(WORKSPACE_ENV)?);
        Some(workspace.join(format!("{}.sock", self.name())))
    }

    /// What the tool and the libraries that it loads are now.
    fn identity(program: &Path, installation: &Installation) -> String {
        let mut question = Question::default();
        question.add_file(program);
        question.add_directory(&installation.sysroot().join("lib"));
        hex(&Sha256::digest(question.bytes()))
    }

    /// Becomes the server. It ends when its standard input does.
    ///
    /// # Errors
    ///
    /// When the tool is not there or cannot be started.
    pub fn serve(self, installation: &Installation) -> Result<()> {
        let program = self
            .program(installation)
            .context("there is no such tool")?;
        let socket = self.socket().context("there is no workspace")?;
        // One that was ended has left it.
        let _ = fs::remove_file(&socket);
        let mut command = Command::new(&program);
        installation.restore_environment(&mut command);
        let error = command
            .env("LD_PRELOAD", installation.home.join("bin").join(LIBRARY))
            .env(FORKSERVER_SOCKET_ENV, socket)
            .env(
                FORKSERVER_IDENTITY_ENV,
                Self::identity(&program, installation),
            )
            .exec();
        Err(error).with_context(|| format!("cannot run {}", program.display()))
    }

    /// What a command of this tool writes, all of it on standard error, and how it ends. Its standard input
    /// is empty. `None` if the server cannot.
    ///
    /// The pipe is nobody else's: a server that is stopped keeps the descriptors that it was sent, and who
    /// waits for the end of such a stream would wait for the server.
    fn output(
        self,
        installation: &Installation,
        command: &Command,
        enough: &dyn Fn(&[u8]) -> bool,
    ) -> Option<Output> {
        let nothing = fs::File::open("/dev/null").ok()?;
        let (reader, writer) = io::pipe().ok()?;
        let streams = [nothing.as_fd(), writer.as_fd(), writer.as_fd()];
        let running = self.run(installation, command, streams)?;
        drop(writer);
        let (stderr, is_enough) = read(reader, enough).ok()?;
        if is_enough {
            running.end();
        }
        Some(Output {
            status: running.status()?,
            stdout: Vec::new(),
            stderr,
        })
    }

    /// Runs a command of this tool with these standard streams; `None` if the server cannot.
    fn run(
        self,
        installation: &Installation,
        command: &Command,
        streams: [BorrowedFd<'_>; 3],
    ) -> Option<Running> {
        if !is_on() {
            return None;
        }
        let program = self.program(installation)?;
        let request = ForkRequest {
            identity: Self::identity(&program, installation),
            arguments: arguments(command)?,
            environment: environment(command)?,
            group: getpgrp().as_raw_nonzero().get(),
            data: getrlimit(Resource::Data).current,
            seconds: getrlimit(Resource::Cpu).current,
        };
        let request = serde_json::to_vec(&request).ok()?;
        if request.len() > MOST_OF_REQUEST {
            return None;
        }
        let directory = command.get_current_dir().unwrap_or(Path::new("."));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(directory, flags, Mode::empty()).ok()?;
        let [input, output, error] = streams;
        let descriptors = [directory.as_fd(), input, output, error];
        Running::begin(&self.socket()?, &request, &descriptors)
    }
}

/// What rustc says on standard error, and how it ends. It is ended when it has said a line that is
/// `enough`. `None` if the server cannot, or has ended or was stopped meanwhile.
pub(crate) fn output_of_rustc(
    installation: &Installation,
    command: &Command,
    enough: &dyn Fn(&[u8]) -> bool,
) -> Option<Output> {
    Tool::Rustc.output(installation, command, enough)
}

/// Reads to the end, or to a line that is `enough`. Returns whether there was one.
pub(crate) fn read(
    reader: impl Read,
    enough: &dyn Fn(&[u8]) -> bool,
) -> io::Result<(Vec<u8>, bool)> {
    let mut reader = BufReader::new(reader);
    let mut said = Vec::new();
    loop {
        let start = said.len();
        if reader.read_until(b'\n', &mut said)? == 0 {
            return Ok((said, false));
        }
        if enough(&said[start..]) {
            return Ok((said, true));
        }
    }
}

/// Links, as the program that rustc has for that would.
///
/// # Errors
///
/// When the linker cannot be run.
pub fn link(installation: &Installation, arguments: &[OsString]) -> Result<ExitStatus> {
    let linker = Tool::Linker.program(installation);
    let linker = linker.context("this toolchain has no linker of its own")?;
    let mut command = Command::new(linker);
    command.args(["-flavor", "gnu"]).args(arguments);
    match Tool::Linker.output(installation, &command, &|_| false) {
        Some(output) => {
            io::stderr().write_all(&output.stderr)?;
            Ok(output.status)
        }
        None => command.status().context("cannot run the linker"),
    }
}

/// What makes rustc call [`link`], where it would call the same linker: on this platform it is the default,
/// behind the same options (`add_lld_args` in `rustc_codegen_ssa`).
pub(crate) fn linker_arguments(installation: &Installation) -> Vec<OsString> {
    let is_default = cfg!(all(target_arch = "x86_64", target_env = "gnu"));
    if !is_default || !is_on() || Tool::Linker.program(installation).is_none() {
        return Vec::new();
    }
    let mut directory = OsString::from("-Clink-arg=-B");
    directory.push(installation.linker_directory());
    vec![
        "-Clinker-features=-lld".into(),
        "-Clink-arg=-fuse-ld=lld".into(),
        directory,
    ]
}

fn tools_of_target(installation: &Installation) -> Option<PathBuf> {
    let target = env!("INTERLEAVE_TARGET");
    let tools = installation
        .sysroot()
        .join("lib/rustlib")
        .join(target)
        .join("bin");
    // What rustc uses to call it; without that it would be called otherwise.
    tools.join("gcc-ld").join(LINKER).exists().then_some(tools)
}

fn arguments(command: &Command) -> Option<Vec<CString>> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(|word| CString::new(word.as_bytes()).ok())
        .collect()
}

fn environment(command: &Command) -> Option<Vec<CString>> {
    let mut variables: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => _ = variables.insert(name.to_owned(), value.to_owned()),
            None => _ = variables.remove(name),
        }
    }
    variables
        .into_iter()
        .map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            CString::new(name.into_vec()).ok()
        })
        .collect()
}
