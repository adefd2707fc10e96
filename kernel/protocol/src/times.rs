//! Where the time of a cell went.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a cell ran, in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunTimes {
    /// On the clock on the wall.
    pub wall_ns: u64,
    /// On the processor, the cell's own thread.
    pub cpu_ns: u64,
    /// On the processors, all threads of the process.
    pub all_cpu_ns: u64,
}

impl RunTimes {
    /// [`RunTimes::wall_ns`].
    pub fn wall(&self) -> Duration {
        Duration::from_nanos(self.wall_ns)
    }

    /// [`RunTimes::cpu_ns`].
    pub fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu_ns)
    }

    /// [`RunTimes::all_cpu_ns`].
    pub fn all_cpu(&self) -> Duration {
        Duration::from_nanos(self.all_cpu_ns)
    }
}
