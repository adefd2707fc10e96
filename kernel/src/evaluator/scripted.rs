//! A language of one command a line, for tests: it makes a kernel do in microseconds, and on
//! request, what Rust cells do in their own time.
//!
//! | command | what happens |
//! |---|---|
//! | `print TEXT`, `eprint TEXT` | a line on standard output, on standard error |
//! | `write TEXT` | text without a line end |
//! | `burst N` | N numbered lines |
//! | `result TEXT`, `result MIME VALUE` | the value of the cell |
//! | `display ID TEXT`, `update ID TEXT` | an output with a display id, and its update |
//! | `page TEXT` | documentation that the cell asked for |
//! | `clear`, `clear wait` | the output is cleared |
//! | `input PROMPT`, `password PROMPT` | asks, and prints what was typed |
//! | `spin` | waits to be interrupted |
//! | `late TEXT`, `release` | a thread that prints when a later cell releases it |
//! | `fail NAME VALUE` | the cell fails |
//! | `panic` | the evaluator itself panics |
//! | `quit` | asks the kernel to end |

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
};

use interleave_protocol::{Display, DisplayRole};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{
    Cell, Completeness, Completion, Completions, Controls, Evaluator, Factory, Failure, Inspection,
    Interrupt, Outcome, Output, OutputSink, Stream,
};

/// What a cell can say, with the explanation that inspection gives.
const COMMANDS: [(&str, &str); 6] = [
    ("print", "a line on standard output"),
    ("eprint", "a line on standard error"),
    ("result", "the value of the cell"),
    ("spin", "waits to be interrupted"),
    ("été", "a word of three characters in five bytes"),
    ("变量", "a word of two characters in six bytes"),
];

/// A scripted evaluator, not built yet.
pub fn start() -> (Controls, Factory) {
    let switch = Arc::new(Switch::default());
    let controls = Controls {
        interrupt: Arc::clone(&switch) as Arc<dyn Interrupt>,
        is_complete,
    };
    let factory = move || -> anyhow::Result<Box<dyn Evaluator>> {
        Ok(Box::new(Scripted {
            switch: Arc::clone(&switch),
            late: Vec::new(),
        }))
    };
    (controls, Box::new(factory))
}

struct Scripted {
    switch: Arc<Switch>,
    late: Vec<Late>,
}

/// A thread that waits to be released.
struct Late {
    release: mpsc::Sender<()>,
    thread: thread::JoinHandle<()>,
}

/// What one command leads to, if not to the next one.
type Step = Result<(), Outcome>;

impl Evaluator for Scripted {
    fn execute(&mut self, cell: &Cell, output: &OutputSink) -> Outcome {
        self.switch.begin();
        let result = cell
            .code
            .lines()
            .try_for_each(|line| self.command(line.trim_start(), output));
        self.switch.end();
        result.err().unwrap_or(Outcome::Finished)
    }

    fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        let (before, _) = code.split_at(cursor);
        let start = before
            .rfind(|char: char| !char.is_alphanumeric())
            .map_or(0, |at| before.ceil_char_boundary(at + 1));
        let matches = COMMANDS
            .iter()
            .filter(|(name, _)| name.starts_with(&before[start..]))
            .map(|(name, explanation)| Completion {
                code: (*name).into(),
                kind: "keyword".into(),
                signature: Some((*explanation).into()),
            })
            .collect();
        Completions {
            start,
            end: cursor,
            matches,
        }
    }

    fn inspect(&mut self, code: &str, cursor: usize) -> Option<Inspection> {
        let (before, after) = code.split_at(cursor);
        let word = |char: char| char.is_alphanumeric();
        let start = before.trim_end_matches(word).len();
        let end = cursor + (after.len() - after.trim_start_matches(word).len());
        let (name, explanation) = COMMANDS
            .iter()
            .find(|(name, _)| *name == &code[start..end])?;
        let text = format!("{name}: {explanation}");
        Some(page(&text))
    }
}

fn page(text: &str) -> Inspection {
    Inspection(BTreeMap::from([("text/plain".into(), text.into())]))
}

