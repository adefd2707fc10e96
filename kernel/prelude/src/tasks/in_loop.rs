//! What an event loop has been asked to do, in the list of what lives.
//!
//! It stays on the loop's thread; what other threads see of it is here. To stop it means to mark it
//! and to wake the loop, which drops it. A loop that does not run does so when it is told to tidy up,
//! or when it runs again.

use std::{
    panic::Location,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use interleave_protocol::TaskKind;

use super::{CURRENT, Task, is_dropping, now, register};
use crate::{asyncio::ReadyQueue, host::Owner, private, trace};

/// What is known of a task or callback beyond what is known of every task.
#[derive(Debug)]
pub(super) struct InLoop {
    name: String,
    function: Option<String>,
    /// When a callback may be called, on the clock of [`now`].
    due: Option<u64>,
    ready: Arc<ReadyQueue>,
    /// Whether the loop was told to look at it.
    is_called: AtomicBool,
    /// Whether the loop is that of the thread that runs the cells.
    pub(super) is_of_cells: bool,
}

impl InLoop {
    pub(super) fn state(&self) -> interleave_protocol::InLoop {
        interleave_protocol::InLoop {
            name: self.name.clone(),
            function: self.function.clone(),
            is_driven: self.is_driven(),
            due: self.due.map(|due| due.saturating_sub(now())),
        }
    }

    pub(super) fn is_driven(&self) -> bool {
        self.ready.is_driven()
    }

    pub(super) fn is_callback(&self) -> bool {
        self.function.is_none()
    }

    /// Has the loop look at it.
    pub(super) fn wake(&self, id: u64) {
        if !self.is_called.swap(true, Ordering::Relaxed) {
            self.ready.push(id);
        }
    }
}

/// Keeps a task or a callback of an event loop in the list, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Listed(Arc<Task>);

impl Listed {
    /// A coroutine that the loop runs.
    pub(crate) fn task(
        id: u64,
        name: &str,
        function: &str,
        place: &'static Location<'static>,
        ready: &Arc<ReadyQueue>,
    ) -> Self {
        let names = (name.to_owned(), Some(function.to_owned()));
        Self::new(id, names, None, place, ready)
    }

    /// A function that the loop calls, at a time or as soon as it can.
    pub(crate) fn callback(
        id: u64,
        due: Option<Instant>,
        place: &'static Location<'static>,
        ready: &Arc<ReadyQueue>,
    ) -> Self {
        let due = due.map(|due| {
            let wait = due.saturating_duration_since(Instant::now()).as_micros();
            now().saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
        });
        Self::new(id, (format!("callback-{id}"), None), due, place, ready)
    }

    fn new(
        id: u64,
        (name, function): (String, Option<String>),
        due: Option<u64>,
        place: &'static Location<'static>,
        ready: &Arc<ReadyQueue>,
    ) -> Self {
        let in_loop = InLoop {
            name,
            function,
            due,
            ready: Arc::clone(ready),
            is_called: AtomicBool::new(false),
            is_of_cells: private::runs_cells_here(),
        };
        let task = Arc::new(Task {
            id,
            kind: TaskKind::Coroutine,
            in_loop: Some(in_loop),
            is_internal: false,
            owner: Owner::current(),
            file: place.file(),
            line: place.line(),
            column: place.column(),
            is_running: AtomicBool::new(false),
            since: AtomicU64::new(now()),
            busy: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            handle: OnceLock::new(),
            is_to_stop: AtomicBool::new(false),
            is_dropped: AtomicBool::new(false),
        });
        trace::unseen(|| register().of_loops.insert(id, Arc::clone(&task)));
        Self(task)
    }

    /// Whether the loop is to drop it.
    pub(crate) fn is_to_stop(&self) -> bool {
        self.0.is_to_stop.load(Ordering::Relaxed)
    }

    /// This thread runs it while what is returned lives.
    pub(crate) fn run(&self) -> Running<'_> {
        self.0.begin_to_run();
        // A destructor of a task that is dropped may run a loop, and must come to its end.
        let before = (!is_dropping()).then(|| CURRENT.replace(&raw const *self.0));
        Running {
            task: &self.0,
            before,
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        trace::unseen(|| register().of_loops.remove(&self.0.id));
    }
}

/// See [`Listed::run`].
pub(crate) struct Running<'a> {
    task: &'a Task,
    before: Option<*const Task>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.task.end_to_run();
        if let Some(before) = self.before {
            CURRENT.set(before);
        }
    }
}

/// The thread that ran the cells was left behind, and its event loop with it.
pub(crate) fn forget_loop_of_cells() {
    let is_left = |task: &Task| task.in_loop.as_ref().is_some_and(|it| it.is_of_cells);
    let mut tasks = register();
    tasks.of_loops.retain(|_, task| !is_left(task));
}
