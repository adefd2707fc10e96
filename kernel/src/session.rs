//! The kernel's state machine, without I/O: an [`Event`] goes in, [`Action`]s come out.
//!
//! It owns the execution count, the queue of work for the evaluator, and the promise that every
//! request is enclosed by a `busy` and an `idle`, the `idle` last.

mod cursor;
mod event;
mod job;
mod render;
mod replies;
mod task;

use std::{collections::VecDeque, mem, panic::catch_unwind, sync::Arc};

use jupyter_protocol::{
    CommInfoReply, ExecuteInput, ExecutionCount, InterruptReply, JupyterMessageContent,
    ShutdownReply, Status,
};
use tracing::{debug, info, warn};

use self::task::{CellTask, Task, Work};
pub use self::{
    event::{Action, Event, ReplyTo},
    job::{Done, Executed, Job},
    render::{display, error, stream},
    replies::KernelInfo,
};
use crate::{
    evaluator::{Completeness, Failure, Outcome},
    wire::{Incoming, Request},
};

/// The state of one kernel.
#[derive(Debug)]
pub struct Session {
    info: KernelInfo,
    is_complete: fn(&str) -> Completeness,
    /// How many cells counted so far.
    count: usize,
    evaluator: EvaluatorState,
    /// Work that waits for the evaluator, in order.
    queue: VecDeque<Task>,
    stopping: bool,
    actions: Vec<Action>,
}

#[derive(Debug)]
enum EvaluatorState {
    Starting,
    Ready,
    Running(Task),
    Unavailable(String),
}

impl Session {
    /// A session whose evaluator is being built.
    pub fn new(info: KernelInfo, is_complete: fn(&str) -> Completeness) -> Self {
        Self {
            info,
            is_complete,
            count: 0,
            evaluator: EvaluatorState::Starting,
            queue: VecDeque::new(),
            stopping: false,
            // Sent with the first actions: whoever hears it has missed nothing.
            actions: vec![Action::Publish(None, Status::starting().into())],
        }
    }

    /// Takes notice of an event and says what to do, in order.
    pub fn handle(&mut self, event: Event) -> Vec<Action> {
        match event {
            Event::Request(
                channel,
                Incoming {
                    parent, request, ..
                },
            ) => {
                let parent = Arc::new(parent);
                self.request(ReplyTo { channel, parent }, request);
            }
            Event::EvaluatorStarted(result) => self.evaluator_started(result),
            Event::Done(done) => self.done(done),
            Event::EvaluatorGone => self.evaluator_gone(),
            Event::HistoryFound {
                to,
                output,
                entries,
            } => {
                self.reply(&to, replies::history(entries, output));
                self.status(&to, Status::idle());
            }
            Event::Interrupt => self.interrupt(),
            Event::Stop => self.stop(),
        }
        mem::take(&mut self.actions)
    }

    fn request(&mut self, to: ReplyTo, request: Request) {
        if self.stopping {
            return debug!("the kernel is ending; ignored {request:?}");
        }
        match request {
            Request::Execute(request) => {
                self.enqueue(to, Work::Execute(CellTask::new(request)));
            }
            Request::Complete(request) => self.enqueue(to, Work::Complete(request)),
            Request::Inspect(request) => self.enqueue(to, Work::Inspect(request)),
            Request::History(request) => {
                self.status(&to, Status::busy());
                self.actions.push(Action::SearchHistory(to, request));
            }
            Request::Shutdown { restart } => {
                self.status(&to, Status::busy());
                let reply = ShutdownReply {
                    restart,
                    ..ShutdownReply::default()
                };
                self.reply(&to, reply);
                self.status(&to, Status::idle());
                self.stop();
            }
            other => {
                self.status(&to, Status::busy());
                self.answer_at_once(&to, other);
                self.status(&to, Status::idle());
            }
        }
    }

