//! The tokio runtime that all cells share, and the executor that blocks a thread on a future.

use std::{
    pin::{Pin, pin},
    sync::{Arc, OnceLock},
    task::{Wake, Waker},
    thread,
};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use crate::{
    private::{awaits, interrupt},
    waits::Condvar,
};

/// Runs a future to its end on the current thread, which sleeps while the future waits.
///
/// Unlike tokio's `Runtime::block_on` it may be nested anywhere: in itself, in a runtime of your
/// own, on one of tokio's worker threads. Unlike `.await` it does not let other tasks of the
/// *same thread* go on: in a coroutine, prefer `.await`.
///
/// tokio's timers, sockets and `tokio::spawn` work inside. They belong to a multi-thread runtime
/// that already surrounds the call, else to the one that all cells share.
///
/// # Examples
///
/// ```
/// let answer = interleave::block_on(async {
///     let half = tokio::spawn(async { 21 });
///     half.await.unwrap() * 2
/// });
/// assert_eq!(answer, 42);
/// ```
///
/// # Panics
///
/// When the future panics.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut output = None;
    finish(pin!(async { output = Some(future.await) }));
    output.expect("a future that is finished has an output")
}

/// [`block_on`] of a future whose type is forgotten. What is generic is compiled into every cell that
/// awaits, and with it whatever it calls that is generic in turn, such as half of tokio.
fn finish(future: Pin<&mut dyn Future<Output = ()>>) {
    let wait = |mut future: Pin<&mut dyn Future<Output = ()>>| {
        let signal = Arc::new(Signal::default());
        let waker = Waker::from(Arc::clone(&signal));
        while awaits::poll_noting(&waker, |cx| future.as_mut().poll(cx)).is_pending() {
            signal.wait();
        }
    };
    blocking(|| interrupt::await_by(future, wait));
}

/// The runtime for whatever needs tokio's timers: made at the first use, alive until the process
/// ends, so that a task spawned in one cell still runs in the next.
pub(crate) fn handle() -> Handle {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let cpus = thread::available_parallelism().map_or(1, |n| n.get());
        Builder::new_multi_thread()
            .worker_threads(cpus.max(2))
            .thread_name("tokio-worker")
            .enable_all()
            .build()
            .expect("the system can start the threads of the tokio runtime")
    });
    runtime.handle().clone()
}

/// Calls a function that blocks, in a place where tokio allows both blocking and its own types.
pub(crate) fn blocking(f: impl FnOnce()) {
    let multi_thread = Handle::try_current()
        .is_ok_and(|current| current.runtime_flavor() == RuntimeFlavor::MultiThread);
    if multi_thread {
        return leave_worker(f);
    }
    // A current-thread runtime around us cannot turn its own timers while we block its thread.
    let ours = handle();
    let _context = ours.enter();
    f()
}

/// Hands the other tasks of this worker thread to another worker while `f` blocks.
///
/// `block_in_place` panics inside a `LocalSet`, and tokio has no way to ask first. If `f` was not
/// started by then, it runs where it is.
fn leave_worker(f: impl FnOnce()) {
    let mut f = Some(f);
    let call = || {
        tokio::task::block_in_place(|| {
            let f = f.take().expect("block_in_place calls its closure once");
            f()
        })
    };
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
        Ok(()) => {}
        Err(panic) => match f {
            Some(f) => f(),
            None => std::panic::resume_unwind(panic),
        },
    }
}

/// Wakes one call of [`block_on`].
///
/// Not by `unpark`: an inner `block_on`, or a `thread::park` in the future itself, may use up the
/// token that was meant for the outer call.
#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    fn wait(&self) {
        let mut woken = self.woken.lock();
        while !std::mem::take(&mut *woken) {
            self.changed.wait(&mut woken);
        }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        *self.woken.lock() = true;
        self.changed.notify_all();
    }
}
