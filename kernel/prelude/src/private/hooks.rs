//! Tells the kernel of panics, also when a cell has installed a panic hook of its own.

use std::{
    cell::Cell,
    panic::{PanicHookInfo, set_hook, take_hook},
    sync::{Mutex, PoisonError},
};

use super::{RUNS_CELLS, interrupt};
use crate::panics;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Tells hooks apart. Only compared: the hook may be gone.
#[derive(Clone, Copy)]
struct Identity(*const (dyn Fn(&PanicHookInfo<'_>) + Send + Sync));

// SAFETY: the pointer is never followed.
unsafe impl Send for Identity {}

impl Identity {
    fn of(hook: &Hook) -> Self {
        Self(&raw const **hook)
    }

    /// The table of functions counts as well: a closure that captures nothing has no address of its
    /// own.
    #[expect(
        ambiguous_wide_pointer_comparisons,
        reason = "both pointers are of the same conversion to `dyn`, so to the same table"
    )]
    fn is(self, other: Option<Self>) -> bool {
        other.is_some_and(|other| self.0 == other.0)
    }
}

/// The hooks that are not a cell's.
struct Known {
    /// std's own, which prints. The front end shows panics instead.
    standard: Option<Identity>,
    /// The reporter that is in place.
    reporter: Option<Identity>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known {
    standard: None,
    reporter: None,
});

thread_local! {
    /// Whether a panic of this thread is being reported: the hook of a cell may call the one that it
    /// replaced, which is a reporter, too.
    static REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Puts a reporter in place, before the hook that is there. Called at the start, and after each
/// cell: std does not tell when a cell installs a hook.
pub(super) fn watch() {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = take_hook();
    let identity = Identity::of(&hook);
    if identity.is(known.reporter) {
        return set_hook(hook);
    }
    let standard = *known.standard.get_or_insert(identity);
    let theirs = (!identity.is(Some(standard))).then_some(hook);
    let reporter: Hook = Box::new(move |info| tell(info, theirs.as_ref()));
    known.reporter = Some(Identity::of(&reporter));
    set_hook(reporter);
}

fn tell(info: &PanicHookInfo<'_>, theirs: Option<&Hook>) {
    // What breaks because a cell is being stopped is no news: `join().unwrap()`, a closed channel.
    if interrupt::is_wanted() {
        if let Some(location) = info.location() {
            super::stopped_at(location);
        }
        return;
    }
    let outermost = !REPORTING.replace(true);
    if outermost {
        panics::report(info, RUNS_CELLS.get(), theirs.is_some());
    }
    if let Some(theirs) = theirs {
        theirs(info);
    }
    REPORTING.set(!outermost);
}
