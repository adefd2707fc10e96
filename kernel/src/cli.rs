//! The command line.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use interleave_compiler::installation::Installation;
use tokio::{
    runtime::Handle,
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::{AbortHandle, yield_now},
    time::{Duration, timeout},
};
use tracing::{error, warn};
use tracing_subscriber::EnvFilter;

#[cfg(feature = "evcxr")]
use crate::evaluator::{
    evcxr::{self, Workspace},
    unavailable,
};

use crate::{
    connection,
    evaluator::{Controls, Factory, scripted},
    install::{
        self, doctor,
        location::{self, Location},
    },
    lifeline,
    server::{self, Config, Signal},
    session::KernelInfo,
    sockets::Sockets,
};

/// A Jupyter kernel for Rust, made for learning concurrency.
#[derive(Debug, Parser)]
#[command(name = "interleave", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve one kernel. Jupyter calls this.
    Kernel(KernelArgs),
    /// Answer a kernel's questions about code. The kernel calls this.
    #[cfg(feature = "evcxr")]
    #[command(hide = true)]
    Analyse,
    /// Install the kernel for Jupyter. `install.sh` calls this.
    Install(Place),
    /// Remove everything that `install` made.
    Uninstall(Place),
    /// Check an installation and say what to repair.
    Doctor(Place),
}

/// Where an installation is.
#[derive(Debug, Args)]
struct Place {
    /// Below this directory, such as a virtual environment [default: for the current user].
    #[arg(long, value_name = "DIRECTORY")]
    prefix: Option<PathBuf>,
}

impl Place {
    fn location(&self) -> anyhow::Result<Location> {
        match &self.prefix {
            Some(prefix) => Location::of_prefix(prefix),
            None => Location::of_user(),
        }
    }
}

#[derive(Debug, Args)]
struct KernelArgs {
    /// The file in which Jupyter says where to listen.
    #[arg(long = "connection-file", short = 'f', value_name = "FILE")]
    connection_file: Option<PathBuf>,
    /// The same, without the option.
    #[arg(
        value_name = "FILE",
        conflicts_with = "connection_file",
        required_unless_present = "connection_file"
    )]
    file: Option<PathBuf>,
    /// Where to keep the history of cells [default: a file in the user's state directory].
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
    /// What runs the cells.
    #[arg(long, hide = true, value_enum, default_value_t)]
    evaluator: EvaluatorKind,
}

/// What can run cells.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum EvaluatorKind {
    /// Rust.
    #[cfg(feature = "evcxr")]
    Evcxr,
    /// A trivial language, for tests.
    Scripted,
}

impl Default for EvaluatorKind {
    /// The first.
    fn default() -> Self {
        EvaluatorKind::value_variants()[0]
    }
}

impl EvaluatorKind {
    /// Prepares the evaluator. It is built later, on a thread of its own.
    fn start(self) -> (Controls, Factory) {
        match self {
            #[cfg(feature = "evcxr")]
            Self::Evcxr => start_evcxr(),
            Self::Scripted => scripted::start(),
        }
    }
}

/// Starts this program again, in its workspace, when it is not there yet. A student who opens a
/// notebook on a damaged installation reads the reason in the first cell.
#[cfg(feature = "evcxr")]
fn start_evcxr() -> (Controls, Factory) {
    let start = || {
        let installation = Installation::of_program()?;
        let workspace = Workspace::enter(&installation)?;
        evcxr::start(installation, workspace)
    };
    start().unwrap_or_else(|error| unavailable(&error))
}

/// Parses the arguments and does what they say. An error is one line on standard error.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    let result = match cli.command {
        Command::Kernel(args) => kernel(&args).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "evcxr")]
        Command::Analyse => analyse().map(|()| ExitCode::SUCCESS),
        Command::Install(place) => install_kernel(&place),
        Command::Uninstall(place) => uninstall_kernel(&place),
        Command::Doctor(place) => examine(&place),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// An interrupt of the process group is the kernel's affair.