    /// Answers what needs nobody else, also while a cell runs.
    fn answer_at_once(&mut self, to: &ReplyTo, request: Request) {
        match request {
            Request::KernelInfo => self.reply(to, replies::kernel_info(&self.info)),
            Request::IsComplete(request) => {
                // A parser that panics must not end the kernel; running the code will tell more.
                let completeness = catch_unwind(|| (self.is_complete)(&request.code))
                    .unwrap_or(Completeness::Complete);
                self.reply(to, render::completeness(completeness));
            }
            Request::CommInfo => self.reply(to, CommInfoReply::default()),
            Request::CommOpen(open) => self.publish(to, replies::comm_close(open.comm_id)),
            Request::Interrupt => {
                self.interrupt();
                self.reply(to, InterruptReply::new());
            }
            Request::Debug(request) => self.reply(to, replies::debug(&request)),
            Request::Malformed { msg_type, reason } => {
                warn!("the content of {msg_type} does not fit: {reason}");
                let failure = failure("MalformedRequest", &format!("{msg_type}: {reason}"));
                self.reply_error(to, &msg_type, &failure);
            }
            // A comm that was closed at once can still get what was on its way.
            Request::CommMsg(_) | Request::CommClose(_) => debug!("no such comm"),
            other => info!("nothing to answer to {other:?}"),
        }
    }

    fn enqueue(&mut self, to: ReplyTo, work: Work) {
        self.queue.push_back(Task { to, work });
        self.advance();
    }

    /// Starts the next piece of work if the evaluator is free.
    fn advance(&mut self) {
        while let EvaluatorState::Ready | EvaluatorState::Unavailable(_) = self.evaluator {
            let Some(mut task) = self.queue.pop_front() else {
                return;
            };
            self.begin(&mut task);
            if let EvaluatorState::Unavailable(reason) = &self.evaluator {
                let failure = failure("EvaluatorUnavailable", reason);
                self.failed(&task, &failure);
            } else {
                self.actions.push(Action::Evaluate(task.job()));
                self.evaluator = EvaluatorState::Running(task);
            }
        }
    }

    /// Says that work begins. A cell gets its number.
    fn begin(&mut self, task: &mut Task) {
        self.status(&task.to, Status::busy());
        let Work::Execute(cell) = &mut task.work else {
            return;
        };
        if cell.counts() {
            self.count += 1;
            let source = cell.request.code.clone();
            self.actions.push(Action::Record {
                line: self.count,
                source,
            });
        }
        cell.count = self.count;
        if !cell.request.silent {
            let input = ExecuteInput {
                code: cell.request.code.clone(),
                execution_count: ExecutionCount(self.count),
            };
            self.publish(&task.to, input);
        }
    }

    fn done(&mut self, done: Done) {
        let next = match &done {
            Done::Panicked { .. } => EvaluatorState::Starting,
            _ => EvaluatorState::Ready,
        };
        let EvaluatorState::Running(task) = mem::replace(&mut self.evaluator, next) else {
            return warn!("the evaluator did what nobody asked for: {done:?}");
        };
        let quit = matches!(&done, Done::Executed(it) if it.outcome == Outcome::Quit);
        match self.answer(&task, done) {
            Ok(()) => self.status(&task.to, Status::idle()),
            Err(failure) => self.failed(&task, &failure),
        }
        if quit {
            self.stop();
        }
        self.advance();
    }

    fn answer(&mut self, task: &Task, done: Done) -> Result<(), Failure> {
        match (&task.work, done) {
            (Work::Execute(cell), Done::Executed(executed)) => {
                self.executed(task, cell, executed)?;
            }
            (Work::Complete(request), Done::Completed(completions)) => {
                self.reply(&task.to, render::completions(&request.code, completions));
            }
            (Work::Inspect(_), Done::Inspected(inspection)) => {
                self.reply(&task.to, render::inspection(inspection));
            }
            (_, Done::Panicked { message }) => {
                let message = format!(
                    "the kernel itself failed ({message}); \
                     it goes on, without what earlier cells defined"
                );
                return Err(failure("KernelPanic", &message));
            }
            (_, done) => {
                let message = format!("the evaluator did something else: {done:?}");
                return Err(failure("KernelError", &message));
            }
        }
        Ok(())
    }

