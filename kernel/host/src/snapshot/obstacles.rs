//! What a copy of this process could not have, or would disturb.

use std::{
    collections::HashMap,
    fs,
    io::{self, BufRead, BufReader},
    os::fd::{BorrowedFd, RawFd},
    sync::{Mutex, PoisonError},
};

use interleave_protocol::NoSnapshot;
use rustix::{fs::FileType, io::Errno, process::WaitIdOptions};

use crate::{observe, service};

/// A copy shares memory with the original until one of them writes to it. Beyond this many bytes,
/// making it takes longer than some milliseconds, and each first write to a page costs more.
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

/// Descriptors that this program has for itself, with what they lead to.
static OWN: Mutex<Option<HashMap<RawFd, Identity>>> = Mutex::new(None);

type Identity = (u64, u64);

/// Takes every descriptor that is open now for this program's own.
pub(super) fn expect_descriptors() -> io::Result<()> {
    let mut own = HashMap::new();
    for number in descriptors()? {
        if let Ok(stat) = status(number) {
            own.insert(number, (stat.st_dev, stat.st_ino));
        }
    }
    *OWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(own);
    Ok(())
}

/// Why a copy of the process would not do, if so.
pub(super) fn find() -> io::Result<Option<NoSnapshot>> {
    if let Some(count) = foreign_threads()? {
        let cells = observe::cells_of_others();
        return Ok(Some(NoSnapshot::Threads { count, cells }));
    }
    if has_children()? {
        return Ok(Some(NoSnapshot::Programs));
    }
    if let Some(bytes) = large_memory()? {
        return Ok(Some(NoSnapshot::Memory { bytes }));
    }
    Ok(has_open_ends()?.then_some(NoSnapshot::Descriptors))
}

/// Threads are not copied. The caller's is the one that is.
fn foreign_threads() -> io::Result<Option<usize>> {
    let all = fs::read_dir("/proc/self/task")?.count();
    let foreign = all.saturating_sub(service::count() + 1);
    Ok((foreign > 0).then_some(foreign))
}

/// A program that a cell started is a child of this process and would be none of a copy, which could
/// not wait for its end.
fn has_children() -> io::Result<bool> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    match rustix::process::waitid(rustix::process::WaitId::All, options) {
        Ok(_) => Ok(true),
        Err(Errno::CHILD) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The memory that this process shares with no file, in bytes, if it is much.
fn large_memory() -> io::Result<Option<u64>> {
    let text = fs::read_to_string("/proc/self/statm")?;
    let mut pages = text.split(' ').map(|field| field.trim().parse::<u64>());
    let (Some(_), Some(Ok(resident)), Some(Ok(shared))) =
        (pages.next(), pages.next(), pages.next())
    else {
        return Err(io::Error::other("/proc/self/statm cannot be read"));
    };
    let bytes = resident.saturating_sub(shared) * rustix::param::page_size() as u64;
    Ok((bytes > MOST_MEMORY).then_some(bytes))
}

/// Whether a cell holds something whose closing others notice: a pipe, a socket, a locked file. The
/// copy would hold it, too, so that closing it in the cell would close nothing.
fn has_open_ends() -> io::Result<bool> {
    let own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(own) = own.as_ref() else {
        return Ok(true);
    };
    for number in descriptors()? {
        // An error means that it was the one by which the directory was read.
        let Ok(stat) = status(number) else { continue };
        let is_own = own.get(&number) == Some(&(stat.st_dev, stat.st_ino));
        if !is_own && is_open_end(number, &stat)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_open_end(number: RawFd, stat: &rustix::fs::Stat) -> io::Result<bool> {
    /// The null device, the sources of random numbers and the like.
    const MEMORY_DEVICES: u32 = 1;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Ok(false),
        FileType::RegularFile => is_locked(number),
        FileType::CharacterDevice => Ok(rustix::fs::major(stat.st_rdev) != MEMORY_DEVICES),
        _ => Ok(true),
    }
}

fn is_locked(number: RawFd) -> io::Result<bool> {
    let information = fs::File::open(format!("/proc/self/fdinfo/{number}"))?;
    let mut lines = BufReader::new(information).lines();
    Ok(lines.any(|line| line.is_ok_and(|line| line.starts_with("lock:"))))
}

fn status(number: RawFd) -> rustix::io::Result<rustix::fs::Stat> {
    // SAFETY: asking for the status of a number that is no descriptor is an error, and no harm.
    rustix::fs::fstat(unsafe { BorrowedFd::borrow_raw(number) })
}

fn descriptors() -> io::Result<Vec<RawFd>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        let name = entry?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.parse().ok()) {
            numbers.push(number);
        }
    }
    Ok(numbers)
}
