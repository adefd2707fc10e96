//! What threads do, in order: the events from which the kernel draws the lanes of a cell.
//!
//! The hooks of this module are called where the host sees a thread do something. Each notes one
//! [`Record`] in a bounded queue, and neither allocates nor locks. What finds no room there, or is
//! beyond the share of its cell, is counted as lost. A thread of this program sends what was noted
//! about ten times a second, while there is something ([`telling`]); at the end of a cell the
//! thread of the cells does so itself, before anybody hears of that end.
//!
//! Threads of this program are not traced, nor is what it does on others' threads: see [`pause`].

mod awaits;
mod record;
mod ring;
mod shares;
mod tasks;
mod telling;

use std::{
    cell::Cell,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use interleave_protocol::{Stream, TaskName, ThreadKind};

use self::{
    record::{Happened, Record, Who},
    ring::{Claim, Ring},
    shares::Shares,
};
use crate::{
    observe::{self, Frame, Waiting},
    threads,
};

pub(crate) use awaits::{
    Awaits, Keeper, Object, WaitingTask, current_task, forget_tasks, keep_of_root, polls_root,
    waiting_tasks,
};
pub(crate) use telling::{begin_anew, start, tell};

/// So many events may wait to be sent: 4.3 MB, once all of it was used.
const SIZE: usize = 16_384;

static RING: Ring<SIZE> = Ring::new();
static SHARES: Shares = Shares::new();

/// Whether anybody wants to know.
static IS_ON: AtomicBool = AtomicBool::new(true);

thread_local! {
    // Without destructors, so they can be used from the first to the last moment of a thread.

    /// Whether this thread does the work of a cell, and not that of this program.
    static IS_TRACED: Cell<bool> = const { Cell::new(false) };
    /// The task that this thread runs; the innermost one.
    static TASK: Cell<Option<TaskName>> = const { Cell::new(None) };
}

/// From now on events are noted, or not.
pub(crate) fn switch(is_on: bool) {
    IS_ON.store(is_on, Relaxed);
}

/// While this lives, the calling thread does the work of this program: nothing of it is noted.
pub(crate) fn pause() -> Pause {
    Pause(IS_TRACED.replace(false))
}

/// As [`pause`], if something is so; that is only asked when events are noted.
pub(crate) fn pause_if(is_so: impl FnOnce() -> bool) -> Option<Pause> {
    (is_wanted() && is_so()).then(pause)
}

/// See [`pause`].
pub(crate) struct Pause(bool);

impl Drop for Pause {
    fn drop(&mut self) {
        IS_TRACED.set(self.0);
    }
}

/// Whether the calling thread is traced; one that it starts is, too.
pub(crate) fn is_traced() -> bool {
    IS_TRACED.get()
}

/// The calling thread begins to run a cell.
pub(crate) fn cell_began(cell: u64) {
    SHARES.begin(cell);
    IS_TRACED.set(true);
    TASK.set(None);
    note(Happened::CellBegan, |record| record);
}

/// The function of the cell has returned.
pub(crate) fn cell_ended() {
    note(Happened::CellEnded, |record| record);
    IS_TRACED.set(false);
}

/// The calling thread starts one with this number.
pub(crate) fn spawns(thread: u64, caller: Frame) -> Pending {
    Pending::begin(Happened::Spawned { thread }, |record| {
        record.with_places(caller)
    })
}

/// The calling thread is new.
pub(crate) fn thread_began(is_traced: bool) {
    IS_TRACED.set(is_traced);
    note(Happened::ThreadBegan(ThreadKind::Student), |record| record);
}

/// The calling thread works for whoever comes.
pub(crate) fn belongs_to_pool() {
    note(Happened::ThreadBegan(ThreadKind::Pool), |record| record);
}

/// The calling thread has a name.
pub(crate) fn named(name: &[u8]) {
    note(Happened::Named, |record| record.with_text(&[name]));
}

/// The calling thread is over.
pub(crate) fn thread_ended() {
    note(Happened::ThreadEnded, |record| record);
    IS_TRACED.set(false);
}

/// The calling thread is about to wait.
pub(crate) fn waits(waiting: Waiting, caller: Frame) {
    if !is_wanted() {
        return;
    }
    let waiting = match waiting {
        // The number that it has now: another thread may have the handle when this is told.
        Waiting::Join { handle } => Waiting::Join {
            handle: observe::number_of_thread(handle),
        },
        waiting => waiting,
    };
    note(Happened::Waits(waiting), |record| record.with_stack(caller));
}

/// The calling thread has waited.
pub(crate) fn runs() {
    note(Happened::Runs, |record| record);
}

/// The calling thread is about to wake those who wait at a futex.
pub(crate) fn wakes(address: u64, caller: Frame) -> Pending {
    Pending::begin(Happened::Wakes { address }, |record| {
        record.with_places(caller)
    })
}

/// The calling thread prints.
pub(crate) fn prints(stream: Stream, parts: &[&[u8]], caller: Frame) {
    note(Happened::Prints(stream), |record| {
        record.with_text(parts).with_places(caller)
    });
}

/// An event that is about to happen: its place in the order is taken before.
#[must_use]
pub(crate) struct Pending(Option<(Claim<'static>, Record)>);

impl Pending {
    fn begin(happened: Happened, complete: impl FnOnce(Record) -> Record) -> Self {
        Self(claim().map(|(claim, who)| (claim, complete(Record::new(who, happened)))))
    }

    /// It has happened. Dropped instead, it has not.
    pub(crate) fn happened(self) {
        if let Some((claim, record)) = self.0 {
            write(claim, &record);
        }
    }
}

fn is_wanted() -> bool {
    IS_ON.load(Relaxed) && IS_TRACED.get()
}

fn note(happened: Happened, complete: impl FnOnce(Record) -> Record) {
    if let Some((claim, who)) = claim() {
        write(claim, &complete(Record::new(who, happened)));
    }
}

/// A place for an event of the calling thread, if it is wanted and there is one.
fn claim() -> Option<(Claim<'static>, Who)> {
    if !is_wanted() {
        return None;
    }
    let cell = threads::cell();
    let claim = || {
        let thread = observe::number_of_this_thread()?;
        let claim = SHARES.ask(cell).then(|| RING.claim()).flatten()?;
        Some((claim, thread))
    };
    let Some((claim, thread)) = claim() else {
        SHARES.lose(cell);
        return None;
    };
    let who = Who {
        time: observe::now(),
        cell,
        thread,
        task: TASK.get(),
    };
    Some((claim, who))
}

fn write(claim: Claim<'static>, record: &Record) {
    claim.write(record);
    telling::wake();
}
