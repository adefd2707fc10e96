//! Results that arrive later, and a pool of threads that computes them, as in Python's module
//! `concurrent.futures`.
//!
//! ```
//! use interleave::concurrent::futures::ThreadPoolExecutor;
//!
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! let executor = ThreadPoolExecutor::new(3);
//! let future = executor.submit(square, 7); // Returns at once.
//! assert_eq!(future.result(), 49); // Waits.
//! ```

mod error;
mod executor;
mod future;
mod waiting;

pub use error::{Exception, FutureError};
pub use executor::{MapResults, ThreadPoolExecutor};
pub use future::Future;
pub use waiting::{AsCompleted, DoneAndNotDone, ReturnWhen, as_completed, wait, wait_timeout};
