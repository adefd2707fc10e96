//! What threads and futures wait for, told by the call that waits.

use interleave_compiler::sites::Site;
use interleave_protocol::{Awaited, FutexUse};

/// What is waited for, with the student's name for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    Lock(Option<String>),
    /// The end of a thread or a task, as it is called.
    End(String),
    Message(Option<String>),
    /// In a channel.
    Room(Option<String>),
    Notification(Option<String>),
    Barrier(Option<String>),
    Permit(Option<String>),
    /// Of the value in a `watch` channel.
    Change(Option<String>),
    Result(Option<String>),
    /// Something is initialized once.
    Once(Option<String>),
    Scope,
    WakeUp,
    /// Of which nothing is known but what stands there.
    Future(Option<String>),
    /// All there is to say, with the verb.
    Other(String),
}

impl What {
    /// What a thread waits for at a futex, in such a call; `None` if the call does not tell.
    pub(super) fn of_call(used_by: FutexUse, site: Option<&Site>) -> Option<Self> {
        let method = site.map(|site| site.method.as_str());
        let name = || site.map(|site| site.receiver.clone());
        Some(match (used_by, method) {
            (FutexUse::Lock, Some("lock" | "read" | "write")) => Self::Lock(name()),
            // A condition variable takes its lock again; or the lock is in a function of a library.
            (FutexUse::Lock, _) => Self::Lock(None),
            (FutexUse::Once, Some("call_once" | "get_or_init")) => Self::Once(name()),
            (FutexUse::Once, _) => Self::Once(None),
            // `rx.lock().unwrap()`, or `rx` after `for`.
            (_, Some("recv" | "recv_timeout" | "for")) => {
                Self::Message(name().map(|name| root(&name).to_owned()))
            }
            (_, Some("send" | "send_timeout")) => Self::Room(name()),
            (_, Some("wait_while" | "wait_timeout" | "wait_timeout_while")) => {
                Self::Notification(name())
            }
            (_, Some("wait()")) => Self::Barrier(name()),
            (FutexUse::Condvar, Some("wait")) => Self::Notification(name()),
            (_, Some("result")) => Self::Result(name()),
            (_, Some("await" | "block_on" | "run" | "blocking_lock")) => Self::Future(None),
            (_, Some("blocking_recv" | "blocking_send")) => Self::Future(None),
            (_, Some("scope")) => Self::Scope,
            (_, Some("park")) => Self::WakeUp,
            _ => return None,
        })
    }

    /// What a future waits for: `awaited` by the code that is to wake it, at a call; `base` is what
    /// stands before `.await`.
    pub(super) fn of_await(
        awaited: Option<Awaited>,
        site: Option<&Site>,
        base: Option<&str>,
    ) -> Self {
        let receiver = site.map(|site| site.receiver.clone());
        let name = || receiver.clone().or_else(|| base.map(str::to_owned));
        match awaited {
            Some(Awaited::Lock) => Self::Lock(receiver),
            Some(Awaited::Permit) => Self::Permit(receiver),
            Some(Awaited::Message) => Self::Message(name().map(|name| root(&name).to_owned())),
            Some(Awaited::Room) => Self::Room(receiver),
            Some(Awaited::Notification) => Self::Notification(receiver),
            Some(Awaited::Barrier) => Self::Barrier(receiver),
            Some(Awaited::Change) => {
                Self::Change(base.map(|base| base.split('.').next().unwrap_or(base).to_owned()))
            }
            Some(Awaited::Sleep | Awaited::Io | Awaited::Task | Awaited::Job) | None => {
                Self::Future(base.map(str::to_owned))
            }
        }
    }

    /// In few words, for an arrow or a lane: `lock b`.
    pub(super) fn label(&self) -> String {
        let (kind, name) = match self {
            Self::Lock(name) => ("lock", name),
            Self::Message(name) => ("message from", name),
            Self::Room(name) => ("room in", name),
            Self::Notification(name) => ("notification of", name),
            Self::Barrier(name) => ("barrier", name),
            Self::Permit(name) => ("permit of", name),
            Self::Change(name) => ("change of", name),
            Self::Result(name) => ("result of", name),
            Self::Once(name) => ("initialization of", name),
            Self::Future(name) => ("wake-up by", name),
            Self::End(_) => return "end".to_owned(),
            Self::Scope | Self::WakeUp | Self::Other(_) => return "wake-up".to_owned(),
        };
        let bare = kind.trim_end_matches(" of").trim_end_matches(" from");
        let bare = bare.trim_end_matches(" in").trim_end_matches(" by");
        name.as_ref()
            .map_or_else(|| bare.to_owned(), |name| format!("{kind} {name}"))
    }

