//! What rust-analyzer knows, for an editor: completion and documentation.

use std::collections::BTreeMap;

use evcxr::CommandContext;
use serde_json::Value;

use super::{PRELUDE, names, text_plain};
use crate::evaluator::{Completion, Completions, Inspection};

/// The words of a lesson; the completion at its end needs the types of all of them.
const WARM_UP: &str = r#"
use std::{collections::HashMap, sync::{Arc, Mutex, mpsc}, thread, time::{Duration, Instant}};
let start = Instant::now();
let total = Arc::new(Mutex::new(vec![start.elapsed()]));
let (sender, receiver) = mpsc::channel::<String>();
let worker = thread::spawn(move || sender.send(format!("{total:?}")));
let names: HashMap<String, usize> = receiver.iter().map(|name| (name.clone(), name.len())).collect();
let future = concurrent::futures::Future::new();
future.set_result(names.len());
let task = tokio::spawn(async move { future.result() });
worker.join().unwrap()."#;

/// So many completions are shown with their types.
const MOST_SIGNATURES: usize = 8;

/// What evcxr says instead of nothing.
const NO_DOCUMENTATION: &str = "No documentation found";

/// rust-analyzer reads a library when its types are first asked for, which takes seconds for
/// std. Here that happens while the student reads the first lines of the notebook.
pub(super) fn warm_up(context: &mut CommandContext) {
    // Where no cell was run, the prelude's names are not known yet.
    let code = format!("{PRELUDE}{WARM_UP}");
    complete(context, &code, code.len());
}

/// What may stand at `cursor`.
pub(super) fn complete(context: &mut CommandContext, code: &str, cursor: usize) -> Completions {
    let Ok(found) = context.completions(code, cursor) else {
        return Completions::nothing(cursor);
    };
    let choices = found.completions.into_iter();
    let mut matches: Vec<Completion> = choices
        .filter(|choice| !names::is_internal(&choice.code))
        .map(|choice| Completion {
            code: names::insertion(&choice.code),
            kind: choice.kind.to_owned(),
            signature: None,
        })
        .collect();
    // Each costs a look at the whole cell: only where few are left to choose from.
    if matches.len() <= MOST_SIGNATURES {
        for choice in &mut matches {
            choice.signature = signature(context, &code[..found.start_offset], choice);
        }
    }
    Completions {
        start: found.start_offset,
        end: found.end_offset,
        matches,
    }
}

/// What stands at `cursor`.
pub(super) fn inspect(
    context: &mut CommandContext,
    code: &str,
    cursor: usize,
) -> Option<Inspection> {
    let end = names::end_of_name(code, cursor)?;
    let (text, html) = hover(context, code, end).or_else(|| {
        // evcxr's hover knows a method by the parenthesis behind it.
        hover(context, &format!("{}(", code.get(..end)?), end + 1)
    })?;
    let data = [
        text_plain(&text),
        (
            "text/html".to_owned(),
            Value::from(names::small_headings(&html)),
        ),
    ];
    Some(Inspection(BTreeMap::from(data)))
}

/// What rust-analyzer knows about the name that ends at a byte: as text, and as HTML.
fn hover(context: &mut CommandContext, code: &str, end: usize) -> Option<(String, String)> {
    let known = context.hover_at(code, end).ok()?;
    (known.0 != NO_DOCUMENTATION).then_some(known)
}

fn signature(context: &mut CommandContext, before: &str, choice: &Completion) -> Option<String> {
    let name = choice.code.trim_end_matches("()");
    // evcxr's hover knows a method by the parenthesis behind it.
    let call = if choice.kind == "function" { "(" } else { "" };
    let code = format!("{before}{name}{call}");
    let (text, _) = hover(context, &code, code.len())?;
    names::declaration(&text, name)
}
