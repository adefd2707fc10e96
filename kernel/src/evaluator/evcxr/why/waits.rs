//! What one thread waits for, in words.

use interleave_compiler::sites::Site;
use interleave_protocol::{FutexUse, HolderFate, LockHolder, StuckThread, ThreadState};

use super::super::{
    places::{Place, Places},
    threads::words,
};

/// A thread that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) name: String,
    number: u64,
    what: What,
    place: Option<String>,
    holder: Option<Holder>,
}

/// What it waits for, with the student's name for it.
#[derive(Debug)]
enum What {
    Lock(Option<String>),
    End(String),
    Message(Option<String>),
    Room(Option<String>),
    Notification(Option<String>),
    Barrier(Option<String>),
    Scope,
    WakeUp,
    Future(Option<String>),
    Result(Option<String>),
    Other(String),
}

/// Who has the lock.
#[derive(Debug)]
struct Holder {
    of: LockHolder,
    name: String,
    /// Where it has taken it.
    place: Option<String>,
    /// How the lock is called there.
    lock: Option<String>,
}

impl Wait {
    pub(super) fn of(thread: &StuckThread, places: &Places) -> Self {
        let at = places.waits_at(&thread.thread.at);
        let (mut place, site) = at.map_or((None, None), |(place, site)| (Some(place), site));
        let mut what = what(thread, site, place.is_none());
        if let What::Future(name) = &mut what
            && let Some((awaits, site)) = places.waits_at(&thread.awaits)
        {
            place = Some(awaits);
            *name = site
                .filter(|site| site.method == "await")
                .map(|site| site.receiver);
        }
        let holder = thread.holder.as_ref().map(|of| {
            let site = places.site(of.site);
            Holder {
                name: super::name_of(of),
                place: site.as_ref().map(|(place, _)| line(places, *place)),
                lock: site.map(|(_, site)| site.receiver),
                of: of.clone(),
            }
        });
        Self {
            name: super::name(thread),
            number: thread.thread.number,
            what,
            place: place.map(|place| line(places, place)),
            holder,
        }
    }

    /// `left waits for lock b (In[3]:9), which main has held since In[3]:5`
    pub(super) fn sentence(&self) -> String {
        let place = self.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let holder = self.held().map(|held| format!(", {held}"));
        format!(
            "{} {}{place}{}",
            self.name,
            self.what.sentence(),
            holder.unwrap_or_default()
        )
    }

    fn held(&self) -> Option<String> {
        let holder = self.holder.as_ref()?;
        let place = holder.place.as_deref();
        let since = place.map_or_else(String::new, |place| format!(" since {place}"));
        let at = place.map_or_else(String::new, |place| format!(" at {place}"));
        let lock = match (&holder.lock, &self.what) {
            (Some(there), What::Lock(Some(here))) if there != here => {
                format!(" (there it is `{there}`)")
            }
            _ => String::new(),
        };
        let probably = if holder.of.is_one_of_many {
            "probably "
        } else {
            ""
        };
        let name = &holder.name;
        Some(match holder.of.fate {
            HolderFate::Ended => {
                format!("which {probably}{name} took{at}{lock} and never gave back: it has ended")
            }
            _ if holder.of.number == self.number => {
                format!("which it {probably}holds itself{since}{lock}")
            }
            _ => format!("which {probably}{name} has held{since}{lock}"),
        })
    }

    /// What stands on an arrow to the next thread.
    pub(super) fn short(&self) -> String {
        let named = |kind: &str, name: &Option<String>| match name {
            Some(name) => format!("{kind} {name}"),
            None => kind.to_owned(),
        };
        match &self.what {
            What::Lock(name) => named("lock", name),
            What::End(_) => "end".to_owned(),
            What::Message(name) => named("message from", name),
            What::Room(name) => named("room in", name),
            What::Notification(name) => named("notification of", name),
            What::Barrier(name) => named("barrier", name),
            What::Result(name) => named("result of", name),
            What::Future(name) => named("wake-up by", name),
            What::Scope | What::WakeUp | What::Other(_) => "wake-up".to_owned(),
        }
    }