    /// As that which is awaited: ``a message from `rx` ``.
    pub(super) fn noun(&self) -> String {
        let named = |before: &str, name: &Option<String>, without: &str| match name {
            Some(name) => format!("{before} `{name}`"),
            None => without.to_owned(),
        };
        match self {
            Self::Lock(name) => named("lock", name, "a lock"),
            Self::End(who) => format!("the end of {who}"),
            Self::Message(name) => named("a message from", name, "a message"),
            Self::Room(name) => named("room in", name, "room in a channel"),
            Self::Notification(name) => named("a notification of", name, "a notification"),
            Self::Barrier(name) => named("others at", name, "others at a barrier"),
            Self::Permit(name) => named("a permit of", name, "a permit"),
            Self::Change(name) => named("a change of", name, "a change"),
            Self::Result(name) => named("the result of", name, "a result"),
            Self::Once(name) => named("the initialization of", name, "an initialization"),
            Self::Scope => "the threads of its scope".to_owned(),
            Self::WakeUp => "a wake-up".to_owned(),
            Self::Future(Some(name)) => format!("`{name}`"),
            Self::Future(None) => "something".to_owned(),
            Self::Other(words) => words.clone(),
        }
    }

    /// With what the waiting one does: ``waits for a message from `rx` ``.
    pub(super) fn phrase(&self, is_future: bool) -> String {
        match self {
            Self::Other(words) => words.clone(),
            Self::WakeUp => "is parked: waits for a wake-up".to_owned(),
            Self::Notification(None) if !is_future => "waits at a condition variable".to_owned(),
            Self::Barrier(None) if !is_future => "waits at a barrier".to_owned(),
            Self::Future(_) => format!("awaits {}, and nobody is left to wake it", self.noun()),
            _ if is_future => format!("awaits {}", self.noun()),
            _ => format!("waits for {}", self.noun()),
        }
    }

    /// The student's name for it.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Lock(name)
            | Self::Message(name)
            | Self::Room(name)
            | Self::Notification(name)
            | Self::Barrier(name)
            | Self::Permit(name)
            | Self::Change(name)
            | Self::Result(name)
            | Self::Once(name)
            | Self::Future(name) => name.as_deref(),
            Self::End(_) | Self::Scope | Self::WakeUp | Self::Other(_) => None,
        }
    }
}

/// What an expression begins with: `rx` of `rx.lock().unwrap()`, `&rx` and `rx.recv()`.
pub(super) fn root(text: &str) -> &str {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn site(method: &str) -> Site {
        Site {
            line: 1,
            start: 1,
            column: 3,
            receiver: "x".into(),
            method: method.into(),
            ends: Vec::new(),
            bodies: Vec::new(),
        }
    }

    #[test]
    fn one_call_is_called_the_same_in_a_sentence_and_in_a_lane() {
        let said = |used_by, method: &str| {
            let what = What::of_call(used_by, Some(&site(method))).unwrap();
            (what.phrase(false), what.label())
        };
        for (used_by, method, phrase, label) in [
            (
                FutexUse::Park,
                "recv",
                "waits for a message from `x`",
                "message from x",
            ),
            (
                FutexUse::Condvar,
                "wait",
                "waits for a notification of `x`",
                "notification of x",
            ),
            (
                FutexUse::Condvar,
                "wait()",
                "waits for others at `x`",
                "barrier x",
            ),
            (FutexUse::Lock, "read", "waits for lock `x`", "lock x"),
            (FutexUse::Lock, "wait", "waits for a lock", "lock"),
            (
                FutexUse::Once,
                "get_or_init",
                "waits for the initialization of `x`",
                "initialization of x",
            ),
        ] {
            assert_eq!(said(used_by, method), (phrase.into(), label.into()));
        }
        assert_eq!(What::of_call(FutexUse::Unknown, Some(&site("wait"))), None);
    }

    #[test]
    fn what_is_awaited_has_the_name_that_stands_there() {
        let said = |awaited, method: Option<&str>, base| {
            let site = method.map(site);
            What::of_await(awaited, site.as_ref(), Some(base)).phrase(true)
        };
        let lock = said(Some(Awaited::Lock), Some("lock"), "x.lock()");
        assert_eq!(lock, "awaits lock `x`");
        let message = said(Some(Awaited::Message), None, "rx.recv()");
        assert_eq!(message, "awaits a message from `rx`");
        let other = said(None, None, "f()");
        assert_eq!(other, "awaits `f()`, and nobody is left to wake it");
    }
}
