//! Measures how long a cell runs.

use interleave_protocol::RunTimes;
use rustix::time::{ClockId, clock_gettime};

/// Started when a cell begins.
pub(super) struct Stopwatch(RunTimes);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(now())
    }

    /// What has passed since. To be called on the thread that started it.
    pub(super) fn read(&self) -> RunTimes {
        let now = now();
        RunTimes {
            wall_ns: now.wall_ns - self.0.wall_ns,
            cpu_ns: now.cpu_ns - self.0.cpu_ns,
            all_cpu_ns: now.all_cpu_ns - self.0.all_cpu_ns,
        }
    }
}

fn now() -> RunTimes {
    RunTimes {
        wall_ns: nanoseconds(ClockId::Monotonic),
        cpu_ns: nanoseconds(ClockId::ThreadCPUTime),
        all_cpu_ns: nanoseconds(ClockId::ProcessCPUTime),
    }
}

/// None of the three clocks goes backwards or is negative.
fn nanoseconds(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
