//! What threads do.

use interleave_protocol::{Stream, ThreadKind, ThreadState};

use super::{Doing, Key, Reader, ThreadTrack, Waiting, arrows::Link};
use crate::{ArrowKind, Event, Mark, words};

impl Reader<'_> {
    /// Learns of the thread that an event names, whose beginning may not have been seen.
    pub(super) fn meet(&mut self, event: &Event) {
        let is_own = self.is_own(event);
        let thread = self.threads.entry(event.thread).or_default();
        thread.track.is_own |= is_own;
        if thread.track.first.is_none() {
            thread.track.turn(event.time, Some(Doing::Runs), None);
        }
        thread.track.is_at(event.at);
        if let Some(task) = thread.stack.last().copied() {
            self.tasks[task].track.is_own |= is_own;
            self.tasks[task].track.is_at(event.at);
        }
    }

    fn thread(&mut self, number: u64) -> &mut ThreadTrack {
        self.threads.entry(number).or_default()
    }

    pub(super) fn cell_began(&mut self, event: &Event) {
        let thread = self.thread(event.thread);
        thread.kind = Some(ThreadKind::Cells);
        thread.is_over = false;
        self.refresh(event);
    }

    pub(super) fn cell_ended(&mut self, event: &Event) {
        if self.is_own(event) && self.cell_ended.is_none() {
            self.cell_ended = Some(event.time);
            self.over(event);
        }
    }

    pub(super) fn spawned(&mut self, event: &Event, new: u64) {
        let (from, is_own) = (self.active(event), self.is_own(event));
        let thread = self.thread(new);
        thread.made_at = event.at;
        thread.track.is_own |= is_own;
        // The new thread may have been quicker than the one that started it.
        let time = thread.track.first.unwrap_or(event.time).min(event.time);
        if thread.track.first.is_none() {
            thread.track.turn(time, Some(Doing::Ready), None);
            thread.spawned = Some(time);
        }
        let link = Link::new(ArrowKind::Spawn, (from, time), (Key::Thread(new), time));
        self.links.push(link);
        self.step_about(from, event, "starts", Key::Thread(new), "");
    }

    pub(super) fn thread_began(&mut self, event: &Event, kind: ThreadKind) {
        let thread = self.thread(event.thread);
        let is_known = thread.kind.replace(kind).is_some();
        thread.spawned = None;
        thread.is_over = false;
        self.refresh(event);
        if is_known {
            return;
        }
        self.step(Key::Thread(event.thread), event, "begins".to_owned());
    }

    pub(super) fn named(&mut self, event: &Event, name: &str) {
        self.thread(event.thread).name = Some(words::plain(name));
    }

    pub(super) fn thread_ended(&mut self, event: &Event) {
        self.over(event);
        self.wakes.ended(event.thread, event.time);
        self.step(Key::Thread(event.thread), event, "ends".to_owned());
        self.was_last_step();
    }

    /// The thread does nothing more for this cell.
    fn over(&mut self, event: &Event) {
        let thread = self.thread(event.thread);
        thread.is_over = true;
        thread.waits = None;
        let left = std::mem::take(&mut thread.stack);
        thread.track.turn(event.time, None, None);
        for task in left {
            let track = &mut self.tasks[task].track;
            track.turn(event.time, Some(Doing::Suspended(None, None)), None);
        }
    }

    pub(super) fn is(&mut self, event: &Event, state: ThreadState) {
        if state == ThreadState::Running {
            return self.runs_again(event);
        }
        let thread = self.thread(event.thread);
        let waiting = Waiting {
            state,
            since: event.time,
            thread: event.thread,
            at: event.at,
            task: thread.stack.last().copied(),
        };
        thread.is_over = false;
        thread.waits = Some(waiting);
        self.refresh(event);
        self.step_waits(event, waiting);
    }

    /// A wait is over: somebody ended it, or time, or the system.
    fn runs_again(&mut self, event: &Event) {
        let thread = self.thread(event.thread);
        thread.is_over = false;
        let Some(waiting) = thread.waits.take() else {
            return self.refresh(event);
        };
        if let Some(cause) = self.wakes.of(&waiting, event) {
            let (kind, from, time) = cause;
            let active = self.active(event);
            if from != active {
                // It could have gone on from then on.
                match active {
                    Key::Task(task) => self.tasks[task].track.split(time, Doing::Ready),
                    _ => self.thread(event.thread).track.split(time, Doing::Ready),
                }
                let link = Link::new(kind, (from, time), (active, event.time));
                self.links.push(link);
                let verb = match kind {
                    ArrowKind::Join => "goes on after",
                    _ => "is woken by",
                };
                self.step_about(active, event, verb, from, "");
            }
        }
        self.refresh(event);
    }

    pub(super) fn prints(&mut self, event: &Event, stream: Stream, text: &str) {
        let mark = Mark {
            at: event.time,
            stream,
            text: words::plain(text),
            place: event.at,
        };
        let active = self.active(event);
        if mark.text.is_empty() {
            return;
        }
        let says = format!("prints “{}”", mark.text);
        match active {
            Key::Task(task) => self.tasks[task].track.marks.push(mark),
            _ => self.thread(event.thread).track.marks.push(mark),
        }
        self.step(active, event, says);
    }

    /// Brings the lanes of the thread and of the tasks that it runs up to date.
    pub(super) fn refresh(&mut self, event: &Event) {
        let thread = self.threads.entry(event.thread).or_default();
        if thread.is_over {
            return;
        }
        let itself = thread.waits.map_or(Doing::Runs, Doing::Waits);
        // The innermost task does what the thread does; whatever is around it lends itself.
        let lent = thread.stack.last().map(|task| Doing::Lends(*task));
        // After its end the thread may run tasks of this cell, but what it does itself is for others.
        let is_over = thread.kind == Some(ThreadKind::Cells) && self.cell_ended.is_some();
        let outer = lent.or((!is_over).then_some(itself));
        thread.track.turn(event.time, outer, event.at);
        for (index, task) in thread.stack.iter().enumerate() {
            let doing = match thread.stack.get(index + 1) {
                Some(inner) => Doing::Lends(*inner),
                None => itself,
            };
            self.tasks[*task]
                .track
                .turn(event.time, Some(doing), event.at);
        }
    }
}
