//! Timers, futures, an event loop, coroutines and executors, for learning concurrency.
//!
//! This crate gives Rust the vocabulary of Python's `threading`, `concurrent.futures` and
//! `asyncio`, so that the two can be compared line by line. Every type is small, has a name, can
//! be kept in a notebook's variable, and shows its state when it is printed.
//!
//! In a notebook all of it is there already. In an ordinary program, started with `cargo run`, it
//! works the same; what would be a picture is printed as text.
//!
//! ```
//! use interleave::prelude::*;
//! use std::{thread, time::Duration};
//!
//! fn wait_and_return(msg: &str) -> &str {
//!     thread::sleep(Duration::from_millis(20));
//!     msg
//! }
//!
//! let executor = concurrent::futures::ThreadPoolExecutor::new(3);
//! let future = executor.submit(wait_and_return, "hello");
//! println!("{future}"); // <Future at 0x7f… state=running>
//! assert_eq!(future.result(), "hello");
//! ```
//!
//! **On threads**
//!
//! - [`threading::Timer`]: calls a function later, on a thread of its own
//! - [`concurrent::futures::Future`]: a value that somebody will supply later
//! - [`concurrent::futures::ThreadPoolExecutor`]: threads that work off a queue of jobs
//! - [`concurrent::futures::wait`], [`as_completed`](concurrent::futures::as_completed): many
//!   futures at once
//!
//! **On one thread**
//!
//! - [`asyncio::EventLoop`]: runs callbacks and tasks, one at a time
//! - [`asyncio::Coroutine`], [`asyncio::Task`]: an async function's future, waiting and running
//! - [`asyncio::sleep`], [`gather`](asyncio::gather), [`wait_for`](asyncio::wait_for): waiting
//!   without blocking
//! - [`Generator`]: a function with a pause button
//! - [`block_on`]: from ordinary code into async code, anywhere
//!
//! **On the page**
//!
//! - [`display`](display::display()): shows a value now, and lets it change later
//! - [`display::Show`]: the trait for rich output of your own types
//! - [`display::Html`], [`Markdown`](display::Markdown), [`Latex`](display::Latex),
//!   [`Svg`](display::Svg), [`Png`](display::Png), [`Json`](display::Json): what a text is
//! - [`display::Table`], [`display::ProgressBar`]: rows and columns, and how far it is
//!
//! **From elsewhere**, so that a lesson needs no network: [`tokio`], [`futures`], [`rayon`],
//! [`crossbeam`], [`parking_lot`], [`serde_json`].

/// Prints, as [`std::print!`], but at once: std keeps a part of a line until the line ends.
///
/// So what several threads and both streams print appears in the order in which it was printed.
/// Cells use it instead of std's.
///
/// ```
/// use interleave::print;
///
/// print!("waiting ");
/// eprint!("(a minute) "); // With std's `print!` this would be first.
/// print!("{} times\n", 3);
/// ```
#[macro_export]
macro_rules! print {
    ($($argument:tt)*) => {
        $crate::private::print(::std::format_args!($($argument)*))
    };
}

/// Prints an expression, its value and its place in the notebook, as [`std::dbg!`], which would name a
/// line of generated source. Gives the value back.
///
/// # Examples
///
/// See what a part of an expression is:
///
/// ```
/// use interleave::dbg;
///
/// let n = dbg!(3 * 4) + 1; // [In[1]:3:9] 3 * 4 = 12
/// assert_eq!(n, 13);
/// ```
#[macro_export]
macro_rules! dbg {
    () => {
        $crate::private::debug(
            (::std::file!(), ::std::line!(), ::std::column!()),
            ::std::format_args!(""),
        )
    };
    // As std's: with `match`, what is borrowed in the expression lives as long as the statement.
    ($value:expr $(,)?) => {
        match $value {
            value => {
                $crate::private::debug(
                    (::std::file!(), ::std::line!(), ::std::column!()),
                    ::std::format_args!(
                        " {} = {:#?}",
                        ::std::stringify!($value),
                        &&value as &dyn ::std::fmt::Debug,
                    ),
                );
                value
            }
        }
    };
    ($($value:expr),+ $(,)?) => {
        ($($crate::dbg!($value)),+,)
    };
}

pub mod asyncio;
pub mod concurrent;
pub mod display;
pub mod generator;
pub mod prelude;
#[doc(hidden)]
pub mod private;
pub mod threading;

mod host;
mod lazy;
mod names;
mod panics;
mod runtime;
mod seconds;
mod tasks;
mod trace;
mod waits;

pub use generator::Generator;
pub use runtime::block_on;
pub use seconds::Seconds;

pub use crossbeam;
pub use futures;
pub use parking_lot;
pub use rayon;
pub use serde_json;
pub use tokio;

/// What it is given. rust-analyzer sees through it, evcxr does not; `interleave-compiler` takes it
/// off. Not for students.
#[doc(hidden)]
#[macro_export]
macro_rules! unkept {
    ($($code:tt)*) => { $($code)* };
}