impl Scripted {
    fn command(&mut self, line: &str, output: &OutputSink) -> Step {
        let (command, rest) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "" => {}
            "print" => text(output, Stream::Stdout, format!("{rest}\n")),
            "eprint" => text(output, Stream::Stderr, format!("{rest}\n")),
            "write" => text(output, Stream::Stdout, rest.into()),
            "burst" => burst(rest, output),
            "result" => output.send(Output::Display(result(rest))),
            "display" => output.send(Output::Display(named(rest, DisplayRole::Show))),
            "update" => output.send(Output::Display(named(rest, DisplayRole::Update))),
            "page" => output.send(Output::Page(page(rest))),
            "clear" => output.send(Output::Clear {
                wait: rest == "wait",
            }),
            "input" | "password" => self.input(rest, command == "password", output)?,
            "spin" => return Err(self.switch.wait()),
            "late" => self.late(rest, output),
            "release" => self.release(),
            "fail" => return Err(fail(rest)),
            "panic" => panic!("the script asked for it"),
            "quit" => return Err(Outcome::Quit),
            other => return Err(fail(&format!("UnknownCommand {other}"))),
        }
        Ok(())
    }

    fn input(&self, prompt: &str, password: bool, output: &OutputSink) -> Step {
        let (reply, answer) = oneshot::channel();
        output.send(Output::Input {
            prompt: prompt.into(),
            password,
            reply,
        });
        match answer.blocking_recv() {
            Ok(typed) => text(output, Stream::Stdout, format!("{typed}\n")),
            Err(_) if self.switch.is_interrupted() => return Err(interrupted()),
            Err(_) => return Err(fail("NoInput nobody can be asked")),
        }
        Ok(())
    }

    fn late(&mut self, rest: &str, output: &OutputSink) {
        let (release, released) = mpsc::channel();
        let (line, output) = (format!("{rest}\n"), output.clone());
        let thread = thread::Builder::new()
            .name("late".into())
            .spawn(move || {
                if released.recv().is_ok() {
                    text(&output, Stream::Stdout, line);
                }
            })
            .expect("a test machine has room for a thread");
        self.late.push(Late { release, thread });
    }

    /// Returns when the threads have printed, so that tests know what comes first.
    fn release(&mut self) {
        for late in self.late.drain(..) {
            let _ = late.release.send(());
            let _ = late.thread.join();
        }
    }
}

fn text(output: &OutputSink, stream: Stream, text: String) {
    output.send(Output::Stream { stream, text });
}

fn burst(count: &str, output: &OutputSink) {
    for line in 0..count.parse().unwrap_or(0) {
        text(output, Stream::Stdout, format!("{line}\n"));
    }
}

fn result(rest: &str) -> Display {
    let (mime, value) = match rest.split_once(' ') {
        Some((mime, value)) if mime.contains('/') => {
            let json = serde_json::from_str(value);
            (mime, json.unwrap_or_else(|_| Value::from(value)))
        }
        _ => ("text/plain", Value::from(rest)),
    };
    Display {
        role: DisplayRole::Result,
        data: BTreeMap::from([(mime.into(), value)]),
        ..Display::default()
    }
}

fn named(rest: &str, role: DisplayRole) -> Display {
    let (id, text) = rest.split_once(' ').unwrap_or((rest, ""));
    Display {
        role,
        data: BTreeMap::from([("text/plain".into(), text.into())]),
        display_id: Some(id.into()),
        ..Display::default()
    }
}

fn fail(rest: &str) -> Outcome {
    let (name, value) = rest.split_once(' ').unwrap_or((rest, ""));
    Outcome::Failed(Failure {
        name: name.into(),
        value: value.into(),
        traceback: vec![format!("{name}: {value}")],
    })
}

fn interrupted() -> Outcome {
    fail("Interrupted the cell was stopped")
}

fn is_complete(code: &str) -> Completeness {
    if code.contains("@@") {
        Completeness::Invalid
    } else if code.ends_with('\\') {
        Completeness::Incomplete("    ".into())
    } else {
        Completeness::Complete
    }
}

/// Stops a cell from another thread.
#[derive(Debug, Default)]
struct Switch {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    interrupted: bool,
    shut_down: bool,
}

impl Switch {
    fn begin(&self) {
        let mut state = self.lock();
        state.running = true;
        state.interrupted = false;
    }

    fn end(&self) {
        self.lock().running = false;
    }

    fn is_interrupted(&self) -> bool {
        self.lock().interrupted
    }

    fn wait(&self) -> Outcome {
        let waiting = |state: &mut State| !state.interrupted && !state.shut_down;
        drop(self.changed.wait_while(self.lock(), waiting));
        interrupted()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole between any two of its statements, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interrupt for Switch {
    fn interrupt(&self) {
        let mut state = self.lock();
        state.interrupted = state.running;
        self.changed.notify_all();
    }

    fn shut_down(&self) {
        self.lock().shut_down = true;
        self.changed.notify_all();
    }
}