    /// Who has what it waits for and is no thread that waits.
    pub(super) fn end(&self) -> Option<String> {
        let holder = self.holder.as_ref()?;
        match holder.of.fate {
            HolderFate::Ended => Some(format!("{} (ended)", holder.name)),
            HolderFate::Left => Some("left behind".to_owned()),
            HolderFate::Cells | HolderFate::Lives => None,
        }
    }

    /// Whether nobody can give back what it waits for.
    pub(super) fn is_lost(&self) -> bool {
        self.end().is_some()
    }

    /// What might have to be changed.
    pub(super) fn hint(&self) -> Option<&'static str> {
        match self.what {
            _ if self.is_lost() => Some(
                "A guard that is never dropped (`mem::forget`, a leaked box, a thread that was \
                 stopped for good) never gives its lock back.",
            ),
            What::Message(_) => Some(
                "A receiver waits as long as there is a sender: drop those that will send nothing \
                 more, also the one in this cell.",
            ),
            What::Notification(_) => Some(
                "A notification that comes before the wait is lost: check a condition in a loop, \
                 and notify after changing it.",
            ),
            _ => None,
        }
    }
}

impl What {
    fn sentence(&self) -> String {
        let named = |before: &str, name: &Option<String>, without: &str| match name {
            Some(name) => format!("{before} `{name}`"),
            None => without.to_owned(),
        };
        match self {
            Self::Lock(name) => named("waits for lock", name, "waits for a lock"),
            Self::End(thread) => format!("waits for the end of {thread}"),
            Self::Message(name) => named("waits for a message from", name, "waits for a message"),
            Self::Room(name) => named("waits for room in", name, "waits for room in a channel"),
            Self::Notification(name) => named(
                "waits for a notification of",
                name,
                "waits at a condition variable",
            ),
            Self::Barrier(name) => named("waits for others at", name, "waits at a barrier"),
            Self::Result(name) => named("waits for the result of", name, "waits for a result"),
            Self::Scope => "waits for the threads of its scope".to_owned(),
            Self::Future(Some(name)) => format!("awaits `{name}`, and nobody is left to wake it"),
            Self::Future(None) => "awaits something, and nobody is left to wake it".to_owned(),
            Self::WakeUp => "is parked: waits for a wake-up".to_owned(),
            Self::Other(words) => words.clone(),
        }
    }
}

/// `is_executor`: code of a cell waits, but none that the student wrote.
fn what(thread: &StuckThread, site: Option<Site>, is_executor: bool) -> What {
    let method = site.as_ref().map(|site| site.method.as_str());
    let name = site.as_ref().map(|site| site.receiver.clone());
    let used_by = match thread.thread.state {
        ThreadState::Joining { thread: joined } => {
            let joined =
                joined.map_or_else(|| "a thread".to_owned(), |number| words::name(number, None));
            return What::End(
                name.filter(|_| method == Some("join"))
                    .map_or(joined, |name| format!("`{name}`")),
            );
        }
        ThreadState::Futex { used_by, .. } => used_by,
        // At the place where a runtime hears of the world.
        ThreadState::Io => return What::Future(None),
        _ => return What::Other(words::state(&thread.thread, "a thread")),
    };
    match (used_by, method) {
        (FutexUse::Lock, Some("lock" | "read" | "write")) => What::Lock(name),
        // A condition variable takes its lock again; or the lock is in a function of a library.
        (FutexUse::Lock, _) => What::Lock(None),
        (_, Some("recv" | "for")) => What::Message(name),
        (_, Some("send")) => What::Room(name),
        (_, Some("wait_while")) => What::Notification(name),
        (_, Some("wait()")) => What::Barrier(name),
        (FutexUse::Condvar, Some("wait")) => What::Notification(name),
        (_, Some("result")) => What::Result(name),
        (_, Some("await" | "block_on" | "run")) => What::Future(None),
        (_, Some("scope")) => What::Scope,
        (_, Some("park")) => What::WakeUp,
        // In what the compiler writes around a cell that awaits.
        (FutexUse::Condvar, None) if is_executor && !thread.thread.at.is_empty() => {
            What::Future(None)
        }
        _ => What::Other(words::state(&thread.thread, "a thread")),
    }
}

pub(super) fn line(places: &Places, place: Place) -> String {
    let number = places.cell(place.cell).map_or(0, |cell| cell.number);
    format!("In[{number}]:{}", place.line)
}
