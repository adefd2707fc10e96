//! What becomes of each thing that the host says.

use interleave_protocol::{DisplayRole, HostEvent};

use super::{Host, State};
use crate::evaluator::{Output, evcxr::reader::Chunk};

impl State {
    pub(super) fn take_chunk(&mut self, host: &Host, cell: u64, chunk: Chunk) {
        self.show_value_before(cell, &chunk);
        match chunk {
            Chunk::Output(stream, bytes) => {
                let stream = stream.into();
                self.last_words
                    .hear(stream, &String::from_utf8_lossy(&bytes));
                self.outputs.bytes(cell, stream, &bytes);
            }
            Chunk::Event(event) => self.take_event(host, cell, event),
        }
    }

    fn take_event(&mut self, host: &Host, cell: u64, event: HostEvent) {
        match event {
            HostEvent::Output { .. } => {}
            HostEvent::Hello { pid, is_copy } => self.meet_host(host, pid, is_copy),
            HostEvent::Snapshot { pid } => {
                self.lineage.was_copied(pid);
                self.wake_mover(); // It waits for the copy's end from now on.
            }
            HostEvent::NoSnapshot { reason } => {
                self.lineage.was_not_copied(reason, &self.numbers);
            }
            HostEvent::CannotLoad { reason } => self.report.cannot_load = Some(reason),
            HostEvent::CellStarted => self.begin_run(host, cell),
            HostEvent::CellEnded(times) => self.report.times = Some(times),
            HostEvent::Display(display) if display.role == DisplayRole::Result => {
                self.value = Some((cell, display));
            }
            HostEvent::Display(display) => self.outputs.send(cell, Output::Display(display)),
            HostEvent::ClearOutput { wait } => {
                self.forget_shown_lanes(cell);
                self.outputs.send(cell, Output::Clear { wait });
            }
            HostEvent::Debug { location, text } => self.show_debug(cell, location, &text),
            HostEvent::Panic(panic) if panic.told && !panic.on_cell_thread => {}
            HostEvent::Panic(panic) => self.take_panic(cell, panic),
            HostEvent::CellPanicked => self.report.panicked = true,
            HostEvent::StoppedAt(location) => {
                self.report.stopped_at.get_or_insert(location);
            }
            HostEvent::VariablesLost { names } => self.report.lost = names,
            HostEvent::Interrupted(how) => {
                self.diagnoses.settle_all();
                self.report.interrupted = Some(how);
            }
            HostEvent::Stuck(stuck) => self.tell_why(cell, &stuck),
            HostEvent::TookPoisoned(took) => self.remember_poison(cell, took),
            HostEvent::StuckNoMore => self.take_back(cell),
            HostEvent::AllStuck { stuck } => self.take_all_stuck(stuck),
            HostEvent::QuestionMark(error) => self.report.question_mark = Some(error),
            HostEvent::InputRequest { prompt, password } => self.ask(host, prompt, password),
            HostEvent::Tasks(tasks) => self.take_tasks(tasks),
            HostEvent::Left {
                threads,
                tasks,
                resting,
            } => self.tell_what_is_left(cell, &threads, tasks, resting),
            HostEvent::ThreadRefused { limit, at } => self.refuse_threads(cell, limit, &at),
            HostEvent::Threads { threads, unseen } => self.take_threads(threads, unseen),
            HostEvent::Trace(batch) => self.take_trace(cell, batch),
        }
    }

    /// A process begins to run the cells, or a copy goes on in the place of one that has ended.
    fn meet_host(&mut self, host: &Host, pid: i32, is_copy: bool) {
        if is_copy {
            self.report.succession = self.lineage.succeed(pid);
        } else {
            self.lineage.begins(pid);
        }
        self.renew_limit(host);
        self.choose_trace(host);
    }

    /// The newest cell is compiled, and runs under this number.
    fn begin_run(&mut self, host: &Host, cell: u64) {
        self.outputs.started(cell);
        self.begin_lanes(cell);
        self.show_warnings();
        let newest = self.places.current().and_then(|at| self.places.cell(at));
        self.numbers
            .extend(newest.map(|source| (cell, source.number)));
        let socket = host.socket.try_clone();
        self.running.set(socket.ok().map(|socket| (cell, socket)));
    }
}
