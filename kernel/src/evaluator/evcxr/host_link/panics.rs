//! Tells of panics, and remembers them.

use std::collections::{HashMap, hash_map::Entry};

use interleave_protocol::{CodeAddress, Location, Panic, TookPoisoned};

use super::{
    super::{failures, panics, why},
    State,
};
use crate::evaluator::{Output, Stream};

/// The panics in the host, and what they may come of.
#[derive(Debug, Default)]
pub(super) struct Panics {
    /// What they were, oldest first.
    told: Vec<String>,
    /// Cells that may start no more threads.
    refused: HashMap<u64, Refused>,
    /// The newest poisoned lock that a thread of a cell with this name has taken.
    poisoned: HashMap<(u64, Option<String>), TookPoisoned>,
}

/// A cell has met the limit of threads.
#[derive(Debug)]
struct Refused {
    /// So many live at once.
    limit: usize,
    /// Where it wanted one more.
    at: Option<Location>,
    was_told: bool,
    /// The first panic of another thread that comes of it, while the cell runs.
    held: Option<Panic>,
}

impl State {
    /// A cell has met the limit. Several of its threads may say so at once: the first counts.
    pub(super) fn refuse_threads(&mut self, cell: u64, limit: usize, at: &[CodeAddress]) {
        if let Entry::Vacant(unknown) = self.panics.refused.entry(cell) {
            let mut places = at.iter();
            unknown.insert(Refused {
                limit,
                at: places.find_map(|address| self.places.location_of_address(address)),
                was_told: false,
                held: None,
            });
        }
    }

    /// A thread panicked.
    pub(super) fn take_panic(&mut self, cell: u64, mut panic: Panic) {
        let is_running = self.running.cell() == Some(cell);
        if let Some(refused) = self.panics.refused.get_mut(&cell)
            && let Some(message) = panics::too_many_threads(&panic.message, refused.limit)
        {
            panic.message = message;
            panic.location = refused.at.clone().or(panic.location);
            // A thousand threads that start threads panic in the same way: the cell's own counts.
            let was_told = std::mem::replace(&mut refused.was_told, true);
            if panic.on_cell_thread {
                refused.held = None;
            } else if was_told {
                return;
            } else if is_running {
                refused.held = Some(panic);
                return;
            }
        }
        self.tell_panic(cell, panic);
    }

    /// A thread has taken a poisoned lock. If it panics next, that is why.
    pub(super) fn remember_poison(&mut self, cell: u64, took: TookPoisoned) {
        let thread = (cell, took.thread.clone());
        self.panics.poisoned.insert(thread, took);
    }

    /// The cell has ended: tells what was held back because the cell might have told it itself.
    pub(super) fn tell_held_panics(&mut self) {
        let refused = self.panics.refused.iter_mut();
        let held = refused.filter_map(|(cell, refused)| Some((*cell, refused.held.take()?)));
        for (cell, panic) in held.collect::<Vec<_>>() {
            self.tell_panic(cell, panic);
        }
    }

    fn tell_panic(&mut self, cell: u64, panic: Panic) {
        let poison = self.panics.poisoned.get(&(cell, panic.thread.clone()));
        let culprit = poison.map(|took| why::who_poisoned(took, &self.places));
        let remark = panics::remark(&panic.message, culprit.as_deref(), &self.panics.told);
        let summary = self.summary(&panic);
        if self.panics.told.last() != Some(&summary) {
            self.panics.told.push(summary);
        }
        if panic.on_cell_thread {
            self.report.panics.push(panic);
            self.report.remark = remark;
        } else if panic.is_awaited {
            self.print_panic(cell, &panic);
            self.report.handed_on = Some(panic);
            self.report.remark = remark;
        } else {
            let failure = failures::panicked_aside(&panic, remark.as_deref(), &self.places);
            self.outputs.send(cell, Output::Failure(failure));
        }
    }

    /// Says that a panic happened which did not end its cell, as a program would on standard error.
    pub(super) fn print_panic(&mut self, cell: u64, panic: &Panic) {
        let text = format!(
            "thread '{}' panicked at {}:\n{}\n",
            thread(panic),
            self.place(panic),
            panic.message,
        );
        let stream = Stream::Stderr;
        self.outputs.send(cell, Output::Stream { stream, text });
    }

    fn summary(&self, panic: &Panic) -> String {
        let message = panics::beginning(&panic.message);
        let location = panic.location.as_ref();
        let place = location.and_then(|location| self.places.of_panic(location));
        let place = place.map(|place| format!(" at {}", self.places.describe(place)));
        let place = place.unwrap_or_default();
        format!("thread '{}'{place} ({message})", thread(panic))
    }

    fn place(&self, panic: &Panic) -> String {
        let Some(location) = &panic.location else {
            return "an unknown place".to_owned();
        };
        match self.places.of_panic(location) {
            Some(place) => self.places.describe(place),
            None => format!("{}:{}:{}", location.file, location.line, location.column),
        }
    }
}

fn thread(panic: &Panic) -> &str {
    panic.thread.as_deref().unwrap_or("<unnamed>")
}
