//! Thousands of messages that are nearly right. Each is answered or dropped, every *busy* has its
//! *idle*, and nothing is left over.
//!
//! A failure names its seed; `INTERLEAVE_FUZZ_SEED=… cargo test --test integration fuzz` repeats it,
//! and `INTERLEAVE_FUZZ_MESSAGES` says how many messages to try.

use std::{
    collections::HashMap, ffi::OsString, fs, io::Write, net::TcpStream, path::Path, sync::Arc,
};

use bytes::Bytes;
use fastrand::Rng;
use interleave_kernel::{
    evaluator::{Completeness, Failure, Outcome},
    session::{Action, Done, Event, Executed, Job, KernelInfo, Session},
    wire::{Codec, Parent},
};
use jupyter_protocol::{ExecutionState, JupyterMessageContent};
use serde_json::json;

use crate::{
    client::{Channel, Client},
    launch::{self, Kernel},
    message::Message,
};

mod mutation;

const KEY: &str = "a key";

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a number"))
}

/// Says its seed when the test fails.
struct Seed(u64);

impl Seed {
    fn new() -> Self {
        Self(number("INTERLEAVE_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..)))
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("repeat it with INTERLEAVE_FUZZ_SEED={}", self.0);
        }
    }
}

fn messages(otherwise: u64) -> u64 {
    number("INTERLEAVE_FUZZ_MESSAGES").unwrap_or(otherwise)
}

/// A session whose evaluator answers at once, by chance well or badly.
struct Rig {
    session: Session,
    statuses: HashMap<*const Parent, Vec<&'static str>>,
}

impl Rig {
    fn new() -> Self {
        let is_complete = |_: &str| Completeness::Complete;
        let mut rig = Self {
            session: Session::new(KernelInfo::default(), is_complete),
            statuses: HashMap::new(),
        };
        rig.session.handle(Event::EvaluatorStarted(Ok(())));
        rig
    }

    /// Lets an event have all its consequences. Returns whether the kernel goes on.
    fn handle(&mut self, rng: &mut Rng, event: Event) -> bool {
        let mut events = vec![event];
        let mut goes_on = true;
        while let Some(event) = events.pop() {
            for action in self.session.handle(event) {
                match action {
                    Action::Publish(Some(parent), content) => self.publish(&parent, &content),
                    Action::Evaluate(job) => events.extend(done(rng, &job)),
                    Action::SearchHistory(to, request) => events.push(Event::HistoryFound {
                        to,
                        output: request.output,
                        entries: Vec::new(),
                    }),
                    Action::Stop => goes_on = false,
                    _ => {}
                }
            }
        }
        goes_on
    }

    fn publish(&mut self, parent: &Arc<Parent>, content: &JupyterMessageContent) {
        let status = match content {
            JupyterMessageContent::Status(status) => match status.execution_state {
                ExecutionState::Busy => "busy",
                ExecutionState::Idle => "idle",
                _ => "another status",
            },
            _ => "output",
        };
        let statuses = self.statuses.entry(Arc::as_ptr(parent)).or_default();
        statuses.push(status);
    }

    /// Everything was enclosed by one busy and one idle.
    #[track_caller]
    fn check(&mut self) {
        for statuses in std::mem::take(&mut self.statuses).into_values() {
            let [first, inside @ .., last] = &statuses[..] else {
                panic!("{statuses:?}");
            };
            assert_eq!((*first, *last), ("busy", "idle"), "{statuses:?}");
            assert!(inside.iter().all(|it| *it == "output"), "{statuses:?}");
        }
    }
}

/// What an evaluator may say to a job, first what it says last.
fn done(rng: &mut Rng, job: &Job) -> Vec<Event> {
    let outcome = match rng.u8(0..6) {
        0 => Outcome::Failed(Failure {
            name: "Error".into(),
            value: "wrong".into(),
            traceback: Vec::new(),
        }),
        1 => {
            let panicked = Done::Panicked {
                message: "no".into(),
            };
            let again = Event::EvaluatorStarted(Ok(()));
            return vec![again, Event::Done(panicked)];
        }
        _ => Outcome::Finished,
    };
    let done = match job {
        Job::Execute { .. } => Done::Executed(Executed {
            outcome,
            result: None,
            page: None,
            expressions: Default::default(),
        }),
        Job::Complete { .. } => Done::Completed(Default::default()),
        Job::Inspect { .. } => Done::Inspected(None),
    };
    vec![Event::Done(done)]
}

#[test]
fn the_session_takes_every_message() {
    let seed = Seed::new();
    let mut rng = Rng::with_seed(seed.0);
    let corpus = mutation::corpus();
    let codec = Codec::new(KEY);
    let mut rig = Rig::new();
    let mut understood = 0;
    for _ in 0..messages(10_000) {
        let frames = mutation::message(&mut rng, &corpus, KEY);
        let frames: Vec<Bytes> = frames.into_iter().map(Bytes::from).collect();
        let Ok(incoming) = codec.decode(&frames) else {
            continue;
        };
        understood += 1;
        let channel = match rng.bool() {
            true => interleave_kernel::wire::Channel::Shell,
            false => interleave_kernel::wire::Channel::Control,
        };
        if !rig.handle(&mut rng, Event::Request(channel, incoming)) {
            rig.check();
            rig = Rig::new();
        }
        rig.check();
    }
    assert!(understood > 0, "no message was near enough to a right one");
}

/// A program that does not say what it drops.
fn quiet_process() -> Client {
    launch::process_with(|command| {
        command.env("INTERLEAVE_LOG", "off");
    })
}

/// What a process has.
#[derive(Debug)]
struct Holdings {
    descriptors: usize,
    threads: usize,
    /// Those that are no other's.
    files: Vec<OsString>,
    processes: String,
}

impl Holdings {
    fn of(kernel: &Kernel) -> Self {
        let Kernel::Process { child, directory } = kernel else {
            panic!("only a process has holdings of its own");
        };
        let names = |path: &Path| {
            let entries = fs::read_dir(path).unwrap();
            entries.map(|entry| entry.unwrap().file_name()).collect()
        };
        let process = Path::new("/proc").join(child.id().to_string());
        let tasks: Vec<OsString> = names(&process.join("task"));
        let descriptors: Vec<OsString> = names(&process.join("fd"));
        let mut files: Vec<OsString> = names(directory.path());
        files.sort();
        // A thread that has ended meanwhile has none.
        let children = |task| fs::read_to_string(process.join("task").join(task).join("children"));
        Self {
            descriptors: descriptors.len(),
            threads: tasks.len(),
            files,
            processes: tasks.iter().flat_map(children).collect(),
        }
    }

