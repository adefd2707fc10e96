//! What a task waits for, told by the code that has kept its waker.
//!
//! Generic functions of libraries are compiled into the cell that calls them. There they have no names,
//! but lines, and so files.

use interleave_protocol::Awaited;

/// The ends of files, and what is awaited in them. See [`both`].
const FILES: [(&str, Awaited); 27] = [
    ("src/sync/mpsc/chan.rs", Awaited::Message),
    ("src/sync/mpsc/bounded.rs", Awaited::Room),
    ("src/sync/broadcast.rs", Awaited::Message),
    ("src/sync/oneshot.rs", Awaited::Message),
    ("src/sync/watch.rs", Awaited::Change),
    ("src/sync/mutex.rs", Awaited::Lock),
    ("src/sync/rwlock.rs", Awaited::Lock),
    ("src/sync/semaphore.rs", Awaited::Permit),
    ("src/sync/notify.rs", Awaited::Notification),
    ("src/sync/barrier.rs", Awaited::Barrier),
    ("src/runtime/task/join.rs", Awaited::Task),
    ("src/task/join_set.rs", Awaited::Task),
    ("src/time/sleep.rs", Awaited::Sleep),
    ("src/time/interval.rs", Awaited::Sleep),
    // Of the crates around `futures`.
    ("src/sink/feed.rs", Awaited::Room),
    ("src/sink/send.rs", Awaited::Room),
    ("src/stream/stream/next.rs", Awaited::Message),
    ("src/oneshot.rs", Awaited::Message),
    ("src/lock/mutex.rs", Awaited::Lock),
    ("src/lock/bilock.rs", Awaited::Lock),
    // Of tokio's, where something is generic over what is read.
    ("src/io/poll_evented.rs", Awaited::Io),
    ("src/io/async_fd.rs", Awaited::Io),
    // Of the prelude.
    ("src/asyncio/sleep.rs", Awaited::Sleep),
    ("src/asyncio/task.rs", Awaited::Task),
    ("src/asyncio/future.rs", Awaited::Job),
    ("src/concurrent/futures/future.rs", Awaited::Job),
    ("src/concurrent/futures/future/inside.rs", Awaited::Job),
];

/// What is awaited by code inside other code: the inner one knows, but that a barrier is made of a
/// `watch` channel.
pub(in super::super) fn both(inner: Option<Awaited>, outer: Option<Awaited>) -> Option<Awaited> {
    outer
        .filter(|outer| *outer == Awaited::Barrier)
        .or(inner)
        .or(outer)
}

/// What is awaited in the code of such a file; `None` if that is not known.
pub(in super::super) fn in_file(file: &str) -> Option<Awaited> {
    let is_it = |end: &str| {
        let before = file.strip_suffix(end);
        before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    let mut known = FILES.iter();
    known.find(|(end, _)| is_it(end)).map(|(_, awaits)| *awaits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_a_library_says_what_is_awaited_in_it() {
        let tokio = "/home/ada/.cargo/registry/src/index/tokio-1.53.1/src/sync/mpsc/chan.rs";
        assert_eq!(in_file(tokio), Some(Awaited::Message));
        assert_eq!(in_file("src/sync/mutex.rs"), Some(Awaited::Lock));
        assert_eq!(in_file("/x/my_src/sync/mutex.rs"), None);
        let barrier = both(Some(Awaited::Change), in_file("src/sync/barrier.rs"));
        assert_eq!(barrier, Some(Awaited::Barrier));
        assert_eq!(
            both(Some(Awaited::Lock), Some(Awaited::Task)),
            Some(Awaited::Lock)
        );
        assert_eq!(in_file("/rustc/1/library/core/src/future/poll_fn.rs"), None);
    }
}
