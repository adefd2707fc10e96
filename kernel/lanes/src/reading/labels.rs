//! What to call lanes, and what they wait for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use interleave_protocol::{Awaited, FutexUse, ObjectKind, TaskKind, ThreadKind, ThreadState};

use super::{Doing, Key, Reader, ThreadTrack, Waiting};
use crate::{Place, Wait, WaitKind, words};

/// Names of everything.
#[derive(Debug)]
pub(crate) struct Labels<'a> {
    names: HashMap<Key, String>,
    indexes: HashMap<Key, usize>,
    /// Of locks that the student did not name, if there are several.
    letters: BTreeMap<u64, String>,
    locks: &'a BTreeMap<u64, String>,
    awaited: &'a BTreeMap<Place, String>,
    /// The threads that run tasks, with the span of time in which they do.
    hosts: HashMap<u64, (u64, u64)>,
}

impl<'a> Labels<'a> {
    /// `lanes` are those that are shown, in order.
    pub(crate) fn new(reader: &Reader<'a>, lanes: &[Key]) -> Self {
        let indexes = lanes.iter().enumerate();
        Self {
            names: names(reader),
            indexes: indexes.map(|(index, key)| (*key, index)).collect(),
            letters: letters(reader),
            locks: &reader.trace.locks,
            awaited: &reader.trace.awaited,
            hosts: hosts(reader),
        }
    }

    pub(crate) fn name(&self, lane: Key) -> String {
        let name = self.names.get(&lane).cloned();
        name.unwrap_or_else(|| match lane {
            Key::Thread(number) => format!("thread {number}"),
            _ => "another".to_owned(),
        })
    }

    /// Which of the lanes shown it is.
    pub(crate) fn index(&self, lane: Key) -> Option<usize> {
        self.indexes.get(&lane).copied()
    }

    /// Whether a thread that waits so is a pool's or an event loop's that has nothing to run.
    pub(crate) fn is_idle(&self, waiting: &Waiting) -> bool {
        let could_be = match waiting.state {
            ThreadState::Futex { used_by, .. } => used_by != FutexUse::Lock,
            state => state == ThreadState::Io,
        };
        let host = self.hosts.get(&waiting.thread);
        let between = host.is_some_and(|(from, to)| (*from..=*to).contains(&waiting.since));
        could_be && waiting.task.is_none() && between
    }

    pub(crate) fn wait(&self, waiting: &Waiting) -> Wait {
        let (kind, label, address) = match waiting.state {
            ThreadState::Running => (WaitKind::WakeUp, String::new(), None),
            ThreadState::Sleeping { seconds } => (
                WaitKind::Sleep,
                format!("sleep {}", words::seconds(seconds)),
                None,
            ),
            ThreadState::Futex {
                address,
                used_by,
                seconds,
            } => {
                let (kind, label) = self.futex(waiting, address, used_by, seconds);
                (kind, label, Some(address))
            }
            ThreadState::Joining { thread } => {
                let joined = thread.map(|thread| self.name(Key::Thread(thread)));
                let joined = joined.unwrap_or_else(|| "a thread".to_owned());
                (WaitKind::Join, format!("join {joined}"), None)
            }
            ThreadState::Io => (WaitKind::Io, "I/O".to_owned(), None),
            ThreadState::Process => (WaitKind::Io, "another program".to_owned(), None),
            ThreadState::Input => (WaitKind::Io, "input".to_owned(), None),
        };
        Wait {
            kind,
            label,
            address,
            keeps: None,
        }
    }

    fn futex(
        &self,
        waiting: &Waiting,
        address: u64,
        used_by: FutexUse,
        seconds: Option<f64>,
    ) -> (WaitKind, String) {
        let limit = seconds.map(words::seconds);
        let is_lock = used_by == FutexUse::Lock;
        if let Some(named) = self.named(waiting).filter(|_| !is_lock) {
            let limit = limit.map(|limit| format!(" ≤ {limit}"));
            return (WaitKind::WakeUp, named + &limit.unwrap_or_default());
        }
        match (used_by, limit) {
            (FutexUse::Lock, _) => (WaitKind::Lock, self.lock(address)),
            // The prelude's timers wait so.
            (FutexUse::Condvar | FutexUse::Unknown, Some(limit))
                if self.is_timer(waiting.thread) =>
            {
                (WaitKind::Sleep, format!("timer {limit}"))
            }
            (FutexUse::Condvar, None) => (WaitKind::WakeUp, "wake-up".to_owned()),
            (FutexUse::Condvar, Some(limit)) => (WaitKind::WakeUp, format!("wake-up ≤ {limit}")),
            (FutexUse::Park, None) => (WaitKind::WakeUp, "message or wake-up".to_owned()),
            (FutexUse::Park, Some(limit)) => (WaitKind::WakeUp, format!("parked ≤ {limit}")),
            (FutexUse::Once, _) => (WaitKind::WakeUp, "initialization".to_owned()),
            (FutexUse::Unknown, _) => (WaitKind::WakeUp, "lock or wake-up".to_owned()),
        }
    }