#[cfg(feature = "evcxr")]
fn analyse() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot start the runtime")?;
    // While the stream is there, the signal does not end the process.
    let _interrupt = runtime.block_on(async { signal(SignalKind::interrupt()) })?;
    // Cells come first. Without the lower priority everything works, too.
    let _ = rustix::process::nice(5);
    evcxr::serve_analysis()
}

fn install_kernel(place: &Place) -> anyhow::Result<ExitCode> {
    let home = install::install(&place.location()?, &|step| println!("{step}"))?;
    println!("installed in {}", home.display());
    Ok(ExitCode::SUCCESS)
}

fn uninstall_kernel(place: &Place) -> anyhow::Result<ExitCode> {
    install::uninstall(&place.location()?)?;
    println!("removed");
    Ok(ExitCode::SUCCESS)
}

fn examine(place: &Place) -> anyhow::Result<ExitCode> {
    let findings = doctor::examine(&place.location()?);
    for finding in &findings {
        println!("{finding}");
    }
    let healthy = findings.iter().all(|finding| finding.result.is_ok());
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn log_to_stderr() {
    // What rust-analyzer logs is for its own authors, so silence is the default for libraries.
    let filter = EnvFilter::try_from_env("INTERLEAVE_LOG")
        .unwrap_or_else(|_| EnvFilter::new("off,interleave_kernel=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}

fn kernel(args: &KernelArgs) -> anyhow::Result<()> {
    let file = args.connection_file.as_deref().or(args.file.as_deref());
    let connection = connection::read(file.unwrap_or(Path::new("")))?;
    let evaluator = args.evaluator.start();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        // Signals first: from here on, none ends the process before it has cleaned up.
        let (sender, signals) = mpsc::unbounded_channel();
        let forwarding = forward_signals(sender)?;
        let sockets = Sockets::bind(&connection).await?;
        let config = Config {
            info: kernel_info(),
            history: args.history.clone().or_else(location::history),
        };
        let result = server::serve(sockets, evaluator, config, signals).await;
        forwarding.abort();
        writers_ended().await;
        result
    })
}

fn kernel_info() -> KernelInfo {
    let version = env!("CARGO_PKG_VERSION");
    let link = |text: &str, url: &str| (text.to_owned(), url.to_owned());
    KernelInfo {
        version: version.into(),
        language_version: rust_version()
            .unwrap_or_else(|| env!("CARGO_PKG_RUST_VERSION").to_owned()),
        banner: format!("Interleave {version}: Rust, one cell at a time"),
        help_links: vec![
            link("The Rust Book", "https://doc.rust-lang.org/book/"),
            link("Standard Library", "https://doc.rust-lang.org/std/"),
        ],
    }
}

/// The version of the Rust that cells are written in: `1.95.0` of `rustc 1.95.0 (… 2026-04-14)`.
fn rust_version() -> Option<String> {
    let home = Installation::of_program().ok()?.home;
    let version = Installation::toolchain(&home).ok()?.version;
    version.split_whitespace().nth(1).map(str::to_owned)
}

/// Turns what happens to this process into wishes of the kernel's.
fn forward_signals(wishes: mpsc::UnboundedSender<Signal>) -> anyhow::Result<AbortHandle> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?;
    let task = tokio::spawn(async move {
        let mut ended = std::pin::pin!(lifeline::parent_gone());
        loop {
            let wish = tokio::select! {
                // `jupyter console` sends it to the whole process group.
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Stop,
                () = &mut ended => Signal::Stop,
            };
            if wishes.send(wish).is_err() || wish == Signal::Stop {
                return;
            }
        }
    });
    Ok(task.abort_handle())
}

/// ZeroMQ writes to clients, and removes its files, in tasks of its own, which end after their
/// socket. The last reply is out when no task is left; a client that does not read it is not waited
/// for.
async fn writers_ended() {
    let metrics = Handle::current().metrics();
    let ended = async {
        while metrics.num_alive_tasks() > 0 {
            yield_now().await;
        }
    };
    if timeout(Duration::from_secs(1), ended).await.is_err() {
        warn!("a client has not read the last messages");
    }
}
