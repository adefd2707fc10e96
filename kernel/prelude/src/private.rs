//! What the compiled cells and the process that runs them call. Not for students.
//!
//! `interleave-compiler` writes these paths into the source of each cell.

use std::{
    cell::Cell,
    ffi::c_void,
    fmt::{Debug, Display},
    io::Write,
    mem::ManuallyDrop,
    ops::Deref,
    panic::AssertUnwindSafe,
    ptr,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use interleave_protocol::{DisplayRole, HostEvent, Location, QuestionMark};

use crate::{
    asyncio,
    display::{MimeBundle, Show},
    host::{self, Owner},
    panics::place,
};

pub use ends::Awaits;
pub use interrupt::checkpoint;
pub use locks::{Taken, takes_locks_unseen};
pub use runtime::enter_runtime;

pub(crate) mod awaits;
mod ends;
mod hooks;
pub mod interrupt;
mod locks;
mod runtime;
pub mod variables;

/// evcxr 0.22 `eval_context.rs`: the cell panicked, so its new variables are not kept.
const PANIC_NOTIFICATION: &str = "EVCXR_PANIC_NOTIFICATION";
/// evcxr 0.22 `evcxr_internal_runtime.rs`: a `?` left the cell, so its new variables are not kept.
const USER_ERROR_OCCURRED: &str = "EVCXR_ERROR_OCCURRED";

/// Size of the stack that Linux gives the first thread of a process.
const MAIN_STACK: usize = 8 * 1024 * 1024;

thread_local! {
    static RUNS_CELLS: Cell<bool> = const { Cell::new(false) };
}

/// Called by the host once, before any cell runs.
#[unsafe(no_mangle)]
pub extern "C" fn interleave_prelude_start() {
    hooks::watch();
    locks::look_at_guards();
    ends::look_at_channels();
}

/// Called by the host to start a thread for the cells: the first one, and one more whenever a cell
/// had to be left behind on the one before. Returns whether the system had one.
///
/// It is started here and not in the host, because the cells' libstd is to know it, by the name and
/// with the stack of a program's first thread.
#[unsafe(no_mangle)]
pub extern "C" fn interleave_prelude_start_cell_thread(run: extern "C" fn()) -> bool {
    let body = move || {
        RUNS_CELLS.set(true);
        runtime::enter_as_before();
        run();
    };
    let thread = thread::Builder::new().name("main".into());
    thread.stack_size(MAIN_STACK).spawn(body).is_ok()
}

/// Whether this is the thread that runs the cells.
pub(crate) fn runs_cells_here() -> bool {
    RUNS_CELLS.get()
}

/// Called by the host to run a cell. Returns the variables for the next one.
///
/// # Safety
///
/// `variables` must be what `function` can take.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn interleave_prelude_call_cell(
    function: CellFunction,
    variables: *mut c_void,
) -> *mut c_void {
    // SAFETY: the caller vouches for the argument.
    let call = || unsafe { function(variables) };
    // A panic of the cell itself is caught in its function; this is one of a destructor behind it.
    let variables = std::panic::catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        cell_panicked();
        variables
    });

    if interrupt::is_wanted() {
        asyncio::get_event_loop().give_up(Owner::current());
    }
    variables
}

/// What evcxr generates for a cell.
type CellFunction = unsafe extern "C-unwind" fn(*mut c_void) -> *mut c_void;

/// Called by the host again and again, and after each cell: a part of a line must not wait for the
/// next cell.
#[unsafe(no_mangle)]
pub extern "C" fn interleave_prelude_flush() {
    // An error means that a cell closed its standard output.
    let _ = std::io::stdout().flush();
    if RUNS_CELLS.get() {
        hooks::watch();
    }
}

/// Called by the host when a cell was left behind: what it has taken is told to the kernel, and is
/// lost.
///
/// # Safety
///
/// `variables` must come from [`variables::create_variable_store`] or be null, and no thread that
/// still runs may use it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn interleave_prelude_give_up_variables(
    variables: *mut variables::VariableStore,
) {
    // SAFETY: the caller vouches for the pointer.
    if let Some(variables) = unsafe { variables.as_mut() } {
        host::send(&HostEvent::VariablesLost {
            names: variables.give_up(),
        });
    }
}

/// Called by the host on a thread that has a name: writes as much of it as there is room for, and
/// returns how long that is.
///
/// # Safety
///
/// `room` bytes at `text` must be writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn interleave_prelude_thread_name(text: *mut u8, room: usize) -> usize {
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    let length = name.floor_char_boundary(room);
    // SAFETY: the caller vouches for the room; a name of this thread lies elsewhere.
    unsafe { text.copy_from_nonoverlapping(name.as_ptr(), length) };
    length
}

/// Called by the host on any thread: whether it is one of a pool that works for whoever comes, so
/// that the cell which happened to start it is not meant by what it prints.
#[unsafe(no_mangle)]
pub extern "C" fn interleave_prelude_is_shared_thread() -> bool {
    !JOBS_NAME_THEIR_CELL.load(Ordering::Relaxed) && rayon::current_thread_index().is_some()
}

/// Whether the jobs of rayon tell the host which cell they work for.
static JOBS_NAME_THEIR_CELL: AtomicBool = AtomicBool::new(false);