    /// Fails if this is more than before.
    #[track_caller]
    fn is_no_more_than(&self, before: &Self) {
        // SQLite may have opened a file for a large answer.
        let few = 2;
        assert!(
            self.descriptors <= before.descriptors + few
                && self.threads <= before.threads + few
                && self.files == before.files
                && self.processes.is_empty(),
            "{before:?} has become {self:?}"
        );
    }
}

/// Waits until everything has been answered: counts what is busy and what is idle again.
#[track_caller]
fn settle(client: &mut Client, open: &mut HashMap<String, i64>) {
    // After this, everything sent before has been read; after the cell, the cells have run.
    pass_by(client, open);
    // A cell before it that fails has it given up at once, before what else waits in the queue.
    while !runs_last(client, open) {}
    // What the history and the evaluator still do.
    if open.values().any(|count| *count != 0) {
        count_until(client, open, |open, _| {
            open.values().all(|count| *count == 0)
        });
    }
    // The last replies.
    pass_by(client, open);
    open.clear();
}

/// Runs a cell behind all that is queued. Returns whether it was not given up.
#[track_caller]
fn runs_last(client: &mut Client, open: &mut HashMap<String, i64>) -> bool {
    let last = client.send_cell("print last");
    count_until(client, open, |_, message| is_idle(message, &last));
    loop {
        let reply = client.receive(Channel::Shell);
        if reply.parent_id() == last {
            return reply.content["status"] == "ok";
        }
    }
}

#[track_caller]
fn pass_by(client: &mut Client, open: &mut HashMap<String, i64>) {
    for channel in [Channel::Shell, Channel::Control] {
        let info = client.send(channel, "kernel_info_request", json!({}));
        count_until(client, open, |_, message| is_idle(message, &info));
        while client.receive(channel).parent_id() != info {}
    }
}

#[track_caller]
fn count_until(
    client: &mut Client,
    open: &mut HashMap<String, i64>,
    is_enough: impl Fn(&HashMap<String, i64>, &Message) -> bool,
) {
    loop {
        let Some(message) = client.iopub_or_nothing() else {
            let left: Vec<_> = open.iter().filter(|(_, count)| **count != 0).collect();
            panic!("the kernel does not answer any more; open: {left:?}");
        };
        let count = open.entry(message.parent.to_string()).or_default();
        match message.summary().as_str() {
            "status busy" => *count += 1,
            "status idle" => *count -= 1,
            _ => assert!(*count > 0, "outside of busy and idle: {message:?}"),
        }
        if is_enough(open, &message) {
            return;
        }
    }
}

fn is_idle(message: &Message, id: &str) -> bool {
    message.parent_id() == id && message.summary() == "status idle"
}

#[test]
fn the_program_takes_every_message() {
    let seed = Seed::new();
    let mut rng = Rng::with_seed(seed.0);
    let corpus = mutation::corpus();
    let mut client = quiet_process();
    let mut open = HashMap::new();
    settle(&mut client, &mut open);
    let before = Holdings::of(&client.kernel);
    for number in 0..messages(10_000) {
        let key = client.connection.key.clone();
        let frames = mutation::message(&mut rng, &corpus, &key);
        let channels = [Channel::Shell, Channel::Control, Channel::Stdin];
        client.send_frames(*rng.choice(&channels).unwrap(), frames);
        if number % 50 == 0 {
            settle(&mut client, &mut open);
        }
    }
    settle(&mut client, &mut open);
    Holdings::of(&client.kernel).is_no_more_than(&before);
    client.finish();
}

#[test]
fn connections_that_speak_no_zeromq_harm_nobody() {
    let seed = Seed::new();
    let mut rng = Rng::with_seed(seed.0);
    let mut client = quiet_process();
    let connection = client.connection.clone();
    let ports = [
        connection.shell_port,
        connection.control_port,
        connection.iopub_port,
        connection.stdin_port,
        connection.hb_port,
    ];
    for _ in 0..100 {
        let port = *rng.choice(&ports).unwrap();
        let mut stream = TcpStream::connect((connection.ip.as_str(), port)).unwrap();
        let bytes: Vec<u8> = (0..rng.usize(0..200)).map(|_| rng.u8(..)).collect();
        // An error means that the kernel has closed the connection already.
        let _ = stream.write_all(&bytes);
    }
    settle(&mut client, &mut HashMap::new());
    client.finish();
}
