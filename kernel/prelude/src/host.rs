//! The link to the process that runs the cells, found at run time.
//!
//! In a notebook the executable exports a few C functions; in an ordinary `cargo run` they are
//! missing, and everything falls back to plain text on standard output.

use std::{ffi::CStr, io::Write, sync::OnceLock};

use interleave_protocol::HostEvent;

type SendBytes = unsafe extern "C" fn(*const u8, usize);

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
    call(SEND.get_or_init(|| lookup(c"interleave_host_send")), &line)
}

/// Sends a line to evcxr, which waits for it on a descriptor that no cell can write to.
pub(crate) fn control(line: &str) -> bool {
    static CONTROL: OnceLock<Option<SendBytes>> = OnceLock::new();
    call(
        CONTROL.get_or_init(|| lookup(c"interleave_host_control")),
        format!("{line}\n").as_bytes(),
    )
}

fn call(function: &Option<SendBytes>, bytes: &[u8]) -> bool {
    if let Some(function) = function {
        // SAFETY: the host defines these symbols with this signature, and only reads `len` bytes.
        unsafe { function(bytes.as_ptr(), bytes.len()) };
    }
    function.is_some()
}

fn lookup(symbol: &CStr) -> Option<SendBytes> {
    // SAFETY: `symbol` ends in a nul; RTLD_DEFAULT asks the whole process.
    let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) };
    // SAFETY: a null pointer becomes `None`; otherwise it is the host's function, see `call`.
    unsafe { std::mem::transmute::<*mut libc::c_void, Option<SendBytes>>(address) }
}
