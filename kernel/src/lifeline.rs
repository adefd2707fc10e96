//! The process that started this one: when it is gone, nobody can reach the kernel any more.

use rustix::process::{Pid, getppid};

/// Waits until the parent is gone; for ever if there is none, or the system cannot tell.
pub async fn parent_gone() {
    match parent() {
        Some(parent) => gone(parent).await,
        None => std::future::pending().await,
    }
}

/// Jupyter says which process watches over the kernel; otherwise it is the one that started it,
/// unless that is init, which never goes.
fn parent() -> Option<Pid> {
    let named = std::env::var("JPY_PARENT_PID").ok();
    named
        .and_then(|pid| Pid::from_raw(pid.parse().ok()?))
        .or_else(|| getppid().filter(|parent| !parent.is_init()))
}

/// A descriptor of a process becomes readable when the process ends, however it does.
#[cfg(target_os = "linux")]
async fn gone(parent: Pid) {
    use rustix::{
        io::Errno,
        process::{PidfdFlags, pidfd_open},
    };
    use tokio::io::{Interest, unix::AsyncFd};
    use tracing::warn;

    let watch = async || {
        let descriptor = pidfd_open(parent, PidfdFlags::empty())?;
        let descriptor = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        descriptor.readable().await.map(drop)
    };
    match watch().await {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => {}
        Err(error) => {
            warn!("cannot watch the parent, process {parent:?}: {error}");
            std::future::pending().await
        }
    }
}

#[cfg(not(target_os = "linux"))]
async fn gone(_parent: Pid) {
    std::future::pending().await
}
