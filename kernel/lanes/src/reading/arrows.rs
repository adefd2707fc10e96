//! Who woke whom.

use std::collections::HashMap;

use interleave_protocol::ThreadState;

use super::{Key, Waiting};
use crate::{ArrowKind, Event};

/// An arrow, before it is known which lanes are shown. Times are absolute.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub(crate) kind: ArrowKind,
    pub(crate) from: (Key, u64),
    pub(crate) to: (Key, u64),
    pub(crate) text: String,
}

impl Link {
    pub(crate) fn new(kind: ArrowKind, from: (Key, u64), to: (Key, u64)) -> Self {
        let text = String::new();
        Self {
            kind,
            from,
            to,
            text,
        }
    }
}

/// Everything that may have ended a wait.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    /// By the address of the futex, in order.
    at: HashMap<u64, Vec<Woke>>,
    ended: HashMap<u64, u64>,
}

#[derive(Debug, Clone, Copy)]
struct Woke {
    time: u64,
    by: Key,
    /// Whether it explains the end of a wait already.
    is_used: bool,
}

impl Wakes {
    pub(crate) fn note(&mut self, address: u64, time: u64, by: Key) {
        let is_used = false;
        self.at
            .entry(address)
            .or_default()
            .push(Woke { time, by, is_used });
    }

    pub(crate) fn ended(&mut self, thread: u64, time: u64) {
        self.ended.insert(thread, time);
    }

    /// What ended a wait: who did it, and when.
    pub(crate) fn of(&mut self, waiting: &Waiting, end: &Event) -> Option<(ArrowKind, Key, u64)> {
        match waiting.state {
            ThreadState::Futex { address, .. } => {
                let (by, time) = self.at_futex(address, waiting.since, end)?;
                Some((ArrowKind::Wake, by, time))
            }
            ThreadState::Joining {
                thread: Some(joined),
            } => {
                let time = self.ended.get(&joined)?;
                let time = (*time).clamp(waiting.since, end.time);
                Some((ArrowKind::Join, Key::Thread(joined), time))
            }
            _ => None,
        }
    }

    /// The first call since then that has woken nobody yet, because each wakes one thread if it is a
    /// lock's or a channel's; otherwise the last, which then woke several.
    fn at_futex(&mut self, address: u64, since: u64, end: &Event) -> Option<(Key, u64)> {
        let calls = self.at.get_mut(&address)?;
        let first = calls.partition_point(|woke| woke.time < since);
        let mut calls = calls[first..].iter_mut();
        let calls = calls
            .by_ref()
            .filter(|woke| woke.by != Key::Thread(end.thread));
        let mut last = None;
        for woke in calls {
            last = Some((woke.by, woke.time));
            if !std::mem::replace(&mut woke.is_used, true) {
                break;
            }
        }
        last
    }
}
