//! What tasks do.

use interleave_protocol::{Awaited, TaskKind, TaskName};

use super::{Doing, Key, Reader, TaskTrack, arrows::Link, labels, track::Track};
use crate::{ArrowKind, Event, words};

impl Reader<'_> {
    pub(super) fn task_spawned(&mut self, event: &Event, name: TaskName) {
        // It may be told by another thread than the one that its maker was on.
        let maker = event.task.and_then(|maker| self.live.get(&maker));
        let from = maker.map_or_else(|| self.active(event), |maker| Key::Task(*maker));
        // A name is used again when its task is over, even if nobody saw that.
        let task = self.new_task(event, name);
        let state = match name.kind {
            // It does nothing until it is resumed.
            TaskKind::Generator => Doing::Suspended(None, None),
            _ => Doing::Ready,
        };
        let new = &mut self.tasks[task];
        new.made_at = event.at;
        new.track.turn(event.time, Some(state), event.at);
        let to = Key::Task(task);
        let link = Link::new(ArrowKind::Spawn, (from, event.time), (to, event.time));
        self.links.push(link);
        self.step_about(from, event, "makes", to, "");
    }

    fn new_task(&mut self, event: &Event, name: TaskName) -> usize {
        let track = Track {
            is_own: self.is_own(event),
            ..Track::default()
        };
        self.tasks.push(TaskTrack {
            name,
            called: self.called.remove(&name),
            track,
            made_at: None,
            home: event.thread,
            was_entered: false,
            is_woken: false,
            is_lost: false,
            keeps: None,
        });
        let task = self.tasks.len() - 1;
        if let Some(old) = self.live.insert(name, task) {
            self.tasks[old].track.turn(event.time, None, None);
            self.take_off(old);
        }
        task
    }

    pub(super) fn task_named(&mut self, name: TaskName, called: &str) {
        let called = words::plain(called);
        match self.live.get(&name) {
            _ if called.trim().is_empty() => {}
            Some(task) => self.tasks[*task].called = Some(called),
            None => drop(self.called.insert(name, called)),
        }
    }

    /// No thread runs it any longer.
    fn take_off(&mut self, task: usize) {
        for thread in self.threads.values_mut() {
            thread.stack.retain(|running| *running != task);
        }
    }

    pub(super) fn task_entered(&mut self, event: &Event, given: &str) {
        let Some(name) = event.task else { return };
        let from = self.active(event);
        let known = self.live.get(&name).copied();
        let task = known.unwrap_or_else(|| self.new_task(event, name));
        self.take_off(task);
        let entered = &mut self.tasks[task];
        entered.is_woken = false;
        entered.is_lost = false;
        entered.keeps = None;
        if !std::mem::replace(&mut entered.was_entered, true) {
            entered.home = event.thread;
        }
        let thread = self.threads.entry(event.thread).or_default();
        thread.stack.push(task);
        thread.is_over = false;
        thread.waits = None;
        self.refresh(event);
        let given = words::plain(given);
        if name.kind == TaskKind::Generator || !given.is_empty() {
            let mut link = Link::new(
                ArrowKind::Enter,
                (from, event.time),
                (Key::Task(task), event.time),
            );
            link.text.clone_from(&given);
            self.links.push(link);
        }
        self.step_about(
            from,
            event,
            "runs",
            Key::Task(task),
            &with(" with ", &given),
        );
    }

    pub(super) fn task_left(
        &mut self,
        event: &Event,
        is_over: bool,
        gave: &str,
        awaits: Option<Awaited>,
    ) {
        let Some(name) = event.task else { return };
        let Some(task) = self.live.get(&name).copied() else {
            return;
        };
        let thread = self.threads.entry(event.thread).or_default();
        let position = thread.stack.iter().position(|running| *running == task);
        // Those inside it are left with it, although nobody said so.
        let inner = position.map(|position| thread.stack.split_off(position));
        thread.waits = None;
        for inner in inner.iter().flatten().skip(1) {
            let track = &mut self.tasks[*inner].track;
            track.turn(event.time, Some(Doing::Suspended(None, None)), None);
        }
        let left = &mut self.tasks[task];
        let is_woken = std::mem::take(&mut left.is_woken);
        let state = match (is_over, is_woken, left.is_lost) {
            (true, ..) => None,
            (_, true, _) => Some(Doing::Ready),
            (_, _, true) => Some(Doing::Lost),
            _ => Some(Doing::Suspended(awaits, left.keeps)),
        };
        left.track.turn(event.time, state, event.at);
        if is_over {
            self.live.remove(&name);
        }
        self.refresh(event);
        let gave = words::plain(gave);
        let says = match (is_over, name.kind) {
            (true, _) => format!("ends{}", with(" with ", &gave)),
            (false, TaskKind::Generator) => format!("yields{}", with(" ", &gave)),
            (false, _) if is_woken => "lets others run".to_owned(),
            (false, _) if self.tasks[task].is_lost => LOST.to_owned(),
            (false, _) => labels::awaits(awaits).to_owned(),
        };
        self.say_left(event, task, says, &gave);
        if is_over {
            self.was_last_step();
        }
    }

    fn say_left(&mut self, event: &Event, task: usize, says: String, gave: &str) {
        let (from, to) = (Key::Task(task), self.active(event));
        let kind = self.tasks[task].name.kind;
        if kind == TaskKind::Generator || !gave.is_empty() {
            let mut link = Link::new(ArrowKind::Leave, (from, event.time), (to, event.time));
            gave.clone_into(&mut link.text);
            self.links.push(link);
        }
        self.step(from, event, says);
    }

    pub(super) fn task_woken(&mut self, event: &Event, name: TaskName) {
        let from = self.active(event);
        let Some(task) = self.live.get(&name).copied() else {
            return;
        };
        match self.tasks[task].track.now() {
            Some(Doing::Suspended(..) | Doing::Lost) | None => {}
            // It runs: it will be ready as soon as it is left.
            Some(Doing::Ready) => return,
            Some(_) => return self.tasks[task].is_woken = true,
        }
        let track = &mut self.tasks[task].track;
        track.turn(event.time, Some(Doing::Ready), None);
        let to = Key::Task(task);
        let link = Link::new(ArrowKind::Wake, (from, event.time), (to, event.time));
        self.links.push(link);
        self.step_about(from, event, "wakes", to, "");
    }

    /// The task that the thread is about to leave has a lock.
    pub(super) fn lock_kept(&mut self, event: &Event, address: u64) {
        if let Key::Task(task) = self.active(event) {
            self.tasks[task].keeps = Some(address);
        }
    }

    /// Nobody has the task's waker any longer.
    pub(super) fn task_lost(&mut self, event: &Event, name: TaskName) {
        let Some(task) = self.live.get(&name).copied() else {
            return;
        };
        let lost = &mut self.tasks[task];
        match lost.track.open {
            Some((_, Doing::Suspended(..), place)) => {
                lost.track.turn(event.time, Some(Doing::Lost), place);
                self.step(Key::Task(task), event, LOST.to_owned());
            }
            Some((_, Doing::Runs | Doing::Lends(_) | Doing::Waits(_), _)) => lost.is_lost = true,
            _ => {}
        }
    }
}

const LOST: &str = "waits, and nobody can wake it";

fn with(before: &str, value: &str) -> String {
    if value.is_empty() {
        return String::new();
    }
    format!("{before}{value}")
}
