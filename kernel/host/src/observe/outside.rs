//! Whether something from outside of the process can wake a thread: data, or a signal.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Whether nothing can come by an epoll instance, if there is one: a runtime of tokio waits there, and
/// has registered nothing but what every runtime does.
pub(super) fn is_deaf(epoll: i32) -> bool {
    let registered = fs::read_to_string(format!("/proc/self/fdinfo/{epoll}"));
    registered.is_ok_and(|text| is_only_a_runtime(&text, is_event_counter))
}

/// tokio (`runtime/io/driver.rs`) registers what wakes the thread, an eventfd, as number 0, and a
/// socket on which it hears of signals as number 1. Whatever a program registers has the address of
/// something as its number.
fn is_only_a_runtime(text: &str, is_event_counter: impl Fn(&str) -> bool) -> bool {
    let registered: Vec<(&str, &str)> = text.lines().filter_map(registration).collect();
    let wakes =
        |(descriptor, number): &(&str, &str)| *number == "0" && is_event_counter(descriptor);
    registered.iter().any(wakes) && registered.iter().all(|it| wakes(it) || it.1 == "1")
}

/// The descriptor and the number of a line such as `tfd:        8 events: 80000019 data: 1  pos:0 …`.
fn registration(line: &str) -> Option<(&str, &str)> {
    let mut words = line.strip_prefix("tfd:")?.split_whitespace();
    let descriptor = words.next()?;
    let number = words.skip_while(|word| *word != "data:").nth(1)?;
    Some((descriptor, number))
}

fn is_event_counter(descriptor: &str) -> bool {
    let leads_to = fs::read_link(format!("/proc/self/fd/{descriptor}"));
    leads_to.is_ok_and(|path| path.to_string_lossy().starts_with("anon_inode:[eventfd"))
}

/// The signals for which this program has handlers, one bit each.
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Takes those that there are now for this program's own.
pub(super) fn remember_handlers() {
    HANDLED.store(handlers().unwrap_or(u64::MAX), Relaxed);
}

/// Whether a cell has installed a handler, which might wake threads.
pub(super) fn may_signal() -> bool {
    handlers().is_none_or(|now| now & !HANDLED.load(Relaxed) != 0)
}

fn handlers() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let caught = status
        .lines()
        .find_map(|line| line.strip_prefix("SigCgt:"))?;
    u64::from_str_radix(caught.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "pos:\t0\nflags:\t02000002\nmnt_id:\t16\nino:\t2090\n";
    const WAKER: &str =
        "tfd:        4 events: 80000001 data:                0  pos:0 ino:82a sdev:10\n";
    const SIGNALS: &str =
        "tfd:        6 events: 80000019 data:                1  pos:0 ino:3c5 sdev:8\n";
    const SOCKET: &str =
        "tfd:        9 events: 8000201d data:     55d0a8a39a80  pos:0 ino:3c6 sdev:8\n";

    #[track_caller]
    fn check(lines: &[&str], expected: bool) {
        let text = format!("{HEAD}{}", lines.concat());
        assert_eq!(
            is_only_a_runtime(&text, |descriptor| descriptor == "4"),
            expected
        );
    }

    #[test]
    fn a_runtime_without_io_hears_nothing() {
        check(&[WAKER, SIGNALS], true);
        check(&[WAKER], true);
        check(&[WAKER, SIGNALS, SOCKET], false);
        // Somebody's own loop.
        check(&[], false);
        check(&[SIGNALS], false);
        check(&[&WAKER.replace(" 4 ", " 5 ")], false);
    }

    #[test]
    fn handlers_of_this_process_are_known() {
        assert!(handlers().is_some());
        remember_handlers();
        assert!(!may_signal());
    }
}
