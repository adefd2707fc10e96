//! Reads what the threads noted, and puts it into words that the kernel understands.

use std::{
    ffi::{CStr, OsStr, c_void},
    fs,
    mem::MaybeUninit,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::atomic::Ordering::Relaxed,
};

use interleave_protocol::{Awaited, CodeAddress, FutexUse, Thread, ThreadKind, ThreadState};

use super::{
    frames::{Frame, Trace},
    registry::{self, OWN_NAME, Slot},
    waiting::{Waiting, now},
};

/// evcxr 0.22 (`module.rs`, `compile`) renames the object of each cell to this and a number.
const CELL_OBJECT: &str = "libcode_";

/// The threads that live now, oldest first, and how many more there are than can be told apart.
pub(crate) fn threads() -> (Vec<Thread>, usize) {
    let (slots, unseen) = registry::living();
    let mut threads: Vec<Thread> = slots.filter_map(describe).collect();
    threads.sort_by_key(|thread| thread.number);
    (threads, unseen)
}

/// `None` for a thread that ended while it was looked at.
pub(super) fn describe(slot: &Slot) -> Option<Thread> {
    let number = slot.number.load(Relaxed);
    let noted = slot.waiting.read();
    let birth = symbols(&slot.birth.addresses());
    let name = slot.name();
    let at = noted
        .as_ref()
        .map_or_else(Vec::new, |noted| symbols(&noted.at));
    let thread = Thread {
        number,
        kind: kind(slot, name.as_deref()),
        name,
        cell: slot.cell.load(Relaxed),
        birth: places(&birth),
        state: match noted.as_ref().and_then(|noted| noted.waiting) {
            Some(waiting) => state(waiting, &at, now()),
            None => ThreadState::Running,
        },
        at: places(&at),
        since: noted.map_or(0.0, |noted| seconds_between(noted.since, now())),
        cpu: cpu_time(slot.id.load(Relaxed)),
    };
    // One that was left behind is as good as ended.
    (slot.is_thread(number) && !slot.fate.is_left()).then_some(thread)
}

/// Whose a thread is.
pub(super) fn kind_of(slot: &Slot) -> ThreadKind {
    kind(slot, slot.name().as_deref())
}

/// What a thread with these callers waits for at a futex, and whether code of a cell is among them.
pub(super) fn use_of_futex(callers: &[usize], is_timed: bool) -> (FutexUse, bool) {
    let symbols = symbols(callers);
    (futex_use(&symbols, is_timed), !places(&symbols).is_empty())
}

pub(super) fn kind(slot: &Slot, name: Option<&str>) -> ThreadKind {
    // The second as the system cuts it off: `ThreadPoolExecutor-0_0`.
    const POOLS: [&str; 2] = ["tokio-", "ThreadPoolExecu"];
    let name = name.unwrap_or_default();
    if slot.runs_cells.load(Relaxed) {
        ThreadKind::Cells
    } else if name.starts_with(OWN_NAME) {
        ThreadKind::Own
    } else if slot.is_shared.load(Relaxed) || POOLS.iter().any(|pool| name.starts_with(pool)) {
        ThreadKind::Pool
    } else {
        ThreadKind::Student
    }
}

/// What a thread does that waits, seen at a time; `at` is where.
pub(crate) fn state<'a>(
    waiting: Waiting,
    at: impl IntoIterator<Item = &'a Symbol>,
    time: u64,
) -> ThreadState {
    let seconds = |until| seconds_between(time, until);
    match waiting {
        Waiting::Sleep { until } => ThreadState::Sleeping {
            seconds: seconds(until),
        },
        Waiting::Futex { address, until } => ThreadState::Futex {
            address,
            used_by: futex_use(at, until.is_some()),
            seconds: until.map(seconds),
        },
        Waiting::Join { handle } => ThreadState::Joining {
            thread: registry::number_of(handle),
        },
        Waiting::Io => ThreadState::Io,
        Waiting::Process => ThreadState::Process,
        Waiting::Input => ThreadState::Input,
    }
}

/// What waits at a futex is told by the names of the functions that led there. In libstd they are
/// `sys::sync::…`, in parking_lot the slow ways of the same types.
fn futex_use<'a>(at: impl IntoIterator<Item = &'a Symbol>, is_timed: bool) -> FutexUse {
    const USES: [(&[&str], FutexUse); 9] = [
        (&["once5futex"], FutexUse::Once),
        (&["ondvar", "wait"], FutexUse::Condvar),
        (&["Barrier", "wait"], FutexUse::Condvar),
        (&["lock_contended"], FutexUse::Lock),
        (&["lock_slow"], FutexUse::Lock),
        (&["raw_rwlock"], FutexUse::Lock),
        (&["raw_mutex"], FutexUse::Lock),
        (&["_contended"], FutexUse::Lock),
        (&["park"], FutexUse::Park),
    ];
    // The nearest function that says something does: a condition variable of parking_lot parks.
    let mut at = at.into_iter().peekable();
    let is_of_std = at
        .peek()
        .is_some_and(|symbol| symbol.name.contains("futex_wait"));
    let named = at.find_map(|symbol| {
        let says = |words: &&[&str]| words.iter().all(|word| symbol.name.contains(word));
        USES.iter()
            .find(|(words, _)| says(words))
            .map(|(_, used)| *used)
    });
    // Of libstd's waits that have an end, the one of a condition variable is inlined.
    let inlined = (is_timed && is_of_std).then_some(FutexUse::Condvar);
    named.or(inlined).unwrap_or(FutexUse::Unknown)
}

