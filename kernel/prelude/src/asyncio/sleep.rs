//! `sleep`: waiting without blocking a thread.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use crate::{runtime, seconds::Seconds};

/// Waits for a number of seconds, while others run.
///
/// [`std::thread::sleep`] stops the whole thread, and every task on it. This stops only the one
/// who awaits it. Calling it alone does nothing; the time counts from the `.await` on. `sleep(0)`
/// lets everything else that is ready run once.
///
/// It works in an event loop, in [`block_on`](crate::block_on), and in tokio's tasks.
///
/// ```
/// use interleave::asyncio;
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// asyncio::run(asyncio::sleep(0.02));
/// assert!(start.elapsed() >= Duration::from_millis(20));
/// ```
pub fn sleep(seconds: impl Seconds) -> Sleep {
    Sleep {
        duration: seconds.into_duration(),
        timer: None,
        yielded: false,
    }
}

/// The future that [`sleep`] returns.
///
/// Three that wait at the same time:
///
/// ```
/// use interleave::asyncio::{self, Sleep};
///
/// let pauses: [Sleep; 3] = [0.02, 0.01, 0.02].map(asyncio::sleep);
/// assert_eq!(asyncio::run(asyncio::gather(pauses)), [(), (), ()]);
/// ```
#[derive(Debug)]
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep {
    duration: Duration,
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
    yielded: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let duration = self.duration;
        if duration.is_zero() {
            return self.yield_once(cx);
        }
        let timer = self.timer.get_or_insert_with(|| {
            // Our runtime's clock, which ticks wherever this is polled.
            let handle = runtime::handle();
            let _context = handle.enter();
            Box::pin(tokio::time::sleep(duration))
        });
        timer.as_mut().poll(cx)
    }
}

impl Sleep {
    fn yield_once(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
