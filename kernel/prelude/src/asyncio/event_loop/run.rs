//! The loop itself: sleep until something is ready, run it, begin again.

use std::{cell::RefCell, cmp::Reverse, pin::Pin, sync::Arc, task::Waker, time::Instant};

use interleave_protocol::ObjectKind;

use super::{Asked, EventLoop};
use crate::{
    asyncio::ready::work_name,
    host::Owner,
    private::{awaits, checkpoint, interrupt},
    runtime,
    trace::{self, Entered},
};

impl EventLoop {
    /// Runs until the future is done, or until `stop`. Its type is forgotten, because what is generic
    /// is compiled into every cell that awaits.
    pub(super) fn run_root(&self, future: Pin<&mut dyn Future<Output = ()>>, name: fn() -> String) {
        let bell = self.new_waker();
        let waker = Waker::from(Arc::clone(&bell));
        trace::spawned(work_name(bell.id), name);
        bell.begin();
        interrupt::await_by(future, |mut future| {
            self.run(Some(bell.id), || {
                bell.left_queue();
                let mut entered = Entered::new(work_name(bell.id));
                let polled = awaits::poll_noting(&waker, |cx| future.as_mut().poll(cx));
                entered.set_over(polled.is_ready());
                polled.is_ready()
            });
        });
    }

    /// Runs until `poll_root`, the only thing that `root` stands for, returns true, or until
    /// `stop`.
    pub(super) fn run(&self, root: Option<u64>, mut poll_root: impl FnMut() -> bool) {
        let run = Run::begin(self);
        runtime::blocking(|| {
            let mut done = false;
            while !done {
                // A task catches what unwinds it; here the loop itself ends.
                checkpoint();
                self.sleep_until_ready();
                self.release_due_timers();
                self.tick();
                // Only what is ready now: what becomes ready meanwhile is for the next round, so
                // that timers get their turn however busy the tasks are.
                for _ in 0..self.inner.ready.len() {
                    let Some(id) = self.inner.ready.pop() else {
                        break;
                    };
                    if Some(id) == root {
                        // It may be in the queue once more, and a future ends only once.
                        done = done || poll_root();
                    } else if !self.run_work(id) {
                        run.put_aside.borrow_mut().push(id);
                    }
                }
                done |= self.inner.stopping.get();
            }
        });
    }

    /// A round begins.
    fn tick(&self) {
        let count = self.inner.ticks.get() + 1;
        self.inner.ticks.set(count);
        let state = format_args!("tick {count}");
        trace::state(ObjectKind::EventLoop, self.inner.number, state);
    }

    fn sleep_until_ready(&self) {
        let mut timers = self.inner.timers.borrow_mut();
        // A cancelled timer has lost its work.
        while timers
            .peek()
            .is_some_and(|Reverse((_, id))| !self.has_work(*id))
        {
            timers.pop();
        }
        let next = timers.peek().map(|Reverse((due, _))| *due);
        drop(timers);
        if !self.inner.stopping.get() {
            self.inner.ready.wait(next);
        }
    }

    fn release_due_timers(&self) {
        let now = Instant::now();
        let mut timers = self.inner.timers.borrow_mut();
        while timers.peek().is_some_and(|Reverse((due, _))| *due <= now) {
            if let Some(Reverse((_, id))) = timers.pop() {
                self.inner.ready.push(id);
            }
        }
    }

    /// Drops what a cell has asked for: the cell was interrupted.
    pub(crate) fn give_up(&self, cell: Owner) {
        self.drop_those(|asked| asked.owner == cell);
    }

    /// Drops what is to stop.
    pub(crate) fn drop_stopped(&self) {
        self.drop_those(Asked::is_to_stop);
    }

    fn drop_those(&self, is_meant: impl Fn(&Asked) -> bool) {
        let all = self.inner.work.borrow();
        let meant = all.iter().filter(|(_, asked)| is_meant(asked));
        let mut ids: Vec<u64> = meant.map(|(id, _)| *id).collect();
        drop(all);
        ids.sort_unstable();
        for id in ids {
            let asked = self.inner.work.borrow_mut().remove(&id);
            asked.into_iter().for_each(Asked::give_up);
        }
    }

    fn has_work(&self, id: u64) -> bool {
        self.inner.work.borrow().contains_key(&id)
    }

    /// Calls a callback, or takes a task one step further: to its next `.await` that has to wait.
    /// Returns false if the number stands for nothing that can run here.
    fn run_work(&self, id: u64) -> bool {
        let found = self.inner.work.borrow_mut().remove(&id);
        let Some(asked) = found else {
            return false;
        };
        if asked.is_to_stop() {
            asked.give_up();
        } else if let Some(unfinished) = asked.run(id) {
            if unfinished.is_to_stop() {
                unfinished.give_up();
            } else {
                self.put(id, unfinished);
            }
        }
        true
    }
}

/// One call of [`EventLoop::run`]: tidies up when it ends, also by a panic.
struct Run<'a> {
    event_loop: &'a EventLoop,
    /// Numbers that mean nothing to this run. If a task called it, they may mean something to the
    /// run around: its root, or that task, both of which are on the stack and cannot run now.
    put_aside: RefCell<Vec<u64>>,
    /// A `stop` that was meant for the run around.
    stop_outer: bool,
}

impl<'a> Run<'a> {
    fn begin(event_loop: &'a EventLoop) -> Run<'a> {
        let inner = &event_loop.inner;
        let stop_outer = inner.depth.get() > 0 && inner.stopping.take();
        inner.depth.set(inner.depth.get() + 1);
        inner.ready.set_driven(true);
        Run {
            event_loop,
            put_aside: RefCell::default(),
            stop_outer,
        }
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let inner = &self.event_loop.inner;
        inner.depth.set(inner.depth.get() - 1);
        inner.ready.set_driven(inner.depth.get() > 0);
        inner.stopping.set(self.stop_outer);
        // Without a run around they are leftovers: a finished task that was woken once more.
        if inner.depth.get() > 0 {
            self.put_aside
                .take()
                .into_iter()
                .for_each(|id| inner.ready.push(id));
        }
    }
}
