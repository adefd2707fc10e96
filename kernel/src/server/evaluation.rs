//! The evaluator's thread: takes jobs one at a time, and survives the evaluator.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use anyhow::Context as _;
use interleave_protocol::{Display, DisplayRole};
use serde_json::Value;
use tracing::{error, info};

use super::output;
use crate::{
    evaluator::{Cell, Evaluator, Factory, Failure, Outcome, Output, OutputSink},
    session::{Done, Event, Executed, Job},
    sockets::Links,
};

/// Starts the thread. It ends when the sender of `jobs` is dropped.
///
/// # Errors
///
/// When the system gives no thread.
pub(super) fn spawn(
    mut factory: Factory,
    jobs: mpsc::Receiver<Job>,
    links: Links,
    deliver: impl Fn(Event) + Send + 'static,
) -> anyhow::Result<()> {
    thread::Builder::new()
        .name("evaluator".into())
        .spawn(move || {
            while let Life::Panicked = live(&mut factory, &jobs, &links, &deliver) {}
            deliver(Event::EvaluatorGone);
        })
        .context("cannot start the evaluator's thread")?;
    Ok(())
}

/// How the life of one evaluator ended.
enum Life {
    /// There are no more jobs.
    Over,
    /// It panicked, and another one is needed.
    Panicked,
}

fn live(
    factory: &mut Factory,
    jobs: &mpsc::Receiver<Job>,
    links: &Links,
    deliver: &impl Fn(Event),
) -> Life {
    let built = catch(factory).unwrap_or_else(|message| Err(anyhow::Error::msg(message)));
    let mut evaluator = match built {
        Ok(evaluator) => evaluator,
        Err(reason) => {
            error!("the evaluator cannot be started: {reason:#}");
            deliver(Event::EvaluatorStarted(Err(format!("{reason:#}"))));
            // Nothing will come; the end of the channel is the end of the kernel.
            while jobs.recv().is_ok() {}
            return Life::Over;
        }
    };
    deliver(Event::EvaluatorStarted(Ok(())));
    let life = loop {
        let Ok(job) = jobs.recv() else {
            break Life::Over;
        };
        match catch(|| run(&mut *evaluator, job, links)) {
            Ok(done) => deliver(Event::Done(done)),
            Err(message) => {
                deliver(Event::Done(Done::Panicked { message }));
                break Life::Panicked;
            }
        }
    };
    // What has panicked once may do it again while it is dropped.
    if let Err(message) = catch(move || drop(evaluator)) {
        info!("the evaluator panicked at its end: {message}");
    }
    life
}

fn run(evaluator: &mut dyn Evaluator, job: Job, links: &Links) -> Done {
    match job {
        Job::Execute {
            cell,
            parent,
            silent,
            expressions,
        } => {
            let output = match silent {
                true => output::silent(),
                false => output::of_cell(links, parent, &cell),
            };
            let (outcome, display) = execute(evaluator, &cell, output);
            let expressions = match outcome {
                Outcome::Finished => evaluate(evaluator, &cell, expressions),
                Outcome::Failed(_) | Outcome::Quit => BTreeMap::new(),
            };
            let result = display.and_then(plain_text);
            Done::Executed(Executed {
                outcome,
                result,
                expressions,
            })
        }
        Job::Complete { code, cursor } => Done::Completed(evaluator.complete(&code, cursor)),
        Job::Inspect { code, cursor } => Done::Inspected(evaluator.inspect(&code, cursor)),
    }
}

/// Runs a cell and keeps a copy of its value.
fn execute(
    evaluator: &mut dyn Evaluator,
    cell: &Cell,
    output: OutputSink,
) -> (Outcome, Option<Display>) {
    let value = Arc::new(Mutex::new(None));
    let outcome = evaluator.execute(cell, &{
        let value = Arc::clone(&value);
        OutputSink::new(move |shown| {
            if let Output::Display(display) = &shown
                && display.role == DisplayRole::Result
            {
                *value.lock().unwrap_or_else(PoisonError::into_inner) = Some(display.clone());
            }
            output.send(shown);
        })
    });
    let value = value.lock().unwrap_or_else(PoisonError::into_inner).take();
    (outcome, value)
}

/// Evaluates each expression as a silent cell of its own.
fn evaluate(
    evaluator: &mut dyn Evaluator,
    cell: &Cell,
    expressions: BTreeMap<String, String>,
) -> BTreeMap<String, Result<Option<Display>, Failure>> {
    let mut value = |code| {
        let cell = Cell {
            number: cell.number,
            code,
            allow_stdin: false,
        };
        match execute(evaluator, &cell, output::silent()) {
            (Outcome::Failed(failure), _) => Err(failure),
            (Outcome::Finished | Outcome::Quit, display) => Ok(display),
        }
    };
    expressions
        .into_iter()
        .map(|(name, code)| (name, value(code)))
        .collect()
}

fn plain_text(mut display: Display) -> Option<String> {
    match display.data.remove("text/plain") {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

/// Runs `work`, and gives what a panic said as an error.
///
/// Nothing that a panic left half done is looked at again: the evaluator is dropped.
fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".into())
}