/// What a task waits for is told by the names of the functions of tokio that have kept its waker.
/// Only those that are not generic have one here: the others are compiled into cells, and the kernel
/// knows the files that they come from.
pub(crate) fn awaited<'a>(keepers: impl IntoIterator<Item = &'a Symbol>) -> Option<Awaited> {
    const KEEPERS: [(&str, Awaited); 7] = [
        ("4sync9semaphore", Awaited::Permit),
        ("Sleep", Awaited::Sleep),
        ("oneshot", Awaited::Message),
        ("can_read_output", Awaited::Task),
        ("Notified", Awaited::Notification),
        ("scheduled_io", Awaited::Io),
        ("registration", Awaited::Io),
    ];
    keepers.into_iter().find_map(|symbol| {
        let mut known = KEEPERS.iter();
        let known = known.find(|(part, _)| symbol.name.contains(part))?;
        Some(known.1)
    })
}

/// The same by the addresses in those functions.
pub(super) fn awaited_at(keepers: &[usize]) -> Option<Awaited> {
    awaited(&symbols(keepers))
}

/// Seconds from one time to another, 0 when that one is over.
fn seconds_between(from: u64, to: u64) -> f64 {
    std::time::Duration::from_nanos(to.saturating_sub(from)).as_secs_f64()
}

/// Whether the system has the thread run, or will as soon as a processor is free. One that has not begun
/// goes on; one that was left behind never does.
pub(super) fn goes_on(slot: &Slot) -> bool {
    if slot.fate.is_left() {
        return false;
    }
    let id = slot.id.load(Relaxed);
    if id == 0 {
        return true;
    }
    // It has ended if the file is missing.
    let status = fs::read(format!("/proc/self/task/{id}/stat")).unwrap_or_default();
    state_in(&status).is_some_and(|state| matches!(state, b'R' | b'D'))
}

/// The letter for what a thread does, in proc_pid_stat(5): the first one behind the name, which is in
/// brackets and may have some itself.
fn state_in(status: &[u8]) -> Option<u8> {
    let end = status.iter().rposition(|byte| *byte == b')')?;
    status.get(end + 2).copied()
}

/// Processor time of a thread, in seconds.
pub(super) fn cpu_time(id: i32) -> f64 {
    // Linux, `include/linux/posix-timers_types.h`: the clock of one thread (4) that counts what the
    // scheduler gave it (2).
    let clock = (!id << 3) | 4 | 2;
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is writable. There is no such clock when the thread has ended: time stays 0.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    seconds_between(0, super::waiting::nanoseconds(time))
}

/// Where an address lies.
#[derive(Debug)]
pub(crate) struct Symbol {
    object: PathBuf,
    offset: u64,
    /// Mangled; empty when the object does not say.
    name: String,
}

fn symbols(addresses: &[usize]) -> Vec<Symbol> {
    addresses
        .iter()
        .filter_map(|address| symbol(*address))
        .collect()
}

/// What lies at a return address.
pub(crate) fn symbol(address: usize) -> Option<Symbol> {
    let mut info = MaybeUninit::<libc::Dl_info>::uninit();
    // A return address may lie behind its function, if that function never returns.
    let inside = address.checked_sub(1)?;
    // SAFETY: `info` is writable; the address may be anything.
    let found = unsafe { libc::dladdr(inside as *const c_void, info.as_mut_ptr()) };
    if found == 0 {
        return None;
    }
    // SAFETY: `dladdr` has filled it.
    let info = unsafe { info.assume_init() };
    let text = |pointer: *const std::ffi::c_char| {
        // SAFETY: a string of an object that is loaded. None is ever unloaded but by a cell that
        // loads objects of its own, and has no code of theirs on its stack then.
        (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_bytes())
    };
    Some(Symbol {
        object: OsStr::from_bytes(text(info.dli_fname)?).into(),
        offset: (inside - info.dli_fbase.addr()) as u64,
        name: String::from_utf8_lossy(text(info.dli_sname).unwrap_or_default()).into_owned(),
    })
}

/// Where in cells the calling thread is.
pub(super) fn calling(caller: Frame) -> Vec<CodeAddress> {
    let trace = Trace::new();
    trace.take(caller);
    in_cells(&trace.addresses())
}

/// Those that lie in cells.
pub(super) fn in_cells(addresses: &[usize]) -> Vec<CodeAddress> {
    places(&symbols(addresses))
}

/// Those that lie in cells.
pub(crate) fn places<'a>(symbols: impl IntoIterator<Item = &'a Symbol>) -> Vec<CodeAddress> {
    let is_cell = |symbol: &&Symbol| {
        let name = symbol.object.file_name().unwrap_or_default();
        name.as_bytes().starts_with(CELL_OBJECT.as_bytes())
    };
    let inside = symbols.into_iter().filter(is_cell);
    inside
        .map(|symbol| CodeAddress {
            object: symbol.object.to_string_lossy().into_owned(),
            offset: symbol.offset,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_of_a_thread_stands_behind_its_name() {
        assert_eq!(state_in(b"12 (worker) S 1 2"), Some(b'S'));
        assert_eq!(state_in(b"12 (a) R (b)) R 1 2"), Some(b'R'));
        assert_eq!(state_in(b"12 (a)"), None);
        assert_eq!(state_in(b""), None);
    }
}
