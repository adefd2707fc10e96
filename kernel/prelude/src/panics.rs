//! Panics: which end something that nobody waits for, and what is reported of them.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind},
    thread,
};

use interleave_protocol::{HostEvent, Location, Panic};

use crate::{host, tasks};

thread_local! {
    /// Whether what panics on this thread is handed to who asked for it.
    static IS_AWAITED: Cell<bool> = const { Cell::new(false) };
}

/// Calls a function, and gives its panic to the caller, who hands it on.
pub(crate) fn hand_on<R>(f: impl FnOnce() -> R) -> thread::Result<R> {
    let before = IS_AWAITED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    IS_AWAITED.set(before);
    result
}

/// Tells the kernel of a panic, as the panic hook. `told` is whether a hook of a cell is told, too.
pub(crate) fn report(info: &PanicHookInfo<'_>, on_cell_thread: bool, told: bool) {
    let is_awaited = IS_AWAITED.try_with(Cell::get).unwrap_or(false);
    host::send(&HostEvent::Panic(Panic {
        message: info
            .payload_as_str()
            .unwrap_or("a value that is not text")
            .to_owned(),
        location: info.location().map(place),
        thread: thread::current().name().map(str::to_owned),
        on_cell_thread,
        told,
        is_awaited: is_awaited || rayon::current_thread_index().is_some(),
        task: tasks::current(),
    }));
}

/// A place, as the kernel knows it.
pub(crate) fn place(location: &std::panic::Location<'_>) -> Location {
    Location {
        file: location.file().to_owned(),
        line: location.line(),
        column: location.column(),
    }
}
