//! What somebody has asked a loop for.

use std::{
    panic::{AssertUnwindSafe, Location, catch_unwind},
    time::Instant,
};

use super::EventLoop;
use crate::{
    asyncio::{
        ready::{LoopWaker, new_id, work_name},
        task::Step,
    },
    concurrent::futures::Exception,
    host::Owner,
    panics,
    private::interrupt::{self, Interrupted},
    tasks::in_loop::Listed,
    trace::{self, Entered},
};

/// What somebody has asked for.
pub(super) struct Asked {
    /// The cell that has: what it prints belongs there, wherever the loop runs.
    pub(super) owner: Owner,
    work: Work,
    /// In the list of what lives. What moves a result into a future is in none.
    listed: Option<Listed>,
}

pub(super) enum Work {
    Callback(Box<dyn FnOnce()>),
    Task(Box<dyn Step>),
}

impl EventLoop {
    pub(super) fn add_task(
        &self,
        bell: &LoopWaker,
        step: Box<dyn Step>,
        (name, function): (&str, &str),
        place: &'static Location<'static>,
    ) {
        trace::spawned(work_name(bell.id), || format!("{name} {function}"));
        let listed = Listed::task(bell.id, name, function, place, &self.inner.ready);
        self.put(bell.id, Asked::new(Work::Task(step), Some(listed)));
        bell.begin();
    }

    #[track_caller]
    pub(super) fn add_callback(&self, f: Box<dyn FnOnce()>, due: Option<Instant>) -> u64 {
        let id = new_id();
        trace::spawned(work_name(id), || "callback".into());
        let listed = Listed::callback(id, due, Location::caller(), &self.inner.ready);
        self.put(id, Asked::new(Work::Callback(f), Some(listed)));
        id
    }
}

impl Asked {
    pub(super) fn new(work: Work, listed: Option<Listed>) -> Self {
        let owner = Owner::current();
        Self {
            owner,
            work,
            listed,
        }
    }

    pub(super) fn is_to_stop(&self) -> bool {
        self.listed.as_ref().is_some_and(Listed::is_to_stop)
    }

    /// Gives back what goes on.
    pub(super) fn run(self, id: u64) -> Option<Self> {
        let Self {
            owner,
            work,
            listed,
        } = self;
        let _owned = owner.enter_for_now();
        let running = listed.as_ref().map(Listed::run);
        let mut entered = Entered::new(work_name(id));
        let unfinished = match work {
            Work::Callback(f) => {
                call(f);
                None
            }
            Work::Task(mut step) => (!step.step()).then_some(step),
        };
        entered.set_over(unfinished.is_none());
        drop(entered);
        drop(running);
        let work = Work::Task(unfinished?);
        Some(Self {
            owner,
            work,
            listed,
        })
    }

    /// Drops it. It stays in the list until that is done.
    pub(super) fn give_up(self) {
        let Self {
            owner,
            work,
            listed,
        } = self;
        let _owned = owner.enter_for_now();
        let running = listed.as_ref().map(Listed::run);
        let give_up = || match work {
            Work::Task(mut step) => step.cancel(),
            callback => drop(callback),
        };
        // The panic of a destructor was reported.
        let _ = catch_unwind(AssertUnwindSafe(|| interrupt::spare(give_up)));
        drop(running);
    }
}

fn call(f: Box<dyn FnOnce()>) {
    if let Err(panic) = panics::hand_on(f)
        && !Interrupted::is_in(&*panic)
    {
        eprintln!("Exception in callback: {}", Exception::from_panic(panic));
    }
}
