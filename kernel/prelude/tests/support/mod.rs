//! What the tests of the event loop share.

use std::{
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

use interleave::asyncio::EventLoop;

/// What happened, in order.
pub(crate) type Log = Rc<RefCell<Vec<&'static str>>>;

/// A callback that writes into the log.
pub(crate) fn write(log: &Log, entry: &'static str) -> impl FnOnce() + 'static {
    let log = Rc::clone(log);
    move || log.borrow_mut().push(entry)
}

/// What `f` says when it panics.
pub(crate) fn panic_message<T>(f: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(f)) else {
        panic!("it should panic")
    };
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast_ref::<&str>().unwrap().to_string(),
    }
}

/// Lets everything that is ready now run once.
pub(crate) fn one_round(event_loop: &EventLoop) {
    event_loop.stop();
    event_loop.run_forever();
}
