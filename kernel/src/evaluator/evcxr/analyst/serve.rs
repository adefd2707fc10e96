//! The process itself.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Write},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::Context as _;
use evcxr::{CommandContext, EvalContext};
use interleave_protocol::{from_line, to_line};

use super::{super::assist, Answer, Question};

/// What is not asked for so long frees its memory.
const IDLE: Duration = Duration::from_secs(15 * 60);

/// evcxr wants a process that runs cells: this one says of each that it is done.
const HOST: &str = "while read -r line; do echo EVCXR_EXECUTION_COMPLETE; done";

/// Answers questions on standard input until it ends.
///
/// # Errors
///
/// When evcxr does not start, or standard output is closed.
pub fn serve() -> anyhow::Result<()> {
    let questions = read_questions();
    let mut host = Command::new("sh");
    host.args(["-c", HOST]);
    let (context, _) = EvalContext::with_subprocess_command(host)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("evcxr does not start")?;
    let mut context = CommandContext::with_eval_context(context);
    let mut output = io::stdout().lock();
    let mut next = questions.try_recv().ok();
    if next.is_none() {
        assist::warm_up(&mut context);
    }
    while let Some(question) = next.take().or_else(|| questions.recv_timeout(IDLE).ok()) {
        output.write_all(&to_line(&answer(&mut context, question)))?;
        output.flush()?;
    }
    Ok(())
}

fn answer(context: &mut CommandContext, question: Question) -> Answer {
    match question {
        Question::Complete { code, cursor } => {
            Answer::Completions(assist::complete(context, &code, cursor))
        }
        Question::Inspect { code, cursor } => {
            Answer::Inspection(assist::inspect(context, &code, cursor))
        }
        Question::Types { code } => Answer::Types(types(context, &code)),
    }
}

/// The types of all variables at the end of the code, or why evcxr cannot keep one. The code is given
/// to evcxr as a cell.
fn types(context: &mut CommandContext, code: &str) -> Result<BTreeMap<String, String>, String> {
    let result = context.execute(code);
    let types = context
        .variables_and_types()
        .map(|(name, ty)| (name.to_owned(), ty.to_owned()))
        .collect();
    let forgotten = context.execute(":clear");
    match result.and(forgotten) {
        Ok(_) => Ok(types),
        Err(error) => Err(error.to_string()),
    }
}

/// Questions come through a channel because that can be waited on for a limited time.
fn read_questions() -> mpsc::Receiver<Question> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n') {
            let Some(question) = line.ok().and_then(|line| from_line(&line).ok()) else {
                return;
            };
            if sender.send(question).is_err() {
                return;
            }
        }
        // The kernel is gone; whatever is being answered, nobody wants it.
        std::process::exit(0);
    });
    receiver
}
