//! What the threads of this process do: who started them, from where, and what they wait for.
//!
//! libstd is a shared object in the cells, so its calls of `pthread_create`, `syscall` (by which it
//! waits at a futex), `clock_nanosleep` and others find the functions of this module before libc's.
//! Each notes what its thread is about to do in that thread's [`Slot`](registry::Slot) and passes
//! the call on. The notes are numbers in atomics: nothing here allocates or locks on the way, and a
//! lock that nobody contends for never comes by at all.
//!
//! [`threads`] reads the notes, on whichever thread asks.

mod birth;
mod describing;
mod ends;
mod frames;
mod futures;
mod interpose;
mod left;
mod limit;
mod locks;
mod outside;
mod permits;
mod reading;
mod registry;
mod stopping;
mod stuck;
mod waiting;
mod waits;
mod watch;
mod whole_name;

pub(crate) use birth::is_at_its_end;
pub(crate) use frames::Frame;
pub(crate) use futures::awaits_of_this_thread;
pub(crate) use interpose::{enter, interpose, leave};
pub(crate) use left::tell_what_is_left;
pub(crate) use limit::limit_threads;
pub(crate) use locks::{enter_coroutine, kept_by_coroutine};
pub(crate) use reading::{Symbol, awaited, places, state, symbol, threads};
pub(crate) use registry::{
    adopt_first, cells_of_others, forget_others, join_pool, number_of_this_thread,
    number_of_thread, run_cells_here,
};
pub(crate) use stopping::{
    CellThread, awaits_at, found_at, found_in_cell, has_threads, is_any_thread_marked,
    is_marked_itself, mark_threads, runs_cells_here, stop_threads, wake_marked_threads,
    wake_threads_of, work_for,
};
pub(crate) use waiting::{Waiting, blocked, now};
pub(crate) use watch::{all_stuck, watch};
