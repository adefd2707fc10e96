//! From events to lanes.

mod arrows;
mod finish;
mod labels;
mod steps;
mod tasks;
mod threads;
mod track;

use std::collections::{BTreeMap, HashMap};

use interleave_protocol::{Awaited, ObjectKind, TaskName, ThreadKind, What};

use crate::{Event, Picture, Place, Trace};
use arrows::{Link, Wakes};
use track::Track;

/// Names a lane before it is known which lanes are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    /// By the thread's number.
    Thread(u64),
    /// Index into [`Reader::tasks`].
    Task(usize),
    Object(ObjectKind, u64),
}

/// What is known after so many events.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    trace: &'a Trace,
    /// The cell, as the host counts cells; 0 if no event says.
    cell: u64,
    /// Absolute time of the beginning.
    origin: u64,
    cell_ended: Option<u64>,
    threads: BTreeMap<u64, ThreadTrack>,
    tasks: Vec<TaskTrack>,
    /// The tasks that are not over, by name: a name can be used again.
    live: HashMap<TaskName, usize>,
    /// What tasks that are still to come are called.
    called: HashMap<TaskName, String>,
    objects: BTreeMap<(ObjectKind, u64), Track<String>>,
    links: Vec<Link>,
    wakes: Wakes,
    steps: Vec<steps::RawStep>,
}

/// What is known of a thread.
#[derive(Debug, Default)]
struct ThreadTrack {
    track: Track<Doing>,
    name: Option<String>,
    kind: Option<ThreadKind>,
    /// The line that started it.
    made_at: Option<Place>,
    /// What it waits for; `None` while it runs.
    waits: Option<Waiting>,
    /// The tasks that it runs, each inside the one before.
    stack: Vec<usize>,
    /// When it was started, until it begins.
    spawned: Option<u64>,
    is_over: bool,
}

/// What is known of a task.
#[derive(Debug)]
struct TaskTrack {
    name: TaskName,
    /// Such as the name of its function.
    called: Option<String>,
    track: Track<Doing>,
    made_at: Option<Place>,
    /// The thread that ran it first, or else the one that made it.
    home: u64,
    was_entered: bool,
    /// Woken while it ran: it is ready as soon as it is left.
    is_woken: bool,
    /// As it runs it is known that nobody has kept its waker.
    is_lost: bool,
    /// As it runs: a lock that it will keep when it is left.
    keeps: Option<u64>,
}

/// A wait of a thread, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) state: interleave_protocol::ThreadState,
    /// Absolute time of its beginning.
    pub(crate) since: u64,
    /// The thread.
    pub(crate) thread: u64,
    /// Where in a cell, if it waits there.
    pub(crate) at: Option<crate::Place>,
    /// The task that the thread was running, if any.
    pub(crate) task: Option<usize>,
}

/// What a thread or task does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Doing {
    Runs,
    /// Runs a task which has a lane of its own.
    Lends(usize),
    Waits(Waiting),
    Ready,
    /// A task that nobody has woken since it was left, what it awaits, and the lock that it keeps.
    Suspended(Option<Awaited>, Option<u64>),
    /// A task that nobody can wake.
    Lost,
}

/// Reads a whole trace.
pub(crate) fn read(trace: &Trace) -> Picture {
    let mut events = Vec::from_iter(&trace.events);
    events.sort_by_key(|event| event.time);
    let mut reader = Reader::new(trace, &events);
    for event in events {
        reader.take(event);
    }
    finish::picture(reader)
}

impl<'a> Reader<'a> {
    fn new(trace: &'a Trace, events: &[&Event]) -> Self {
        let began = events.iter().find(|event| event.what == What::CellBegan);
        let first = began.or(events.first());
        let of_a_cell = || events.iter().find(|event| event.cell != 0);
        Self {
            trace,
            cell: began.or_else(of_a_cell).map_or(0, |event| event.cell),
            origin: first.map_or(0, |event| event.time),
            cell_ended: None,
            threads: BTreeMap::new(),
            tasks: Vec::new(),
            live: HashMap::new(),
            called: HashMap::new(),
            objects: BTreeMap::new(),
            links: Vec::new(),
            wakes: Wakes::default(),
            steps: Vec::new(),
        }
    }

    fn take(&mut self, event: &Event) {
        if self.is_of_another_cell(event) {
            return;
        }
        if event.time < self.origin {
            return self.learn(event);
        }
        self.meet(event);
        match &event.what {
            What::CellBegan => self.cell_began(event),
            What::CellEnded => self.cell_ended(event),
            What::Spawned { thread } => self.spawned(event, *thread),
            What::ThreadBegan { kind } => self.thread_began(event, *kind),
            What::Named { name } => self.named(event, name),
            What::ThreadEnded => self.thread_ended(event),
            What::Is(state) => self.is(event, *state),
            What::Wakes { address } => self.wakes.note(*address, event.time, self.active(event)),
            What::Prints { stream, text } => self.prints(event, *stream, text),
            What::TaskSpawned { task } => self.task_spawned(event, *task),
            What::TaskNamed { task, name } => self.task_named(*task, name),
            What::TaskEntered { given } => self.task_entered(event, given),
            What::TaskLeft {
                is_over,
                gave,
                awaits,
            } => self.task_left(event, *is_over, gave, *awaits),
            What::TaskWoken { task } => self.task_woken(event, *task),
            What::LockKept { address, .. } => self.lock_kept(event, *address),
            What::TaskLost { task } => self.task_lost(event, *task),
            What::State { kind, id, state } => self.object(event, (*kind, *id), state),
        }
    }

    /// From before the cell there is only who threads are, not what they did since.
    fn learn(&mut self, event: &Event) {
        let thread = self.threads.entry(event.thread).or_default();
        match &event.what {
            What::ThreadBegan { kind } => thread.kind = Some(*kind),
            What::Named { name } => thread.name = Some(crate::words::plain(name)),
            _ => {}
        }
    }

    /// Whether the thread of the cells works for another cell: before this one, or after it.
    fn is_of_another_cell(&self, event: &Event) -> bool {
        let is_other = !self.is_own(event) && event.cell != 0;
        let kind = self.threads.get(&event.thread).and_then(|it| it.kind);
        is_other && (event.what == What::CellBegan || kind == Some(ThreadKind::Cells))
    }

    fn is_own(&self, event: &Event) -> bool {
        self.cell == 0 || event.cell == self.cell
    }

    /// The lane that does what the event says: the innermost task of the thread, or the thread.
    fn active(&self, event: &Event) -> Key {
        let stack = self.threads.get(&event.thread).map(|it| &it.stack);
        let task = stack.and_then(|stack| stack.last());
        task.map_or(Key::Thread(event.thread), |task| Key::Task(*task))
    }

    fn object(&mut self, event: &Event, object: (ObjectKind, u64), state: &str) {
        // The lane of its thread shows as much.
        if object.0 == ObjectKind::Timer {
            return;
        }
        let is_own = self.is_own(event);
        let track = self.objects.entry(object).or_default();
        track.is_own |= is_own;
        track.turn(event.time, Some(crate::words::plain(state)), event.at);
        let says = format!("is {}", crate::words::plain(state));
        self.step(Key::Object(object.0, object.1), event, says);
    }
}
