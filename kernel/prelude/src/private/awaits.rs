//! Notes where a future waits, so that one that waits for ever has a line.
//!
//! A future that waits is on no stack. But while it is polled it is, and what it waits for clones the
//! waker, in order to call it later. So an executor of the prelude polls with a waker that notes who
//! clones it, and whose clones are those of the real one.

use std::{
    arch::asm,
    mem::ManuallyDrop,
    ptr,
    task::{Context, RawWaker, RawWakerVTable, Waker},
};

use crate::{host, trace};

/// Polls, and notes where the future waits then.
pub(crate) fn poll_noting<R>(waker: &Waker, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
    // A panic leaves it at that: nobody polls the future again.
    host::polls_root(true);
    let polled = poll_with(waker, &NOTING, poll);
    host::polls_root(false);
    polled
}

/// The same for a task, which is one of several on its thread.
pub(crate) fn poll_task<R>(waker: &Waker, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
    poll_with(waker, &NOTING_OF_TASK, poll)
}

fn poll_with<R>(
    waker: &Waker,
    table: &'static RawWakerVTable,
    poll: impl FnOnce(&mut Context<'_>) -> R,
) -> R {
    let data = ptr::from_ref(waker).cast();
    // SAFETY: the functions of the table take the pointer for a reference to a `Waker`, which it is
    // for as long as this function runs. The new waker cannot be kept for longer: only its clones
    // can, and they are clones of the real one. They are as safe to share as that one.
    let noting = ManuallyDrop::new(unsafe { Waker::new(data, table) });
    poll(&mut Context::from_waker(&noting))
}

/// For tokio, too, where a thread is blocked on a future.
pub(crate) static NOTING: RawWakerVTable = RawWakerVTable::new(note_and_clone, wake, wake, |_| {});

/// For tokio, too, which polls its tasks with it: see `seams/tokio.rs.in` of the compiler.
pub(crate) static NOTING_OF_TASK: RawWakerVTable =
    RawWakerVTable::new(note_of_task_and_clone, wake, wake, |_| {});

fn note_and_clone(data: *const ()) -> RawWaker {
    host::note_await_at(frame());
    note_of_task_and_clone(data)
}

fn note_of_task_and_clone(data: *const ()) -> RawWaker {
    trace::awaits(frame());
    // SAFETY: see `poll_with`.
    let clone = ManuallyDrop::new(unsafe { &*data.cast::<Waker>() }.clone());
    RawWaker::new(clone.data(), clone.vtable())
}

fn wake(data: *const ()) {
    // SAFETY: see `poll_with`.
    unsafe { &*data.cast::<Waker>() }.wake_by_ref();
}

/// The frame of this function or, where it has none of its own, of a caller.
fn frame() -> usize {
    let frame;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: reads a register.
    unsafe {
        asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags));
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: as above.
    unsafe {
        asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags));
    }
    frame
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering::Relaxed},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn a_clone_is_one_of_the_real_waker_and_outlives_the_poll() {
        let counter = Arc::new(Counter::default());
        let real = Waker::from(Arc::clone(&counter));
        let kept = poll_noting(&real, |cx| {
            cx.waker().wake_by_ref();
            cx.waker().clone()
        });
        assert!(kept.will_wake(&real));
        assert_eq!(
            (counter.0.load(Relaxed), Arc::strong_count(&counter)),
            (1, 3)
        );
        kept.wake();
        assert_eq!(
            (counter.0.load(Relaxed), Arc::strong_count(&counter)),
            (2, 2)
        );
    }
}
