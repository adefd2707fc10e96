//! One thing that is waited for, in words.

use interleave_compiler::sites::Site;
use interleave_protocol::{
    Awaited, CodeAddress, FutexUse, FutureWait, NamedWait, Stuck, StuckThread, TaskKind, TaskName,
    Thread, ThreadState,
};

use super::{
    super::{
        awaited::{What, root},
        lanes::awaits,
        places::Places,
        threads::words,
    },
    channels::{self, Channel},
    holder::{self, Holder, Who},
    several,
    waits::{View, Wait, line},
};

/// Something that it waits for.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) what: What,
    pub(super) is_future: bool,
    place: Option<String>,
    pub(super) holder: Option<Holder>,
    pub(super) channel: Option<Channel>,
    /// The thread or task for whose end it waits.
    pub(super) end_of: Option<Who>,
    /// What else there is to say.
    more: String,
}

/// The call at which something waits, with its number.
type Call = Option<(u32, Site)>;

impl Part {
    pub(super) fn of_words(words: &str) -> Self {
        Self {
            what: What::Other(words.to_owned()),
            is_future: false,
            place: None,
            holder: None,
            channel: None,
            end_of: None,
            more: String::new(),
        }
    }

    pub(super) fn of_thread(thread: &StuckThread, view: View<'_>) -> Self {
        let at = view.places.waits_at(&thread.thread.at);
        let (place, call) = at.map_or((None, None), |(place, call)| (Some(place), call));
        let what = what(&thread.thread, view.stuck, &call, place.is_none());
        let holder = thread.holder.as_ref();
        let site = call.as_ref().map(|(number, site)| (*number, site));
        let more = match (&what, site) {
            (What::Barrier(_), Some(site)) => channels::come(thread, site, view.stuck),
            (What::Once(_), _) => within_itself(&thread.thread, view.places),
            _ => String::new(),
        };
        let is_at_channel = matches!(what, What::Message(_) | What::Room(_));
        let channel = site.filter(|_| is_at_channel);
        Self {
            channel: channel.and_then(|site| Channel::of(&thread.awaited, site, view)),
            is_future: false,
            place: place.map(|place| line(view.places, place)),
            holder: holder.and_then(|holder| Holder::of(holder, view.places)),
            end_of: match thread.thread.state {
                ThreadState::Joining { thread } => thread.map(Who::Thread),
                _ => None,
            },
            more,
            what,
        }
    }

    /// What a future waits for, which may be several things, and how these are awaited at once.
    pub(super) fn of_futures(
        waits: &[FutureWait],
        awaited: &[NamedWait],
        view: View<'_>,
    ) -> (Vec<Self>, Option<String>) {
        let waits = several::awaited_at_once(waits, view.places);
        let parts: Vec<Self> = waits
            .iter()
            .map(|wait| Self::of_future(wait, awaited, view))
            .collect();
        let stack = waits.first().map(|wait| &wait.at[..]);
        let at_once = stack.and_then(|stack| several::combined(stack, parts.len(), view.places));
        (parts, at_once)
    }

    fn of_future(wait: &FutureWait, awaited: &[NamedWait], view: View<'_>) -> Self {
        let places = view.places;
        let (place, call) = places
            .waits_at(&wait.at)
            .map_or((None, None), |(place, call)| (Some(place), call));
        // `lock.blocking_lock()` awaits, too, in a thread.
        let is_blocking = |site: &Site| site.method.starts_with("blocking_");
        let blocking = call
            .as_ref()
            .map(|(_, site)| site)
            .filter(|site| is_blocking(site));
        let blocking = blocking.cloned();
        let call = call.filter(|(_, site)| site.method == "await");
        let base = call.as_ref().map(|(_, site)| site.receiver.as_str());
        let inner = call.as_ref().and_then(|(number, site)| {
            let (_, inner) = places.site(number + 1)?;
            site.receiver.starts_with(&inner.receiver).then_some(inner)
        });
        let end_of = wait.task.map(|id| {
            let kind = TaskKind::Tokio;
            Who::Task(TaskName { kind, id })
        });
        let mut what = match end_of {
            Some(Who::Task(task)) => What::End(ended_task(base, &holder::task_name(task))),
            _ => What::of_await(told(wait, places), inner.or(blocking).as_ref(), base),
        };
        let is_message = matches!(what, What::Message(_) | What::Future(_) | What::Room(_));
        let channel = call.as_ref().filter(|_| is_message);
        let channel =
            channel.and_then(|(number, site)| Channel::of(awaited, (*number, site), view));
        if let (What::Future(Some(name)), Some(_)) = (&what, &channel) {
            what = What::Message(Some(root(name).to_owned()));
        }
        Self {
            is_future: true,
            place: place.map(|place| line(places, place)),
            holder: (wait.holder.as_ref()).and_then(|holder| Holder::of(holder, places)),
            channel,
            end_of,
            more: String::new(),
            what,
        }
    }