    fn executed(
        &mut self,
        task: &Task,
        cell: &CellTask,
        executed: Executed,
    ) -> Result<(), Failure> {
        if let Outcome::Failed(failure) = executed.outcome {
            return Err(failure);
        }
        if let Some(output) = executed.result.filter(|_| cell.counts()) {
            let line = cell.count;
            self.actions.push(Action::RecordOutput { line, output });
        }
        let reply = render::execute_ok(cell.count, executed.page, executed.expressions);
        self.reply(&task.to, reply);
        Ok(())
    }

    /// Answers with an error and ends the work. After a cell, gives up the cells that were to follow
    /// it.
    fn failed(&mut self, task: &Task, failure: &Failure) {
        let mut stops = false;
        match &task.work {
            Work::Execute(cell) => {
                if !cell.request.silent {
                    self.publish(&task.to, error(failure));
                    stops = cell.request.stop_on_error;
                }
                self.reply(&task.to, render::execute_error(cell.count, failure));
            }
            Work::Complete(_) => self.reply_error(&task.to, "complete_request", failure),
            Work::Inspect(_) => self.reply_error(&task.to, "inspect_request", failure),
        }
        self.status(&task.to, Status::idle());
        if stops {
            self.abort_cells();
        }
    }

    fn reply_error(&mut self, to: &ReplyTo, request_type: &str, failure: &Failure) {
        if let Some(reply) = replies::error(request_type, failure) {
            self.reply(to, reply);
        }
    }

    /// Answers the cells that wait, without running them. Other work stays.
    fn abort_cells(&mut self) {
        let queue = mem::take(&mut self.queue).into_iter();
        let (cells, others): (Vec<Task>, _) = queue.partition(Task::is_cell);
        self.queue = others.into();
        for task in cells {
            self.status(&task.to, Status::busy());
            self.reply(&task.to, render::execute_aborted(self.count));
            self.status(&task.to, Status::idle());
        }
    }

    fn evaluator_started(&mut self, result: Result<(), String>) {
        self.evaluator = match result {
            Ok(()) => EvaluatorState::Ready,
            Err(reason) => EvaluatorState::Unavailable(reason),
        };
        self.advance();
    }

    fn evaluator_gone(&mut self) {
        let gone = EvaluatorState::Unavailable("the evaluator has ended".into());
        if let EvaluatorState::Running(task) = mem::replace(&mut self.evaluator, gone) {
            // The kernel ends and did not wait for this cell.
            if let Work::Execute(cell) = task.work {
                self.reply(&task.to, render::execute_aborted(cell.count));
            }
            self.status(&task.to, Status::idle());
        }
        self.advance();
    }

    fn interrupt(&mut self) {
        self.actions.push(Action::Interrupt);
        // Nothing runs yet, but to the person who pressed the button the cell does.
        if matches!(self.evaluator, EvaluatorState::Starting) {
            self.abort_cells();
        }
    }

    fn stop(&mut self) {
        if mem::replace(&mut self.stopping, true) {
            return;
        }
        self.abort_cells();
        self.actions.push(Action::Stop);
    }

    fn status(&mut self, to: &ReplyTo, status: Status) {
        self.publish(to, status);
    }

    fn publish(&mut self, to: &ReplyTo, content: impl Into<JupyterMessageContent>) {
        let parent = Some(Arc::clone(&to.parent));
        self.actions.push(Action::Publish(parent, content.into()));
    }

    fn reply(&mut self, to: &ReplyTo, content: impl Into<JupyterMessageContent>) {
        let reply = Action::Reply(to.clone(), content.into());
        self.actions.push(reply);
    }
}

fn failure(name: &str, value: &str) -> Failure {
    Failure {
        name: name.into(),
        value: value.into(),
        traceback: vec![format!("{name}: {value}")],
    }
}

#[cfg(test)]
mod tests;
