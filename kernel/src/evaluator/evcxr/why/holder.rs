//! Who has what is waited for.

use interleave_protocol::{HolderFate, LockHolder, StuckTask, TaskKind, TaskName};

use super::{
    super::{awaited::What, places::Places, threads::words},
    waits,
};

/// A thread or a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Thread(u64),
    Task(TaskName),
}

impl Who {
    pub(super) fn of_holder(holder: &LockHolder) -> Self {
        holder.task.map_or(Self::Thread(holder.number), Self::Task)
    }
}

/// How a task is called.
pub(super) fn task_name(task: TaskName) -> String {
    match task.kind {
        TaskKind::Coroutine => format!("coroutine {}", task.id),
        _ => format!("task {}", task.id),
    }
}

/// `, spawned at In[3]:4,` if that is known.
pub(super) fn spawned(task: &StuckTask, places: &Places) -> String {
    let place = task.state.as_ref();
    let place = place.and_then(|state| places.of_panic(&state.spawned_at));
    place.map_or_else(String::new, |place| {
        format!(", spawned at {},", waits::line(places, place))
    })
}

/// Who has the lock.
#[derive(Debug)]
pub(super) struct Holder {
    of: LockHolder,
    name: String,
    /// Where it has taken it.
    place: Option<String>,
    /// How the lock is called there.
    lock: Option<String>,
}

impl Holder {
    pub(super) fn of(holder: &LockHolder, places: &Places) -> Option<Self> {
        // Who has ended has probably given it back, and another has taken it without a note.
        let is_likely = holder.is_certain || holder.fate != HolderFate::Ended;
        let site = places.site(holder.site);
        is_likely.then(|| Self {
            name: name_of(holder),
            place: site.as_ref().map(|(place, _)| waits::line(places, *place)),
            lock: site.map(|(_, site)| lock_of(&site.receiver).to_owned()),
            of: holder.clone(),
        })
    }

    pub(super) fn who(&self) -> Who {
        Who::of_holder(&self.of)
    }

    pub(super) fn is_certain(&self) -> bool {
        self.of.is_certain
    }

    /// `, which left has held since In[3]:5`, for one that waits for it.
    pub(super) fn words(&self, waiting: Who, what: &What) -> String {
        let place = self.place.as_deref();
        let since = place.map_or_else(String::new, |place| format!(" since {place}"));
        let at = place.map_or_else(String::new, |place| format!(" at {place}"));
        let here = what.name();
        let lock = match &self.lock {
            Some(there) if here.is_some_and(|here| here != there) => {
                format!(" (there it is `{there}`)")
            }
            _ => String::new(),
        };
        let name = &self.name;
        let is_own = self.who() == waiting;
        if let What::Permit(_) = what {
            let name = if is_own { "it itself" } else { name };
            return format!(", of which {name} took the newest{at}{lock}");
        }
        let probably = if self.of.is_certain { "" } else { "probably " };
        match self.of.fate {
            HolderFate::Ended => {
                format!(", which {probably}{name} took{at}{lock} and never gave back: it has ended")
            }
            _ if is_own => format!(", which it {probably}holds itself{since}{lock}"),
            _ => format!(", which {probably}{name} has held{since}{lock}"),
        }
    }

    /// Who has it, for the end of a drawing, if that is no thread that waits.
    pub(super) fn end(&self) -> Option<String> {
        match self.of.fate {
            HolderFate::Ended => Some(format!("{} (ended)", self.name)),
            HolderFate::Left => Some("left behind".to_owned()),
            HolderFate::Cells | HolderFate::Lives => None,
        }
    }
}

/// The lock in a call that was awaited: `a` of `a.lock()`.
fn lock_of(receiver: &str) -> &str {
    let call = receiver.rsplit_once('.');
    let is_call = |method: &str| method.ends_with(')');
    call.filter(|(_, method)| is_call(method))
        .map_or(receiver, |(lock, _)| lock)
}

/// How a holder is called.
fn name_of(holder: &LockHolder) -> String {
    match (holder.task, holder.fate) {
        (Some(task), _) => task_name(task),
        (_, HolderFate::Left) => "a thread that an interrupt has left behind".to_owned(),
        _ => words::name(holder.number, holder.name.as_deref()),
    }
}