    /// What follows the name of what it waits for.
    pub(super) fn remarks(&self, who: Who, waits: &[Wait]) -> String {
        let place = self.place.as_ref();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        let holder = self.holder.as_ref();
        let holder = holder.map(|holder| holder.words(who, &self.what));
        let channel = self.channel.as_ref();
        let channel = channel.map(|channel| channel.remark(self.what.name(), waits));
        format!(
            "{place}{}{}{}",
            holder.unwrap_or_default(),
            channel.unwrap_or_default(),
            self.more
        )
    }

    pub(super) fn is_message(&self) -> bool {
        matches!(self.what, What::Message(_))
    }

    pub(super) fn hint(&self) -> Option<String> {
        let sender = self.channel.as_ref().and_then(Channel::sender);
        let hint = match self.what {
            What::Message(_) if let Some(sender) = sender => {
                return Some(format!(
                    "A receiver waits as long as there is a sender: drop those that will send \
                     nothing more, here `drop({sender})`."
                ));
            }
            What::Message(_) => {
                "A receiver waits as long as there is a sender: drop those that will send nothing \
                 more, also the one in this cell."
            }
            What::Notification(_) if self.is_future => {
                "`notify_waiters` wakes only those that wait already; `notify_one` is remembered \
                 for one that comes later."
            }
            What::Notification(_) => {
                "A notification that comes before the wait is lost: check a condition in a loop, \
                 and notify after changing it."
            }
            What::Permit(_) => {
                "A permit comes back when its guard is dropped; `add_permits` makes new ones."
            }
            What::Once(_) if !self.more.is_empty() => {
                "What initializes a value must not ask for that value."
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// What a future waits for, as those tell who keep its waker: functions by their names or files.
fn told(wait: &FutureWait, places: &Places) -> Option<Awaited> {
    let mut awaited = wait.what;
    for address in &wait.at {
        for location in places.locations(address) {
            if places.of_panic(&location).is_some() {
                return awaited;
            }
            awaited = awaits::both(awaited, awaits::in_file(&location.file));
        }
    }
    awaited
}

/// `is_executor`: code of a cell waits, but none that the student wrote.
fn what(thread: &Thread, stuck: &Stuck, call: &Call, is_executor: bool) -> What {
    let site = call.as_ref().map(|(_, site)| site);
    let used_by = match thread.state {
        ThreadState::Joining { thread: joined } => {
            let joins = site.filter(|site| site.method == "join");
            let variable = joins.map(|site| site.receiver.as_str());
            return What::End(joined_thread(joined, variable, &stuck.threads));
        }
        ThreadState::Futex { used_by, .. } => used_by,
        // At the place where a runtime hears of the world.
        ThreadState::Io => return What::Future(None),
        _ => return What::Other(words::state(thread, "a thread")),
    };
    let is_in_executor = used_by == FutexUse::Condvar && is_executor && !thread.at.is_empty();
    let own = || What::Other(words::state(thread, "a thread"));
    match What::of_call(used_by, site) {
        Some(what) => what,
        // In what the compiler writes around a cell that awaits.
        None if site.is_none() && is_in_executor => What::Future(None),
        None => own(),
    }
}

/// Whether a thread waits for an initialization that it is itself in, in words.
fn within_itself(thread: &Thread, places: &Places) -> String {
    let call = |address: &CodeAddress| {
        let (_, call) = places.waits_at(std::slice::from_ref(address))?;
        let (number, site) = call?;
        matches!(site.method.as_str(), "call_once" | "get_or_init")
            .then_some((number, site.receiver))
    };
    let mut calls = thread.at.iter().filter_map(call);
    let Some((_, waits_for)) = calls.next() else {
        return String::new();
    };
    // Called again on the way: by the same name, as far as can be seen.
    match calls.any(|(_, name)| name == waits_for) {
        true => ", which it is doing itself: the initialization asks for its own result".to_owned(),
        false => String::new(),
    }
}

/// The thread whose end is waited for: `worker` for the variable, and its own name if that is another.
fn joined_thread(number: Option<u64>, variable: Option<&str>, stuck: &[StuckThread]) -> String {
    let mut threads = stuck.iter().map(|it| &it.thread);
    let thread = threads.find(|thread| Some(thread.number) == number);
    let own = thread.and_then(|thread| thread.name.clone());
    // A thread that is joined where it is made has no other name.
    let is_name = |variable: &&str| own.is_none() || !variable.contains("::");
    match (variable.map(root).filter(is_name), own.clone(), number) {
        (Some(variable), Some(own), _) if own != variable => format!("`{variable}`, thread {own}"),
        (Some(variable), ..) => format!("`{variable}`"),
        (None, Some(own), _) => own,
        (None, None, Some(number)) => words::name(number, None),
        (None, None, None) => "a thread".to_owned(),
    }
}

/// The same of a task.
fn ended_task(variable: Option<&str>, task: &str) -> String {
    variable.map_or_else(
        || task.to_owned(),
        |variable| format!("`{variable}`, {task}"),
    )
}
