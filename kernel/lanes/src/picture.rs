//! What there is to see.

use interleave_protocol::{ObjectKind, Stream, TaskKind, ThreadKind};

use crate::{Caption, Place, Source, Trace};

/// The lanes of a cell. Times are nanoseconds from the cell's beginning.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// The number in `In [n]`.
    pub cell: usize,
    /// Where the picture ends on the right.
    pub end: u64,
    /// When the cell's function returned, if it has.
    pub cell_ended: Option<u64>,
    /// Whether the cell still runs.
    pub is_running: bool,
    /// From top to bottom.
    pub lanes: Vec<Lane>,
    /// In the order of the events that they come from.
    pub arrows: Vec<Arrow>,
    /// What happened, in words and in order.
    pub steps: Vec<Step>,
    /// So many steps more there were.
    pub more_steps: usize,
    /// So many lanes more there were.
    pub more_lanes: usize,
    /// So many events nobody noted.
    pub lost: u64,
    /// The numbers.
    pub caption: Caption,
    /// What is worth a word.
    pub remarks: Vec<Remark>,
    /// The code of the cells that places are in.
    pub sources: Vec<Source>,
}

/// A thread, a task or an object, and what it did.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// What it is.
    pub kind: LaneKind,
    /// What to call it. No two lanes have the same name.
    pub name: String,
    /// The line that made it.
    pub made_at: Option<Place>,
    /// What it did: in order, and never two things at once.
    pub spans: Vec<Span>,
    /// What happened at one moment, in order.
    pub marks: Vec<Mark>,
}

/// What a lane belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneKind {
    /// A thread of the operating system.
    Thread(ThreadKind),
    /// Something that threads run. It stands below the thread that ran it first, and stays there
    /// when it moves to another: a task is one thing, however many threads have run it. The lane of
    /// each of those threads says when it ran it.
    Task(TaskKind),
    /// An object of the prelude.
    Object(ObjectKind),
}

/// Some time that a lane spent in one way.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// From then.
    pub from: u64,
    /// Until then; never before `from`.
    pub to: u64,
    /// What it did.
    pub state: State,
    /// In which line.
    pub place: Option<Place>,
    /// Whether it went on when the picture ended.
    pub goes_on: bool,
}

/// What a lane can be doing.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Solid: it runs, or would if a processor were free.
    Runs,
    /// Hollow: it runs the task of that name, which has a lane of its own.
    Lends(String),
    /// Hatched: it waits.
    Waits(Wait),
    /// Dotted: it could go on, and has not begun to.
    Ready,
    /// A thread that runs tasks has none to run.
    Idle,
    /// An object is in this state.
    Says(String),
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq)]
pub struct Wait {
    /// Of what kind.
    pub kind: WaitKind,
    /// In words: `sleep 1.00 s`, `lock counter`, `join worker`.
    pub label: String,
    /// Where the futex is, if it is one; of a task, that of a lock which it keeps meanwhile.
    pub address: Option<u64>,
    /// What to call that lock.
    pub keeps: Option<String>,
}

/// Kinds of waiting, as the caption tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitKind {
    /// For some time to pass.
    Sleep,
    /// For a mutex, or a lock for readers and writers.
    Lock,
    /// For a message, a notification, or to be unparked.
    WakeUp,
    /// For the end of a thread.
    Join,
    /// For data, for another process, or for what the student types.
    Io,
    /// A task: until somebody lets it run again.
    Suspended,
    /// A task: nobody can let it run again.
    Lost,
}

/// Something that took no time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: u64,
    /// Where it was printed.
    pub stream: Stream,
    /// What was printed, without the line's end.
    pub text: String,
    /// In which line.
    pub place: Option<Place>,
}

/// That one lane did something to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrow {
    /// What.
    pub kind: ArrowKind,
    /// The lane that it goes from: an index into [`Picture::lanes`].
    pub from: usize,
    /// When it leaves.
    pub from_time: u64,
    /// The lane that it goes to.
    pub to: usize,
    /// When it arrives; never before `from_time`.
    pub to_time: u64,
    /// A value that goes along.
    pub text: String,
}

/// What an arrow says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArrowKind {
    /// Starts the other one.
    Spawn,
    /// Lets the other one go on.
    Wake,
    /// Its end is what the other one waited for.
    Join,
    /// Runs the other one now, as a generator is resumed.
    Enter,
    /// Returns to the other one, as a generator yields.
    Leave,
}

/// Something that happened, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: u64,
    /// To which lane: an index into [`Picture::lanes`].
    pub lane: usize,
    /// What it did.
    pub text: String,
    /// In which line.
    pub place: Option<Place>,
    /// Whether the lane is over then.
    pub is_last: bool,
}

/// Something worth a word, such as a sleep that blocks an event loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What it is, and what it led to.
    pub text: String,
    /// In which line.
    pub place: Option<Place>,
    /// The lane that it is about: an index into [`Picture::lanes`].
    pub lane: usize,
}

/// What the prelude calls the statements of a cell that awaits, and an `async` block.
const NAMELESS: &str = "<async block>";

impl Picture {
    /// Reads a trace.
    #[must_use]
    pub fn of(trace: &Trace) -> Self {
        crate::reading::read(trace)
    }

    /// Whether there was more than one thread, or a task, or an object with states: something to see
    /// that the cell's output does not show.
    #[must_use]
    pub fn has_concurrency(&self) -> bool {
        let is_second = |lane: &&Lane| match lane.kind {
            LaneKind::Thread(_) => true,
            // What a cell awaits and never waits for is a call like any other. What it gives to a loop is not.
            LaneKind::Task(TaskKind::Coroutine) => {
                !lane.name.starts_with(NAMELESS) || lane.is_ever_suspended()
            }
            LaneKind::Object(ObjectKind::EventLoop) => false,
            LaneKind::Task(_) | LaneKind::Object(_) => true,
        };
        let coroutines = self.lanes.iter();
        let coroutines = coroutines.filter(|it| it.kind == LaneKind::Task(TaskKind::Coroutine));
        let others = self.lanes.iter().skip(1).filter(is_second).count();
        others + self.more_lanes > 0 || coroutines.count() > 1
    }

    /// The numbers: how long it took, and where the time went.
    #[must_use]
    pub fn caption(&self) -> &Caption {
        &self.caption
    }

    /// What is worth a word, worst first.
    #[must_use]
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }
}

impl Lane {
    /// Whether it stands below the lane of a thread.
    #[must_use]
    pub fn is_indented(&self) -> bool {
        matches!(self.kind, LaneKind::Task(_))
    }

    fn is_ever_suspended(&self) -> bool {
        let kinds = self.spans.iter().map(|span| match &span.state {
            State::Waits(wait) => Some(wait.kind),
            _ => None,
        });
        let mut kinds = kinds.flatten();
        kinds.any(|kind| matches!(kind, WaitKind::Suspended | WaitKind::Lost))
    }
}

impl Span {
    /// How long it was.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.to - self.from
    }
}
