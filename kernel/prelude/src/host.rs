//! The link to the process that runs the cells, found at run time.
//!
//! In a notebook the executable exports a few C functions; in an ordinary `cargo run` they are
//! missing, and everything falls back to plain text on standard output.

use std::{ffi::CStr, io::Write, sync::OnceLock};

use interleave_protocol::HostEvent;

type SendBytes = unsafe extern "C" fn(*const u8, usize);
type GetCell = unsafe extern "C" fn() -> u64;
type Note = unsafe extern "C" fn();
type IsToStop = unsafe extern "C" fn() -> bool;
type EnterCell = unsafe extern "C" fn(u64);

/// The cell that a thread works for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Owner(u64);

impl Owner {
    /// No cell.
    pub(crate) const NOBODY: Self = Self(0);

    /// The cell that this thread works for.
    pub(crate) fn current() -> Self {
        static CELL: OnceLock<Option<GetCell>> = OnceLock::new();
        // SAFETY: the host defines the symbol with this signature.
        let get = CELL.get_or_init(|| unsafe { lookup(c"interleave_host_cell") });
        // SAFETY: it only reads a number of this thread's.
        Self(get.map_or(0, |get| unsafe { get() }))
    }

    /// As [`enter`](Self::enter), until what is returned is dropped.
    pub(crate) fn enter_for_now(self) -> Entered {
        let before = Self::current();
        self.enter();
        Entered(before)
    }

    /// The cell's number, as the host counts; 0 for none.
    pub(crate) fn number(self) -> u64 {
        self.0
    }

    /// The cell with a number from [`number`](Self::number).
    pub(crate) fn numbered(number: u64) -> Self {
        Self(number)
    }

    /// From now on this thread works for that cell: what it prints appears there.
    pub(crate) fn enter(self) {
        static ENTER: OnceLock<Option<EnterCell>> = OnceLock::new();
        // SAFETY: the host defines the symbol with this signature.
        let enter = ENTER.get_or_init(|| unsafe { lookup(c"interleave_host_enter_cell") });
        if let Some(enter) = enter {
            // SAFETY: it only sets a number of this thread's.
            unsafe { enter(self.0) };
        }
    }
}

/// See [`Owner::enter_for_now`].
pub(crate) struct Entered(Owner);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.enter();
    }
}

/// Whether the host wants this thread to end.
pub(crate) fn is_to_stop() -> bool {
    static ASK: OnceLock<Option<IsToStop>> = OnceLock::new();
    // SAFETY: the host defines the symbol with this signature.
    let ask = ASK.get_or_init(|| unsafe { lookup(c"interleave_host_is_to_stop") });
    // SAFETY: it only reads what the host knows of this thread.
    ask.is_some_and(|ask| unsafe { ask() })
}

/// Tells the host that this thread is in the future that the cell awaits, and where.
pub(crate) fn note_await() {
    static NOTE: OnceLock<Option<Note>> = OnceLock::new();
    // SAFETY: the host defines the symbol with this signature.
    let note = NOTE.get_or_init(|| unsafe { lookup(c"interleave_host_note_await") });
    if let Some(note) = note {
        // SAFETY: it only reads this thread's stack.
        unsafe { note() };
    }
}

/// What the host is told of a future on which a thread is blocked.
#[derive(Clone, Copy)]
struct Root {
    polls: unsafe extern "C" fn(bool),
    note_at: unsafe extern "C" fn(usize),
    has_limit: unsafe extern "C" fn(),
}

fn root() -> Option<Root> {
    static ROOT: OnceLock<Option<Root>> = OnceLock::new();
    let find = || {
        // SAFETY: the host defines the symbols with these signatures.
        unsafe {
            Some(Root {
                polls: lookup(c"interleave_host_polls_root")?,
                note_at: lookup(c"interleave_host_note_await_at")?,
                has_limit: lookup(c"interleave_host_awaits_with_limit")?,
            })
        }
    };
    *ROOT.get_or_init(find)
}

/// Tells the host that this thread begins, or has ended, to poll the future on which it is blocked.
pub(crate) fn polls_root(begins: bool) {
    if let Some(root) = root() {
        // SAFETY: it only sets what the host knows of this thread.
        unsafe { (root.polls)(begins) };
    }
}

/// Tells the host that what this thread awaits waits in this frame.
pub(crate) fn note_await_at(frame: usize) {
    if let Some(root) = root() {
        // SAFETY: it only reads this thread's stack.
        unsafe { (root.note_at)(frame) };
    }
}

/// Tells the host that what this thread polls waits no longer than some time.
pub(crate) fn awaits_with_limit() {
    if let Some(root) = root() {
        // SAFETY: it only sets what the host knows of this thread.
        unsafe { (root.has_limit)() };
    }
}

/// Sends an event to the kernel. Returns whether there is a kernel to hear it.
///
/// What was printed before a display is shown before it, also a part of a line that libstd still
/// holds. A panic is reported without that: the thread that holds standard output may be waiting
/// for the one that panics.
pub(crate) fn send(event: &HostEvent) -> bool {
    if matches!(event, HostEvent::Display(_) | HostEvent::ClearOutput { .. }) {
        // An error means that a cell closed its standard output.
        let _ = std::io::stdout().flush();
    }
    static SEND: OnceLock<Option<SendBytes>> = OnceLock::new();
    let line = interleave_protocol::to_line(event);
    // SAFETY: the host defines the symbol with this signature.
    let send = SEND.get_or_init(|| unsafe { lookup(c"interleave_host_send") });
    call(send, &line)
}

/// Sends the event of a `dbg!`, which prints `text` behind a place. Returns whether anybody shows it.
pub(crate) fn send_debug(event: &HostEvent, text: &str) -> bool {
    type SendDebug = unsafe extern "C-unwind" fn(*const u8, usize, *const u8, usize) -> bool;
    static SEND: OnceLock<Option<SendDebug>> = OnceLock::new();
    let line = interleave_protocol::to_line(event);
    // SAFETY: the host defines the symbol with this signature.
    let send = SEND.get_or_init(|| unsafe { lookup(c"interleave_host_debug") });
    // SAFETY: it only reads so many bytes at these places.
    send.is_some_and(|send| unsafe { send(line.as_ptr(), line.len(), text.as_ptr(), text.len()) })
}

/// Sends a line to evcxr, which waits for it on a descriptor that no cell can write to.
pub(crate) fn control(line: &str) -> bool {
    static CONTROL: OnceLock<Option<SendBytes>> = OnceLock::new();
    // SAFETY: the host defines the symbol with this signature.
    let control = CONTROL.get_or_init(|| unsafe { lookup(c"interleave_host_control") });
    call(control, format!("{line}\n").as_bytes())
}

fn call(function: &Option<SendBytes>, bytes: &[u8]) -> bool {
    if let Some(function) = function {
        // SAFETY: the host defines these symbols with this signature, and only reads `len` bytes.
        unsafe { function(bytes.as_ptr(), bytes.len()) };
    }
    function.is_some()
}

/// # Safety
///
/// `F` must be the type of the function that the host has under this name.
pub(crate) unsafe fn lookup<F: Copy>(symbol: &CStr) -> Option<F> {
    const { assert!(size_of::<F>() == size_of::<*mut libc::c_void>()) };
    // SAFETY: `symbol` ends in a nul; RTLD_DEFAULT asks the whole process.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    if address.is_null() {
        return None;
    }
    // SAFETY: sizes agree, and the caller vouches for the type.
    Some(unsafe { std::mem::transmute_copy(&address) })
}