    /// What the student calls that which the thread waits for there.
    fn named(&self, waiting: &Waiting) -> Option<String> {
        let known = self.awaited.get(&waiting.at?);
        known.map(|name| words::plain(name))
    }

    /// `lock counter`, or `lock B` if the student's name is unknown.
    pub(crate) fn lock(&self, address: u64) -> String {
        let known = self.locks.get(&address).map(|name| words::plain(name));
        match known.or_else(|| self.letters.get(&address).cloned()) {
            Some(name) => format!("lock {name}"),
            None => "lock".to_owned(),
        }
    }

    fn is_timer(&self, thread: u64) -> bool {
        let name = self.name(Key::Thread(thread));
        let number = name.strip_prefix("Timer-");
        number.is_some_and(|number| number.parse::<u64>().is_ok())
    }

    /// The wait in a sentence.
    pub(crate) fn waits(&self, waiting: &Waiting) -> String {
        let label = self.wait(waiting).label;
        match waiting.state {
            ThreadState::Sleeping { .. } => label.replacen("sleep", "sleeps", 1),
            ThreadState::Joining { .. } => label.replacen("join", "joins", 1),
            ThreadState::Futex {
                used_by: FutexUse::Lock,
                ..
            } => format!("waits for the {label}"),
            _ => format!("waits: {label}"),
        }
    }
}

/// What a task waits for while it is suspended.
pub(crate) fn suspended(awaits: Option<Awaited>) -> &'static str {
    match awaits {
        None => "suspended",
        Some(Awaited::Sleep) => "await sleep",
        Some(Awaited::Message) => "await message",
        Some(Awaited::Room) => "await room in channel",
        Some(Awaited::Change) => "await new value",
        Some(Awaited::Task) => "await task",
        Some(Awaited::Job) => "await job",
        Some(Awaited::Lock) => "await lock",
        Some(Awaited::Permit) => "await permit",
        Some(Awaited::Notification) => "await notification",
        Some(Awaited::Barrier) => "await barrier",
        Some(Awaited::Io) => "await I/O",
    }
}

/// The same in a sentence.
pub(crate) fn awaits(awaits: Option<Awaited>) -> &'static str {
    match awaits {
        None => "waits",
        Some(Awaited::Sleep) => "awaits a sleep",
        Some(Awaited::Message) => "awaits a message",
        Some(Awaited::Room) => "awaits room in a channel",
        Some(Awaited::Change) => "awaits a new value",
        Some(Awaited::Task) => "awaits the end of a task",
        Some(Awaited::Job) => "awaits the end of a job",
        Some(Awaited::Lock) => "awaits a lock",
        Some(Awaited::Permit) => "awaits a permit",
        Some(Awaited::Notification) => "awaits a notification",
        Some(Awaited::Barrier) => "awaits the others at a barrier",
        Some(Awaited::Io) => "awaits I/O",
    }
}

fn names(reader: &Reader<'_>) -> HashMap<Key, String> {
    let threads = reader.threads.iter();
    let threads = threads.map(|(number, it)| (Key::Thread(*number), thread_name(*number, it)));
    let threads = Vec::from_iter(threads);
    let called = reader.tasks.iter();
    let tasks = numbered(called.map(|task| match &task.called {
        Some(name) => name,
        None => task_word(task.name.kind),
    }));
    let tasks = (0..).map(Key::Task).zip(tasks);
    let kinds = reader.objects.keys().map(|(kind, _)| object_word(*kind));
    let objects = reader
        .objects
        .keys()
        .map(|(kind, id)| Key::Object(*kind, *id));
    let objects = objects.zip(numbered(kinds));
    let all = Vec::from_iter(threads.into_iter().chain(tasks).chain(objects));
    let mut counts = HashMap::<&str, usize>::new();
    all.iter()
        .for_each(|(_, name)| *counts.entry(name).or_default() += 1);
    let mut taken = BTreeSet::new();
    let names = all.iter().map(|(key, name)| {
        let is_alone = counts[name.as_str()] == 1;
        (*key, unique(&mut taken, *key, name, is_alone))
    });
    names.collect()
}

