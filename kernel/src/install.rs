//! Puts Interleave where Jupyter finds it, and takes it away again.
//!
//! An installation is a directory of its own, named by what it is made of. It is made whole before
//! the kernelspec that names it is written, so a step that fails leaves what was there before, and
//! a second run of the same version finds everything done.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use include_dir::{Dir, include_dir};
use interleave_compiler::{
    cache, dependencies, forkserver,
    installation::{Installation, Toolchain},
    seams,
};
use sha2::{Digest, Sha256};

pub mod doctor;
pub mod kernelspec;
pub mod location;

use location::Location;

const PROGRAMS: [&str; 4] = [
    "interleave",
    "interleave-host",
    "interleave-compiler",
    forkserver::LIBRARY,
];
/// Names under which evcxr, and cargo, find `interleave-compiler`.
const STAND_INS: [&str; 3] = ["cargo", "rustup", seams::WRAPPER];

static PRELUDE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/prelude");
static PROTOCOL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/protocol");
/// Pins what cells link to the versions that were tested.
const LOCK_FILE: &str = include_str!("../../Cargo.lock");

/// Marks an installation whose making was not cut short.
const COMPLETE: &str = "complete";

/// Installs, or does nothing when the same version is there already. `say` reports progress.
///
/// # Errors
///
/// When a step fails; then nothing has changed for Jupyter.
pub fn install(location: &Location, say: &dyn Fn(&str)) -> Result<PathBuf> {
    let toolchain = find_toolchain()?;
    let programs = own_programs()?;
    let home = location.data.join(fingerprint(&programs, &toolchain)?);
    if home.join(COMPLETE).exists() {
        say("the programs and the crates that cells use are in place");
    } else {
        // Made by a run that was cut short, if it is there.
        let _ = fs::remove_dir_all(&home);
        if let Err(error) = make(&home, &programs, &toolchain, say) {
            let _ = fs::remove_dir_all(&home);
            return Err(error);
        }
    }
    say("installing the kernelspec");
    kernelspec::write(&location.kernels, &home)?;
    remove_others(&location.data, &home);
    Ok(home)
}

/// Removes everything that [`install`] and the user's kernels left.
///
/// # Errors
///
/// When something is there and cannot be removed.
pub fn uninstall(location: &Location) -> Result<()> {
    let history = location::history().and_then(|file| file.parent().map(Path::to_owned));
    let cache = cache::user_directory().and_then(|cells| cells.parent().map(Path::to_owned));
    let installed = [
        location.kernels.join(kernelspec::NAME),
        location.data.clone(),
    ];
    for directory in installed.into_iter().chain(history).chain(cache) {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error)
                    .with_context(|| format!("cannot remove {}", directory.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn make(
    home: &Path,
    programs: &[PathBuf],
    toolchain: &Toolchain,
    say: &dyn Fn(&str),
) -> Result<()> {
    say("copying the programs");
    let bin = home.join("bin");
    fs::create_dir_all(&bin).with_context(|| format!("cannot create {}", bin.display()))?;
    for (name, program) in PROGRAMS.iter().zip(programs) {
        fs::copy(program, bin.join(name))
            .with_context(|| format!("cannot copy {}", program.display()))?;
    }
    fs::create_dir_all(home.join("stand-in/bin"))?;
    let links = STAND_INS.map(|name| home.join("stand-in/bin").join(name));
    let linker = home.join("stand-in/linker").join(forkserver::LINKER);
    fs::create_dir_all(home.join("stand-in/linker"))?;
    for link in links.iter().chain([&linker]) {
        symlink(bin.join("interleave-compiler"), link)?;
    }
    for (name, sources) in [("prelude", &PRELUDE), ("protocol", &PROTOCOL)] {
        let directory = home.join(name);
        fs::create_dir_all(&directory)?;
        sources.extract(&directory)?;
    }
    fs::write(home.join("Cargo.lock"), LOCK_FILE)?;
    fs::write(
        home.join("toolchain.json"),
        serde_json::to_vec_pretty(toolchain)?,
    )?;
    say("compiling the crates that cells use (about a minute)");
    let installation = Installation::open(home)?;
    let earlier = earlier_installation(home, toolchain);
    dependencies::build_template(&installation, &home.join("Cargo.lock"), earlier.as_ref())?;
    fs::write(home.join(COMPLETE), "")?;
    Ok(())
}

/// An installation beside this one, made with the same toolchain.
fn earlier_installation(home: &Path, toolchain: &Toolchain) -> Option<Installation> {
    let others = fs::read_dir(home.parent()?).ok()?.flatten();
    others
        .map(|entry| entry.path())
        .filter(|path| path != home && path.join(COMPLETE).exists())
        .find(|path| Installation::toolchain(path).is_ok_and(|other| other == *toolchain))
        .and_then(|path| Installation::open(&path).ok())
}

/// Older installations. One that cannot be removed now does no harm.
fn remove_others(data: &Path, home: &Path) {
    for entry in fs::read_dir(data).into_iter().flatten().flatten() {
        let path = entry.path();
        if path != home && path.join("toolchain.json").exists() {
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// The programs of this build: they lie side by side.
fn own_programs() -> Result<Vec<PathBuf>> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let programs = PROGRAMS.map(|name| own.with_file_name(name));
    for program in &programs {
        ensure!(
            program.exists(),
            "{} is missing: build the whole workspace first",
            program.display()
        );
    }
    Ok(programs.into())
}

/// Names an installation by its parts, so that equal ones are made once.
fn fingerprint(programs: &[PathBuf], toolchain: &Toolchain) -> Result<String> {
    let mut hash = Sha256::new();
    for program in programs {
        hash.update(
            fs::read(program).with_context(|| format!("cannot read {}", program.display()))?,
        );
    }
    // The sources and the lock file are inside the first program.
    hash.update(serde_json::to_vec(toolchain)?);
    let digest = hash.finalize();
    Ok(digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// The toolchain that `rustc` leads to, behind rustup's proxies.
fn find_toolchain() -> Result<Toolchain> {
    let sysroot = PathBuf::from(output_of("rustc", &["--print", "sysroot"])?.trim());
    let tool = |name: &str| Some(sysroot.join("bin").join(name)).filter(|path| path.exists());
    let rustc = tool("rustc").context("the Rust toolchain has no rustc")?;
    let cargo = match tool("cargo") {
        Some(cargo) => cargo,
        None => PathBuf::from("cargo"),
    };
    let version = output_of(&rustc.to_string_lossy(), &["-vV"])?;
    Ok(Toolchain {
        rustc,
        cargo,
        version,
        sysroot,
    })
}

fn output_of(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .with_context(|| format!("cannot run {program}: install Rust from https://rustup.rs"))?;
    ensure!(
        output.status.success(),
        "{program} {} fails",
        arguments.join(" ")
    );
    String::from_utf8(output.stdout).with_context(|| format!("{program} prints no UTF-8"))
}
