//! Descriptors that this program needs for itself. A cell that closes everything it can reach, or
//! puts something else in their place, is told that there is no such descriptor.

use std::{
    ffi::{c_int, c_uint},
    io,
    mem::ManuallyDrop,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    sync::atomic::{AtomicI32, Ordering},
};

use rustix::{
    fs::{FileType, OFlags, fcntl_getfl},
    io::fcntl_dupfd_cloexec,
};

use crate::next::Next;

/// Lowest number for private descriptors, so that a cell which opens files sees small numbers.
const LOWEST: c_int = 200;

/// No descriptor.
const NONE: c_int = -1;

/// The private descriptors: the link to the kernel and its copy, both directions to evcxr, what the
/// standard streams are restored from, and a snapshot.
static PRIVATE: [AtomicI32; 12] = [const { AtomicI32::new(NONE) }; 12];

/// Whether reading from a descriptor can wait for somebody: not from a file, which is there, nor if
/// that was declined.
pub(crate) fn may_block(fd: c_int) -> bool {
    // SAFETY: asking for the flags and the status of a number that is no descriptor is an error, and
    // no harm.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let declines = fcntl_getfl(fd).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK));
    let is_file = || {
        let status = rustix::fs::fstat(fd);
        status.is_ok_and(|status| FileType::from_raw_mode(status.st_mode) == FileType::RegularFile)
    };
    !declines && !is_file()
}

/// A private copy of a descriptor.
pub(crate) fn private(fd: impl AsFd) -> io::Result<OwnedFd> {
    let copy = fcntl_dupfd_cloexec(fd, LOWEST)?;
    let number = copy.as_raw_fd();
    let taken = PRIVATE
        .iter()
        .any(|place| replace(place, NONE, number).is_ok());
    taken
        .then_some(copy)
        .ok_or_else(|| io::Error::other("there are more private descriptors than places"))
}

/// A private descriptor that is closed when this is dropped.
pub(crate) struct Private(ManuallyDrop<OwnedFd>);

impl Private {
    pub(crate) fn new(fd: impl AsFd) -> io::Result<Self> {
        Ok(Self(ManuallyDrop::new(private(fd)?)))
    }
}

impl AsFd for Private {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        let number = self.0.as_raw_fd();
        PRIVATE.iter().for_each(|place| {
            // An error means that it is in another place.
            let _ = replace(place, number, NONE);
        });
        // SAFETY: nobody has it after this, and it is closed only here.
        unsafe { ManuallyDrop::drop(&mut self.0) };
    }
}

/// For the copy of this process that a cell's `fork` makes: it has no part in the talk between its
/// parent and the kernel. Only what a signal handler may do is done here.
pub(crate) fn close_private() {
    for place in &PRIVATE {
        let number = place.swap(NONE, Ordering::Relaxed);
        if number != NONE {
            // SAFETY: closing is memory-safe; nobody in this process uses the descriptor any more,
            // which `fork::is_child` sees to.
            unsafe { CLOSE.get()(number) };
        }
    }
}

fn replace(place: &AtomicI32, old: c_int, new: c_int) -> Result<c_int, c_int> {
    place.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed)
}

fn is_private(fd: c_int) -> bool {
    fd >= LOWEST
        && PRIVATE
            .iter()
            .any(|place| place.load(Ordering::Relaxed) == fd)
}

type Close = unsafe extern "C" fn(c_int) -> c_int;
type CloseRange = unsafe extern "C" fn(c_uint, c_uint, c_int) -> c_int;
type Duplicate = unsafe extern "C" fn(c_int, c_int) -> c_int;
type DuplicateWith = unsafe extern "C" fn(c_int, c_int, c_int) -> c_int;

// SAFETY: POSIX gives `close` this signature.
static CLOSE: Next<Close> = unsafe { Next::new(c"close") };
// SAFETY: glibc and musl give `close_range` this signature.
static CLOSE_RANGE: Next<CloseRange> = unsafe { Next::new(c"close_range") };
// SAFETY: POSIX gives `dup2` this signature.
static DUPLICATE: Next<Duplicate> = unsafe { Next::new(c"dup2") };
// SAFETY: POSIX gives `dup3` this signature.
static DUPLICATE_WITH: Next<DuplicateWith> = unsafe { Next::new(c"dup3") };