fn thread_name(number: u64, thread: &ThreadTrack) -> String {
    match (&thread.name, thread.kind) {
        (_, Some(ThreadKind::Cells)) => "main".to_owned(),
        (Some(name), _) if !name.trim().is_empty() => name.clone(),
        _ => format!("thread {number}"),
    }
}

/// A name that no other lane has: as `:threads` tells two of the same name apart.
fn unique(taken: &mut BTreeSet<String>, key: Key, name: &str, is_alone: bool) -> String {
    let number = match key {
        Key::Thread(number) | Key::Object(_, number) => number,
        Key::Task(index) => index as u64,
    };
    let alone = is_alone.then(|| name.to_owned());
    let numbers = (number..=u64::MAX).map(|number| format!("{name} ({number})"));
    let mut names = alone.into_iter().chain(numbers);
    let free = names.find(|name| taken.insert(name.clone()));
    free.unwrap_or_default()
}

/// `job 1`, `job 2`, `future 1` …; without a number what is the only one of its kind.
fn numbered<'a>(words: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut counts = HashMap::new();
    for word in words.clone() {
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut next = HashMap::new();
    let mut number = |word| {
        let next = next.entry(word).or_insert(0);
        *next += 1;
        *next
    };
    words
        .map(|word| match (counts[word], number(word)) {
            (1, _) => word.to_owned(),
            (_, number) => format!("{word} {number}"),
        })
        .collect()
}

fn task_word(kind: TaskKind) -> &'static str {
    match kind {
        TaskKind::Tokio => "task",
        TaskKind::Blocking => "blocking job",
        TaskKind::Job => "job",
        TaskKind::Coroutine => "coroutine",
        TaskKind::Generator => "generator",
    }
}

fn object_word(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Future => "future",
        ObjectKind::EventLoop => "event loop",
        ObjectKind::Pool => "pool",
        ObjectKind::Timer => "timer",
    }
}

/// Letters for the locks that have no name, if there are several.
fn letters(reader: &Reader<'_>) -> BTreeMap<u64, String> {
    let tracks = reader.threads.values().map(|thread| &thread.track);
    let waits = tracks
        .flat_map(|track| track.doings())
        .filter_map(|doing| match doing {
            Doing::Waits(waiting) => Some(waiting),
            _ => None,
        });
    let mut unnamed: Vec<(u64, u64)> = waits
        .filter_map(|waiting| match waiting.state {
            ThreadState::Futex {
                address,
                used_by: FutexUse::Lock,
                ..
            } => Some((waiting.since, address)),
            _ => None,
        })
        .filter(|(_, address)| !reader.trace.locks.contains_key(address))
        .collect();
    unnamed.sort_unstable();
    let mut seen = BTreeSet::new();
    unnamed.retain(|(_, address)| seen.insert(*address));
    if unnamed.len() < 2 {
        return BTreeMap::new();
    }
    let names = ('A'..='Z')
        .map(String::from)
        .chain((27..).map(|n: usize| n.to_string()));
    unnamed
        .into_iter()
        .map(|(_, address)| address)
        .zip(names)
        .collect()
}

/// The threads that run tasks other than generators, and from when until when they do.
fn hosts(reader: &Reader<'_>) -> HashMap<u64, (u64, u64)> {
    let mut hosts = HashMap::new();
    for (number, thread) in &reader.threads {
        let lends = thread.track.doings_in_time().filter(|(_, doing)| {
            matches!(doing, Doing::Lends(task)
                if reader.tasks[*task].name.kind != TaskKind::Generator)
        });
        let times = Vec::from_iter(lends.map(|(time, _)| time));
        let (Some(first), Some(last)) = (times.iter().min(), times.iter().max()) else {
            continue;
        };
        let has_more = reader
            .live
            .values()
            .any(|task| reader.tasks[*task].home == *number);
        let is_for_ever = has_more || thread.kind == Some(ThreadKind::Pool);
        let first = if thread.kind == Some(ThreadKind::Pool) {
            0
        } else {
            *first
        };
        hosts.insert(*number, (first, if is_for_ever { u64::MAX } else { *last }));
    }
    hosts
}
