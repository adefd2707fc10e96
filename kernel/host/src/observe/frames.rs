//! Who called: the return addresses on a thread's stack, found by its frame pointers.
//!
//! libstd, as rustup ships it, keeps frame pointers; cells and the prelude are compiled with them.
//! Where a function in between does not, the walk ends or leaves that function out, and that is all:
//! it reads nothing but the thread's own stack.

use std::{
    cell::Cell,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// So many frames are looked at.
pub(super) const DEPTH: usize = 24;

/// What each function leaves at its frame pointer, on x86-64 as on AArch64.
#[repr(C)]
struct Record {
    caller: *const Record,
    return_address: usize,
}

/// The frame of a function that a call of the system passed through.
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Frame(*const Record);

impl Frame {
    /// For calls whose origin is of no interest.
    pub(crate) const UNKNOWN: Self = Self(std::ptr::null());

    /// The frame that a frame pointer leads to.
    pub(super) fn at(pointer: usize) -> Self {
        Self(std::ptr::with_exposed_provenance(pointer))
    }

    /// The frame that a frame pointer leads to, if it is one of a function that runs.
    pub(crate) fn in_use(pointer: usize) -> Self {
        let here = 0_usize;
        let is_on_stack = pointer > std::hint::black_box(&raw const here).addr();
        Self::at(if is_on_stack { pointer } else { 0 })
    }

    /// The return addresses from this frame of the calling thread on, innermost first.
    pub(crate) fn return_addresses(self) -> impl Iterator<Item = usize> {
        let end = STACK_END.get();
        let mut record = self.0;
        std::iter::from_fn(move || {
            // A record lies within the stack, aligned, or is none.
            if record.addr() >= end || record.is_null() || !record.is_aligned() {
                return None;
            }
            // SAFETY: the address lies between a frame of the running function and an older one of
            // the same thread (checked above, and below for all but the first), so it is mapped.
            let found = unsafe { record.read() };
            // Frames grow upwards: no circle, and nothing below the stack that is in use.
            record = if found.caller > record {
                found.caller
            } else {
                std::ptr::null()
            };
            Some(found.return_address).filter(|address| *address != 0)
        })
    }
}

thread_local! {
    /// The end of the part of this thread's stack that may be walked; 0 before it is known.
    static STACK_END: Cell<usize> = const { Cell::new(0) };
}

/// The frames above the caller's will not be walked: they are older than any code of a cell.
#[inline(never)]
pub(super) fn end_stack_here() {
    let here = 0_usize;
    STACK_END.set(std::hint::black_box(&raw const here).addr());
}

/// Return addresses, innermost first, as one thread notes them and others read them.
#[derive(Debug)]
pub(super) struct Trace([AtomicUsize; DEPTH]);

impl Trace {
    pub(super) const fn new() -> Self {
        Self([const { AtomicUsize::new(0) }; DEPTH])
    }

    /// Notes who called, as the stack of this thread tells it.
    pub(super) fn take(&self, frame: Frame) {
        let mut addresses = frame.return_addresses();
        for slot in &self.0 {
            let address = addresses.next();
            slot.store(address.unwrap_or(0), Relaxed);
            if address.is_none() {
                return;
            }
        }
    }

    /// Notes an address of code, and the callers of the function that it is in.
    pub(super) fn take_from(&self, address: usize, frame: Frame) {
        self.take(frame);
        let mut before = address;
        for slot in &self.0 {
            before = slot.swap(before, Relaxed);
        }
    }

    /// Notes addresses that were found in another way.
    pub(super) fn set(&self, addresses: &[usize]) {
        let rest = std::iter::repeat(&0);
        for (slot, address) in self.0.iter().zip(addresses.iter().chain(rest)) {
            slot.store(*address, Relaxed);
        }
    }

    pub(super) fn clear(&self) {
        self.0.iter().for_each(|slot| slot.store(0, Relaxed));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0[0].load(Relaxed) == 0
    }

    /// The addresses that were noted.
    pub(super) fn addresses(&self) -> Vec<usize> {
        let addresses = self.0.iter().map(|slot| slot.load(Relaxed));
        addresses.take_while(|address| *address != 0).collect()
    }
}
