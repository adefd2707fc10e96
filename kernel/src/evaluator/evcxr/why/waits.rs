//! What one thread waits for, in words.

use interleave_compiler::sites::Site;
use interleave_protocol::{
    FutexUse, HolderFate, LockHolder, Stuck, StuckThread, Thread, ThreadState,
};

use super::{
    super::{
        places::{Place, Places},
        threads::words,
    },
    channels::{self, Channel},
};

/// A thread that waits.
#[derive(Debug)]
pub(super) struct Wait {
    pub(super) name: String,
    number: u64,
    what: What,
    place: Option<String>,
    holder: Option<Holder>,
    pub(super) channel: Option<Channel>,
    /// How many have come to the barrier.
    come: String,
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
    FutureMessage(String),
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
    pub(super) fn of(
        thread: &StuckThread,
        stuck: &Stuck,
        cell: Option<usize>,
        places: &Places,
    ) -> Self {
        let at = places.waits_at(&thread.thread.at);
        let (mut place, mut site) = at.map_or((None, None), |(place, site)| (Some(place), site));
        let mut what = what(
            &thread.thread,
            &stuck.threads,
            site.as_ref().map(|(_, site)| site),
            place.is_none(),
        );
        if let What::Future(name) = &mut what
            && let Some((awaits, awaited)) = places.waits_at(&thread.awaits)
        {
            (place, site) = (Some(awaits), awaited);
            let site = site.as_ref().filter(|(_, site)| site.method == "await");
            *name = site.map(|(_, site)| site.receiver.clone());
        }
        let site = site.as_ref().map(|(number, site)| (*number, site));
        let channel = site
            .filter(|_| what.is_at_channel())
            .and_then(|site| Channel::of(thread, site, (stuck, cell), places));
        if let (What::Future(Some(name)), Some(_)) = (&what, &channel) {
            what = What::FutureMessage(root(name).to_owned());
        }
        let come = match (&what, site) {
            (What::Barrier(_), Some(site)) => channels::come(thread, site, stuck),
            _ => String::new(),
        };
        // Who has ended has probably given it back, and another has taken it without a note.
        let is_likely = |of: &&LockHolder| of.is_certain || of.fate != HolderFate::Ended;
        let holder = thread.holder.as_ref().filter(is_likely).map(|of| {
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
            channel,
            come,
        }
    }

    /// `left waits for lock b (In[3]:9), which main has held since In[3]:5`
    pub(super) fn sentence(&self, threads: &[StuckThread]) -> String {
        let place = self.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let holder = self.held().map(|held| format!(", {held}"));
        let channel = self.channel.as_ref();
        let channel = channel.map(|channel| channel.remark(self.what.name(), threads));
        format!(
            "{} {}{place}{}{}{}",
            self.name,
            self.what.sentence(),
            holder.unwrap_or_default(),
            channel.unwrap_or_default(),
            self.come
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
        let probably = if holder.of.is_certain {
            ""
        } else {
            "probably "
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
            What::FutureMessage(name) => format!("message from {name}"),
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

    /// Whether the holder of the lock is only probable.
    pub(super) fn is_guessed(&self) -> bool {
        self.holder
            .as_ref()
            .is_some_and(|holder| !holder.of.is_certain)
    }

    /// Whether nobody can give back what it waits for.
    pub(super) fn is_lost(&self) -> bool {
        self.end().is_some()
    }

    /// Whether it waits for a message of a channel that is known.
    pub(super) fn receives(&self) -> bool {
        let is_message = matches!(self.what, What::Message(_) | What::FutureMessage(_));
        is_message && self.channel.is_some()
    }

    /// What might have to be changed.
    pub(super) fn hint(&self) -> Option<String> {
        let sender = self.channel.as_ref().and_then(Channel::sender);
        let hint = match self.what {
            _ if self.is_lost() => {
                "A guard that is never dropped (`mem::forget`, a leaked box, a thread that was \
                 stopped for good) never gives its lock back."
            }
            What::Message(_) | What::FutureMessage(_) if let Some(sender) = sender => {
                return Some(format!(
                    "A receiver waits as long as there is a sender: drop those that will send \
                     nothing more, here `drop({sender})`."
                ));
            }
            What::Message(_) | What::FutureMessage(_) => {
                "A receiver waits as long as there is a sender: drop those that will send nothing \
                 more, also the one in this cell."
            }
            What::Notification(_) => {
                "A notification that comes before the wait is lost: check a condition in a loop, \
                 and notify after changing it."
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl What {
    fn is_at_channel(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Room(_) | Self::Future(_))
    }

    /// The student's name for it.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Message(name) | Self::Room(name) => name.as_deref(),
            Self::FutureMessage(name) => Some(name),
            _ => None,
        }
    }

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
            Self::FutureMessage(name) => format!("awaits a message from `{name}`"),
            Self::WakeUp => "is parked: waits for a wake-up".to_owned(),
            Self::Other(words) => words.clone(),
        }
    }
}

/// `is_executor`: code of a cell waits, but none that the student wrote.
fn what(thread: &Thread, stuck: &[StuckThread], site: Option<&Site>, is_executor: bool) -> What {
    let method = site.map(|site| site.method.as_str());
    let name = site.map(|site| site.receiver.clone());
    let used_by = match thread.state {
        ThreadState::Joining { thread: joined } => {
            return What::End(joined_thread(
                joined,
                name.filter(|_| method == Some("join")),
                stuck,
            ));
        }
        ThreadState::Futex { used_by, .. } => used_by,
        // At the place where a runtime hears of the world.
        ThreadState::Io => return What::Future(None),
        _ => return What::Other(words::state(thread, "a thread")),
    };
    match (used_by, method) {
        (FutexUse::Lock, Some("lock" | "read" | "write")) => What::Lock(name),
        // A condition variable takes its lock again; or the lock is in a function of a library.
        (FutexUse::Lock, _) => What::Lock(None),
        // `rx.lock().unwrap()`, or `rx` after `for`.
        (_, Some("recv" | "recv_timeout" | "for")) => {
            What::Message(name.map(|name| root(&name).to_owned()))
        }
        (_, Some("send" | "send_timeout")) => What::Room(name),
        (_, Some("wait_while" | "wait_timeout" | "wait_timeout_while")) => What::Notification(name),
        (_, Some("wait()")) => What::Barrier(name),
        (FutexUse::Condvar, Some("wait")) => What::Notification(name),
        (_, Some("result")) => What::Result(name),
        (_, Some("await" | "block_on" | "run")) => What::Future(None),
        (_, Some("scope")) => What::Scope,
        (_, Some("park")) => What::WakeUp,
        // In what the compiler writes around a cell that awaits.
        (FutexUse::Condvar, None) if is_executor && !thread.at.is_empty() => What::Future(None),
        _ => What::Other(words::state(thread, "a thread")),
    }
}

/// What a thread waits for at a futex, if the student has a name for it.
pub(in super::super) fn by_name(thread: &Thread, places: &Places) -> Option<String> {
    let ThreadState::Futex { seconds, .. } = thread.state else {
        return None;
    };
    let (_, site) = places.waits_at(&thread.at)?;
    let what = what(thread, &[], site.as_ref().map(|(_, site)| site), false);
    let has_name = matches!(
        what,
        What::Lock(Some(_))
            | What::Message(Some(_))
            | What::Room(Some(_))
            | What::Notification(Some(_))
            | What::Barrier(Some(_))
            | What::Result(Some(_))
    );
    let limit = seconds.map(|seconds| format!(", {} at most", words::span(seconds)));
    has_name.then(|| format!("{}{}", what.sentence(), limit.unwrap_or_default()))
}

/// What an expression begins with: `rx` of `rx.lock().unwrap()`, `&rx` and `rx.recv()`.
pub(in super::super) fn root(text: &str) -> &str {
    let text = text.trim_start_matches(['&', '*', '(']);
    let text = text.strip_prefix("mut ").unwrap_or(text);
    let calls = [
        ".lock()",
        ".borrow",
        ".recv()",
        ".iter()",
        ".into_iter()",
        ".clone()",
        ".take()",
    ];
    let ends = calls.iter().filter_map(|call| text.find(call));
    &text[..ends.min().unwrap_or(text.len())]
}

/// The thread whose end is waited for: `worker` for the variable, and its own name if that is another.
fn joined_thread(number: Option<u64>, variable: Option<String>, stuck: &[StuckThread]) -> String {
    let mut threads = stuck.iter().map(|it| &it.thread);
    let thread = threads.find(|thread| Some(thread.number) == number);
    let own = thread.and_then(|thread| thread.name.clone());
    match (variable.as_deref().map(root), own, number) {
        (Some(variable), Some(own), _) if own != variable => format!("`{variable}`, thread {own}"),
        (Some(variable), ..) => format!("`{variable}`"),
        (None, Some(own), _) => own,
        (None, None, Some(number)) => words::name(number, None),
        (None, None, None) => "a thread".to_owned(),
    }
}

pub(super) fn line(places: &Places, place: Place) -> String {
    let number = places.cell(place.cell).map_or(0, |cell| cell.number);
    format!("In[{number}]:{}", place.line)
}
