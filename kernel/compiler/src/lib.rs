//! What evcxr takes for cargo and rustup.
//!
//! evcxr asks `rustup` for `cargo`, and asks `cargo` to compile a package named `ctx`, once or more
//! for each cell. Both names lead here. That is the seam at which a cell becomes what the same code
//! would be in a program:
//!
//! - [`dependencies`]: the crates that every cell sees were built when Interleave was installed.
//!   Real cargo runs only when a notebook adds others with `:dep`.
//! - [`rewrite`]: the source that evcxr generated is changed, line by line, before rustc sees it.
//! - [`runtime`]: the tokio runtime starts with the first cell that can need it.
//! - [`unneeded`]: what earlier cells have defined is compiled where it is needed.
//! - [`statics`]: a static has one identity in all cells.
//! - [`checkpoints`]: a running cell can be stopped.
//! - [`sites`]: who has taken a lock is known.
//! - [`cell`]: rustc is called directly.
//! - [`forkserver`]: rustc is loaded already.
//! - [`cache`]: what rustc made of a cell is remembered.
//! - [`seams`]: tokio and rayon are changed a little, so that tasks and jobs know their cell.
//! - [`prelude`]: a cell is never linked with another prelude than the one that the host has.
//! - [`progress`]: the kernel hears how far cargo has come.
//! - [`learning`]: rustc says what the variables of a cell are while it compiles it.
//! - [`types`]: rustc says so before that.
//! - [`keeping`]: which variables later cells can have; what ended and why goes into [`notes`].
//! - [`answers`]: what rust-analyzer asks cargo about the toolchain is asked once.
//!
//! Everything else passes through to the real tools.

pub mod answers;
mod attempt;
pub mod cache;
mod call;
pub mod cell;
pub mod checkpoints;
pub mod crash;
pub mod dependencies;
pub mod diagnostics;
pub mod files;
pub mod forkserver;
pub mod insertions;
pub mod installation;
pub mod keeping;
mod leading;
pub mod learning;
pub mod limits;
pub mod notes;
pub mod order;
pub mod prelude;
pub mod progress;
pub mod request;
pub mod rewrite;
pub mod role;
pub mod runtime;
pub mod seams;
mod shown;
pub mod sites;
pub mod statics;
pub mod types;
pub mod unneeded;
