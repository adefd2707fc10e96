//! Writes traces.

use std::time::Duration;

use interleave_lanes::{Event, Place, Source, Trace};
use interleave_protocol::{
    Awaited, FutexUse, ObjectKind, Stream, TaskKind, TaskName, ThreadKind, ThreadState, What,
};

/// The cell, as the host counts.
pub const CELL: u64 = 12;
/// The time on the clock when it began: no round number.
const ORIGIN: u64 = 7_003_000_000_123;
const MICRO: f64 = 1000.0;

/// A trace that is being written. Times are milliseconds from the cell's beginning.
#[derive(Debug)]
pub struct Notes {
    trace: Trace,
    task: Option<TaskName>,
    line: Option<usize>,
}

impl Notes {
    /// A cell begins on thread 1.
    pub fn new(code: &str) -> Self {
        let trace = Trace {
            cell: 5,
            compiled: Some(Duration::from_millis(112)),
            sources: vec![Source {
                number: 5,
                code: code.to_owned(),
            }],
            ..Trace::default()
        };
        let mut notes = Self {
            trace,
            task: None,
            line: None,
        };
        notes.add(0.0, 1, What::CellBegan);
        notes
    }

    /// The next event happens in this line.
    pub fn line(&mut self, line: usize) -> &mut Self {
        self.line = Some(line);
        self
    }

    /// The next event happens in this task.
    pub fn within(&mut self, task: TaskName) -> &mut Self {
        self.task = Some(task);
        self
    }

    pub fn add(&mut self, at: f64, thread: u64, what: What) -> &mut Self {
        let place = self.line.take().map(|line| Place {
            cell: 5,
            line,
            column: 5,
        });
        let event = Event {
            time: time(at),
            cell: CELL,
            thread,
            task: self.task.take(),
            at: place,
            what,
        };
        self.trace.events.push(event);
        self
    }

    /// Something that happened in the cell before.
    pub fn earlier(&mut self, at: f64, thread: u64, what: What) -> &mut Self {
        self.add(at, thread, what);
        self.trace.events.last_mut().unwrap().cell = CELL - 1;
        self
    }

    pub fn spawn(&mut self, at: f64, by: u64, thread: u64, name: &str) -> &mut Self {
        self.add(at, by, What::Spawned { thread });
        let kind = ThreadKind::Student;
        self.add(at + 0.05, thread, What::ThreadBegan { kind });
        let name = name.to_owned();
        self.add(at + 0.06, thread, What::Named { name })
    }

    pub fn sleep(&mut self, at: f64, thread: u64, seconds: f64) -> &mut Self {
        let (line, task) = (self.line, self.task);
        self.add(at, thread, What::Is(ThreadState::Sleeping { seconds }));
        (self.line, self.task) = (line, task);
        self.runs(at + seconds * MICRO, thread)
    }

    pub fn runs(&mut self, at: f64, thread: u64) -> &mut Self {
        self.add(at, thread, What::Is(ThreadState::Running))
    }

    pub fn waits(&mut self, at: f64, thread: u64, used_by: FutexUse, address: u64) -> &mut Self {
        let state = ThreadState::Futex {
            address,
            used_by,
            seconds: None,
        };
        self.add(at, thread, What::Is(state))
    }

    pub fn wakes(&mut self, at: f64, thread: u64, address: u64) -> &mut Self {
        self.add(at, thread, What::Wakes { address })
    }

    pub fn prints(&mut self, at: f64, thread: u64, text: &str) -> &mut Self {
        let (stream, text) = (Stream::Stdout, format!("{text}\n"));
        self.add(at, thread, What::Prints { stream, text })
    }

    pub fn ends(&mut self, at: f64, thread: u64) -> &mut Self {
        self.add(at, thread, What::ThreadEnded)
    }

    pub fn joins(&mut self, from: f64, to: f64, thread: u64, joined: u64) -> &mut Self {
        let thread_joined = Some(joined);
        let state = ThreadState::Joining {
            thread: thread_joined,
        };
        self.add(from, thread, What::Is(state));
        self.runs(to, thread)
    }

    pub fn enters(&mut self, at: f64, thread: u64, task: TaskName, given: &str) -> &mut Self {
        let given = given.to_owned();
        self.within(task)
            .add(at, thread, What::TaskEntered { given })
    }

    pub fn leaves(&mut self, at: f64, thread: u64, task: TaskName, gave: &str) -> &mut Self {
        self.left(at, thread, task, gave, None)
    }

    /// It leaves a task which waits for something.
    pub fn suspends(&mut self, at: f64, thread: u64, task: TaskName, awaits: Awaited) -> &mut Self {
        self.left(at, thread, task, "", Some(awaits))
    }

    fn left(
        &mut self,
        at: f64,
        thread: u64,
        task: TaskName,
        gave: &str,
        awaits: Option<Awaited>,
    ) -> &mut Self {
        let what = What::TaskLeft {
            is_over: false,
            gave: gave.to_owned(),
            awaits,
        };
        self.within(task).add(at, thread, what)
    }

    pub fn finishes(&mut self, at: f64, thread: u64, task: TaskName) -> &mut Self {
        let what = What::TaskLeft {
            is_over: true,
            gave: String::new(),
            awaits: None,
        };
        self.within(task).add(at, thread, what)
    }

    pub fn state(
        &mut self,
        at: f64,
        thread: u64,
        kind: ObjectKind,
        id: u64,
        state: &str,
    ) -> &mut Self {
        let state = state.to_owned();
        self.add(at, thread, What::State { kind, id, state })
    }

    /// A name that the student gave to the lock at an address.
    pub fn lock(&mut self, address: u64, name: &str) -> &mut Self {
        self.trace.locks.insert(address, name.to_owned());
        self
    }

    /// The cell's function returns, and the trace is read a little later.
    pub fn cell_ends(&mut self, at: f64) -> Trace {
        self.add(at, 1, What::CellEnded);
        self.read(at + 5.0, false)
    }

    /// The trace is read.
    pub fn read(&mut self, at: f64, is_running: bool) -> Trace {
        self.trace.until = time(at);
        self.trace.is_running = is_running;
        self.trace.events.sort_by_key(|event| event.time);
        self.trace.clone()
    }

    pub fn lost(&mut self, events: u64) -> &mut Self {
        self.trace.lost = events;
        self
    }
}

fn time(at: f64) -> u64 {
    ORIGIN.wrapping_add_signed((at * 1_000_000.0) as i64)
}

pub fn task(kind: TaskKind, id: u64) -> TaskName {
    TaskName { kind, id }
}
