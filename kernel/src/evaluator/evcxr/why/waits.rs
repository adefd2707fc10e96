//! What one thread or task waits for, in words.

use interleave_protocol::{Stuck, StuckTask, StuckThread, TaskKind, Thread, ThreadState};

use super::{
    super::{
        awaited::What,
        places::{Place, Places},
        threads::words,
    },
    holder::{self, Holder, Who},
    part::Part,
};

/// A thread or a task that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) who: Who,
    pub(super) name: String,
    /// Where it was made, if that is to be said.
    born: String,
    /// What it waits for. Several things, if it awaits them at once.
    parts: Vec<Part>,
    /// How these are awaited at once, and where.
    at_once: Option<String>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) stuck: &'a Stuck,
    /// The stuck cell's number in `In [n]`.
    pub(super) cell: Option<usize>,
    pub(super) places: &'a Places,
}

impl Wait {
    /// Of all threads, then of all tasks.
    pub(super) fn all(view: View<'_>) -> Vec<Self> {
        let threads = view
            .stuck
            .threads
            .iter()
            .map(|it| Self::of_thread(it, view));
        let tasks = view.stuck.tasks.iter().map(|it| Self::of_task(it, view));
        threads.chain(tasks).collect()
    }

    fn of_thread(thread: &StuckThread, view: View<'_>) -> Self {
        let own = Part::of_thread(thread, view);
        let is_blocked_on_future = matches!(own.what, What::Future(_));
        let (mut parts, at_once) = if is_blocked_on_future {
            Part::of_futures(&thread.awaits, &thread.awaited, view)
        } else {
            (Vec::new(), None)
        };
        if parts.is_empty() {
            parts.push(own);
        }
        Self {
            who: Who::Thread(thread.thread.number),
            name: super::name(thread),
            born: String::new(),
            parts,
            at_once,
        }
    }

    fn of_task(task: &StuckTask, view: View<'_>) -> Self {
        let (mut parts, at_once) = Part::of_futures(&task.awaits, &task.awaited, view);
        if parts.is_empty() {
            let has_run = task.state.as_ref().is_some_and(|state| state.busy > 0);
            let is_blocking = task.name.kind == TaskKind::Blocking;
            parts.push(Part::of_words(match (task.awaits.is_empty(), has_run) {
                _ if is_blocking => "waits for a thread of the pool for blocking work",
                (false, _) => "waits to be woken",
                (true, true) => "waits to be run, and nobody runs it",
                (true, false) => {
                    "has not run yet: nobody runs the `LocalSet` or the runtime that it is on"
                }
            }));
        }
        Self {
            who: Who::Task(task.name),
            name: holder::task_name(task.name),
            born: holder::spawned(task, view.places),
            parts,
            at_once,
        }
    }

    /// `left waits for lock b (In[3]:9), which main has held since In[3]:5`
    pub(super) fn sentence(&self, waits: &[Self]) -> String {
        let Self { name, born, .. } = self;
        if let [only] = &self.parts[..]
            && self.at_once.is_none()
        {
            let phrase = only.what.phrase(only.is_future);
            return format!("{name}{born} {phrase}{}", only.remarks(self.who, waits));
        }
        let parts = self.parts.iter().map(|part| {
            let remarks = part.remarks(self.who, waits);
            format!("{}{remarks}", part.what.noun())
        });
        let mut parts: Vec<String> = parts.collect();
        parts.sort();
        parts.dedup();
        let at_once = self.at_once.as_deref().unwrap_or("several things at once");
        format!("{name}{born} awaits {at_once}: {}", parts.join("; "))
    }

    /// What it waits for, if that is one thing.
    fn only(&self) -> Option<&Part> {
        self.parts.first().filter(|_| self.parts.len() == 1)
    }

    /// What stands on an arrow to the next one.
    pub(super) fn short(&self) -> String {
        self.only()
            .map_or_else(|| "wake-up".to_owned(), |part| part.what.label())
    }

    /// Who could end the wait, if only one can.
    pub(super) fn next(&self, waits: &[Self]) -> Option<usize> {
        let only = self.only()?;
        if let Some(channel) = &only.channel {
            return channel.only_other(waits);
        }
        let holder = only.holder.as_ref().map(Holder::who);
        let who = holder.or(only.end_of)?;
        waits.iter().position(|other| other.who == who)
    }

    fn holder(&self) -> Option<&Holder> {
        self.only()?.holder.as_ref()
    }

    /// Who has what it waits for and is no thread that waits.
    pub(super) fn end(&self) -> Option<String> {
        self.holder().and_then(Holder::end)
    }

    /// Whether it waits for a lock whose holder is known.
    pub(super) fn is_at_lock(&self) -> bool {
        self.holder().is_some()
    }

    /// Whether it waits for a permit, of which there may be several.
    pub(super) fn is_at_permit(&self) -> bool {
        matches!(self.only(), Some(part) if matches!(part.what, What::Permit(_)))
    }

    /// Whether the holder of the lock is only probable.
    pub(super) fn is_guessed(&self) -> bool {
        self.holder().is_some_and(|holder| !holder.is_certain())
    }

    /// Whether nobody can give back what it waits for.
    pub(super) fn is_lost(&self) -> bool {
        self.end().is_some()
    }

    pub(super) fn is_task(&self) -> bool {
        matches!(self.who, Who::Task(_))
    }

    pub(super) fn is_at_channel(&self) -> bool {
        self.only().is_some_and(|part| part.channel.is_some())
    }

    /// Whether it waits for a message of a channel that is known.
    pub(super) fn receives(&self) -> bool {
        self.is_at_channel() && matches!(self.only(), Some(part) if part.is_message())
    }

    /// What might have to be changed.
    pub(super) fn hint(&self) -> Option<String> {
        if self.is_lost() {
            let hint = "A guard that is never dropped (`mem::forget`, a leaked box, a thread that \
                        was stopped for good) never gives its lock back.";
            return Some(hint.to_owned());
        }
        self.parts.iter().find_map(Part::hint)
    }
}

/// What a thread waits for at a futex, if the student has a name for it.
pub(in super::super) fn by_name(thread: &Thread, places: &Places) -> Option<String> {
    let ThreadState::Futex {
        seconds, used_by, ..
    } = thread.state
    else {
        return None;
    };
    let (_, call) = places.waits_at(&thread.at)?;
    let what = What::of_call(used_by, call.as_ref().map(|(_, site)| site))?;
    let limit = seconds.map(|seconds| format!(", {} at most", words::span(seconds)));
    (what.name().is_some()).then(|| format!("{}{}", what.phrase(false), limit.unwrap_or_default()))
}

pub(super) fn line(places: &Places, place: Place) -> String {
    let number = places.cell(place.cell).map_or(0, |cell| cell.number);
    format!("In[{number}]:{}", place.line)
}
