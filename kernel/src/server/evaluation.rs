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
use tracing::info;

use super::output;
use crate::{
    evaluator::{Cell, Evaluator, Factory, Failure, Inspection, Outcome, Output, OutputSink},
    session::{Done, Event, Executed, Job},
    sockets::Links,
};

/// Bytes of stack. Parsers call themselves for each level of nesting; what an evaluator accepts must
/// fit. The system gives memory only for what is used.
const STACK: usize = 64 * 1024 * 1024;

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
        .stack_size(STACK)
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
            deliver(Event::EvaluatorStarted(Err(format!("{reason:#}"))));
            // Nothing will come; the end of the channel is the end of the kernel.
            while jobs.recv().is_ok() {}
            return Life::Over;
        }
    };
    deliver(Event::EvaluatorStarted(Ok(())));
    let mut first = jobs.try_recv().ok();
    if first.is_none()
        && let Err(message) = catch(|| evaluator.warm_up())
    {
        // Whatever it was, it may come again with the first cell, where somebody hears of it.
        info!("the evaluator panicked while it warmed up: {message}");
    }
    let life = loop {
        let Some(job) = first.take().or_else(|| jobs.recv().ok()) else {
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
    if let Life::Over = life {
        // The process ends, and taking an evaluator apart, rust-analyzer in it, takes a second.
        std::mem::forget(evaluator);
    } else if let Err(message) = catch(move || drop(evaluator)) {
        // What has panicked once may do it again while it is dropped.
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
            let (outcome, shown) = execute(evaluator, &cell, output);
            let expressions = match outcome {
                Outcome::Finished => evaluate(evaluator, &cell, expressions),
                Outcome::Failed(_) | Outcome::Quit => BTreeMap::new(),
            };
            Done::Executed(Executed {
                outcome,
                result: shown.value.and_then(plain_text),
                page: shown.page,
                expressions,
            })
        }
        Job::Complete { code, cursor } => Done::Completed(evaluator.complete(&code, cursor)),
        Job::Inspect { code, cursor } => Done::Inspected(evaluator.inspect(&code, cursor)),
    }
}

/// What the reply to a cell tells again.
#[derive(Debug, Default)]
struct Shown {
    value: Option<Display>,
    page: Option<Inspection>,
}

/// Runs a cell and keeps a copy of what its reply needs.
fn execute(evaluator: &mut dyn Evaluator, cell: &Cell, output: OutputSink) -> (Outcome, Shown) {
    let kept = Arc::new(Mutex::new(Shown::default()));
    let outcome = evaluator.execute(cell, &{
        let kept = Arc::clone(&kept);
        OutputSink::new(move |shown| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            match &shown {
                Output::Display(display) if display.role == DisplayRole::Result => {
                    kept.value = Some(display.clone());
                }
                Output::Page(page) => kept.page = Some(page.clone()),
                _ => {}
            }
            drop(kept);
            output.send(shown);
        })
    });
    let kept = std::mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner));
    (outcome, kept)
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
            (Outcome::Finished | Outcome::Quit, shown) => Ok(shown.value),
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