/// Called by rayon, when it was compiled with our change, before its first job.
#[unsafe(no_mangle)]
pub extern "C" fn interleave_jobs_name_their_cell() {
    JOBS_NAME_THEIR_CELL.store(true, Ordering::Relaxed);
}

/// Tells where the cell was when it stopped, as far as it is known here.
fn stopped_at(location: &std::panic::Location<'_>) {
    if RUNS_CELLS.get() {
        host::send(&HostEvent::StoppedAt(place(location)));
    }
}

/// A cell has panicked. With what, the hook has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// Calls what a cell does. As std's, of which most would be compiled into each cell.
///
/// # Errors
///
/// When it panics.
pub fn catch_unwind<R, F: FnOnce() -> R>(cell: AssertUnwindSafe<F>) -> Result<(), Panicked> {
    let mut cell = ManuallyDrop::new(cell.0);
    // SAFETY: it is called once with a closure of its type, which nobody uses or drops afterwards.
    unsafe { call_caught(call_moved::<R, F>, &raw mut cell as *mut c_void) }
}

/// # Safety
///
/// At `cell` is an `F` that nobody uses or drops any more.
unsafe fn call_moved<R, F: FnOnce() -> R>(cell: *mut c_void) {
    // SAFETY: the caller vouches for it.
    let cell = unsafe { ptr::read(cell as *const F) };
    cell();
}

/// # Safety
///
/// `cell` must be what `call` can take, once.
#[inline(never)]
unsafe fn call_caught(call: unsafe fn(*mut c_void), cell: *mut c_void) -> Result<(), Panicked> {
    // SAFETY: the caller vouches for the pair.
    std::panic::catch_unwind(|| unsafe { call(cell) }).map_err(|_| Panicked)
}

/// Called where a panic reached the edge of the cell.
pub fn cell_panicked() {
    host::send(&HostEvent::CellPanicked);
    host::control(PANIC_NOTIFICATION);
}

/// What a `?` at the top level of a cell turns an error into.
#[allow(
    missing_debug_implementations,
    reason = "a `Debug` or `Display` would overlap with `From`"
)]
pub struct UserError(());

impl<T: Display> From<T> for UserError {
    #[track_caller]
    fn from(error: T) -> Self {
        host::send(&HostEvent::QuestionMark(QuestionMark {
            type_name: std::any::type_name::<T>().to_owned(),
            message: error.to_string(),
            location: Some(place(std::panic::Location::caller())),
        }));
        host::control(USER_ERROR_OCCURRED);
        Self(())
    }
}

/// What [`print!`](crate::print) does.
///
/// # Panics
///
/// As std's, when standard output cannot be written to.
pub fn print(arguments: std::fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    let printed = stdout.write_fmt(arguments).and_then(|()| stdout.flush());
    if let Err(error) = printed {
        panic!("failed printing to stdout: {error}");
    }
}

/// What [`dbg!`](crate::dbg) does, at a file, line and column.
pub fn debug((file, line, column): (&str, u32, u32), value: std::fmt::Arguments<'_>) {
    let text = value.to_string();
    let event = HostEvent::Debug {
        location: Location {
            file: file.to_owned(),
            line,
            column,
        },
        text: text.clone(),
    };
    if !host::send_debug(&event, &text) {
        eprintln!("[{file}:{line}:{column}]{text}");
    }
}

/// Shows what is written as the value of the cell. Not generic, so that how a text is made is not compiled
/// into each cell.
pub fn show_debug(value: std::fmt::Arguments<'_>) {
    show_text(&value.to_string());
}

/// Shows a text as the value of the cell.
pub fn show_text(text: &str) {
    // The value of a statement-like expression is no news, as Python's `None`.
    if text != "()" {
        show_result(MimeBundle::text(text));
    }
}

fn show_result(bundle: MimeBundle) {
    crate::display::send(bundle, DisplayRole::Result, None);
}

/// Finds the best way to show a value: [`Show`], then a method of its own that is named
/// `evcxr_display` as evcxr has it, then [`Debug`].
///
/// Method look-up tries the type before what it derefs to, and a type's own methods before those of
/// traits. So `value.interleave_probe().evcxr_display()` meets, in this order, [`ShowValue`] for the
/// probe, the value's own method, and [`DebugValue`] for the value.
#[allow(
    missing_debug_implementations,
    reason = "a `Debug` probe would hide the value's own"
)]
pub struct Probe<'a, T: ?Sized>(&'a T);

impl<T: ?Sized> Deref for Probe<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

/// See [`Probe`].
pub trait IntoProbe {
    /// Wraps a reference to the value.
    fn interleave_probe(&self) -> Probe<'_, Self> {
        Probe(self)
    }
}

impl<T: ?Sized> IntoProbe for T {}

/// See [`Probe`].
pub trait ShowValue {
    /// Shows the value as the value of the cell.
    fn evcxr_display(&self);
}

impl<T: Show + ?Sized> ShowValue for Probe<'_, T> {
    fn evcxr_display(&self) {
        show_result(self.0.show());
    }
}

/// See [`Probe`].
pub trait DebugValue {
    /// Shows the value as the value of the cell.
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> DebugValue for T {
    fn evcxr_display(&self) {
        show_debug(format_args!("{self:?}"));
    }
}

/// A type that no variable of a cell has.
#[derive(Debug)]
pub enum Undetermined {}