/// Answers as libc does when there is no such descriptor.
fn no_such_descriptor() -> c_int {
    // SAFETY: the address of this thread's `errno` is always valid.
    unsafe { *libc::__errno_location() = libc::EBADF };
    -1
}

/// Stands before libc's `close`.
///
/// # Safety
///
/// As libc's `close`.
#[unsafe(no_mangle)]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    if is_private(fd) {
        return no_such_descriptor();
    }
    // SAFETY: passed on unchanged.
    unsafe { CLOSE.get()(fd) }
}

/// Stands before glibc's `close_range`, which closes around the private descriptors.
///
/// # Safety
///
/// As glibc's `close_range`.
#[unsafe(no_mangle)]
unsafe extern "C" fn close_range(first: c_uint, last: c_uint, flags: c_int) -> c_int {
    for (first, last) in around_private(first, last) {
        // SAFETY: the same as the caller asked, for a part of the range.
        let result = unsafe { CLOSE_RANGE.get()(first, last, flags) };
        if result != 0 {
            return result;
        }
    }
    0
}

/// Stands before glibc's `closefrom`.
///
/// # Safety
///
/// As glibc's `closefrom`.
#[unsafe(no_mangle)]
unsafe extern "C" fn closefrom(first: c_int) {
    // SAFETY: that is what `closefrom` means.
    unsafe { close_range(first.max(0).unsigned_abs(), c_uint::MAX, 0) };
}

/// Stands before libc's `dup2`.
///
/// # Safety
///
/// As libc's `dup2`.
#[unsafe(no_mangle)]
unsafe extern "C" fn dup2(from: c_int, to: c_int) -> c_int {
    if is_private(to) {
        return no_such_descriptor();
    }
    // SAFETY: passed on unchanged.
    unsafe { DUPLICATE.get()(from, to) }
}

/// Stands before libc's `dup3`.
///
/// # Safety
///
/// As libc's `dup3`.
#[unsafe(no_mangle)]
unsafe extern "C" fn dup3(from: c_int, to: c_int, flags: c_int) -> c_int {
    if is_private(to) {
        return no_such_descriptor();
    }
    // SAFETY: passed on unchanged.
    unsafe { DUPLICATE_WITH.get()(from, to, flags) }
}

/// The parts of a range of descriptors between the private ones.
fn around_private(first: c_uint, last: c_uint) -> impl Iterator<Item = (c_uint, c_uint)> {
    let mut kept = PRIVATE
        .each_ref()
        .map(|place| c_uint::try_from(place.load(Ordering::Relaxed)).unwrap_or(c_uint::MAX));
    kept.sort_unstable();
    parts_between(first, last, kept)
}

/// The parts of a range without the numbers in `kept`, which are in order.
fn parts_between<const N: usize>(
    first: c_uint,
    last: c_uint,
    kept: [c_uint; N],
) -> impl Iterator<Item = (c_uint, c_uint)> {
    let mut next = Some(first);
    kept.into_iter()
        .map(Some)
        .chain([None])
        .filter_map(move |kept| {
            let start = next?;
            let end = match kept {
                Some(kept) if kept < start || kept > last => return None,
                Some(kept) => {
                    next = kept.checked_add(1);
                    kept.checked_sub(1)?
                }
                None => last,
            };
            (start <= end).then_some((start, end))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<const N: usize>(first: c_uint, last: c_uint, kept: [c_uint; N]) -> Vec<[c_uint; 2]> {
        let parts = parts_between(first, last, kept);
        parts.map(|(start, end)| [start, end]).collect()
    }

    #[test]
    fn a_range_is_closed_around_what_is_kept() {
        const ALL: c_uint = c_uint::MAX;
        assert_eq!(parts(3, ALL, [200, 201]), [[3, 199], [202, ALL]]);
        assert_eq!(parts(200, 200, [200]), [[0; 2]; 0]);
        assert_eq!(parts(0, 9, [0, 9]), [[1, 8]]);
        assert_eq!(parts(5, 9, [2, 7, 300]), [[5, 6], [8, 9]]);
        assert_eq!(parts(5, ALL, [ALL]), [[5, ALL - 1]]);
        assert_eq!(parts(9, 5, [7]), [[0; 2]; 0]);
    }
}
