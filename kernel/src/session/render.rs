//! What an evaluator says → contents of messages. The only such place.

use std::collections::HashMap;

use interleave_protocol::{Display, DisplayRole};
use jupyter_protocol::{
    CompleteReply, DisplayData, ErrorOutput, ExecuteReply, ExecuteResult, ExecutionCount,
    ExpressionResult, InspectReply, IsCompleteReply, JupyterMessageContent, Payload, ReplyError,
    ReplyStatus, Stdio, StreamContent, Transient, UpdateDisplayData,
};
use serde_json::{Map, Value, json};

use super::cursor;
use crate::{
    evaluator::{Completeness, Completions, Failure, Inspection, Stream},
    wire::mime_bundle,
};

/// Text of a cell.
pub fn stream(stream: Stream, text: String) -> StreamContent {
    let name = match stream {
        Stream::Stdout => Stdio::Stdout,
        Stream::Stderr => Stdio::Stderr,
    };
    StreamContent { name, text }
}

/// A value of the cell with the number `count`.
pub fn display(display: Display, count: usize) -> JupyterMessageContent {
    let data = mime_bundle(display.data);
    let metadata = Map::from_iter(display.metadata);
    let transient = Transient {
        display_id: display.display_id,
    };
    match display.role {
        DisplayRole::Result => ExecuteResult {
            execution_count: ExecutionCount(count),
            data,
            metadata,
            // Some, though it may be empty: the crate would write `null` for None.
            transient: Some(transient),
        }
        .into(),
        DisplayRole::Update if transient.display_id.is_some() => UpdateDisplayData {
            data,
            metadata,
            transient,
        }
        .into(),
        // An update that names nothing is shown rather than lost.
        DisplayRole::Show | DisplayRole::Update => DisplayData {
            data,
            metadata,
            transient: Some(transient),
        }
        .into(),
    }
}

/// A failure, for everyone to see.
pub fn error(failure: &Failure) -> JupyterMessageContent {
    ErrorOutput {
        ename: failure.name.clone(),
        evalue: failure.value.clone(),
        traceback: failure.traceback.clone(),
    }
    .into()
}

/// The reply for a cell that ran to its end.
pub(super) fn execute_ok(
    count: usize,
    page: Option<Inspection>,
    expressions: impl IntoIterator<Item = (String, Result<Option<Display>, Failure>)>,
) -> JupyterMessageContent {
    let payload = page.map(|page| Payload::Page {
        data: mime_bundle(page.0),
        start: 0,
    });
    let expressions = expressions
        .into_iter()
        .map(|(name, value)| (name, expression(value)))
        .collect();
    execute_reply(ReplyStatus::Ok, count, payload, expressions, None)
}

/// The reply for a cell that did not.
pub(super) fn execute_error(count: usize, failure: &Failure) -> JupyterMessageContent {
    let error = ReplyError {
        ename: failure.name.clone(),
        evalue: failure.value.clone(),
        traceback: failure.traceback.clone(),
    };
    execute_reply(ReplyStatus::Error, count, None, HashMap::new(), Some(error))
}

/// The reply for a cell that was not run at all.
pub(super) fn execute_aborted(count: usize) -> JupyterMessageContent {
    execute_reply(ReplyStatus::Aborted, count, None, HashMap::new(), None)
}

fn execute_reply(
    status: ReplyStatus,
    count: usize,
    payload: Option<Payload>,
    expressions: HashMap<String, ExpressionResult>,
    error: Option<ReplyError>,
) -> JupyterMessageContent {
    ExecuteReply {
        status,
        execution_count: ExecutionCount(count),
        payload: payload.into_iter().collect(),
        user_expressions: Some(expressions),
        error: error.map(Box::new),
    }
    .into()
}

fn expression(value: Result<Option<Display>, Failure>) -> ExpressionResult {
    match value {
        Ok(display) => {
            let display = display.unwrap_or_default();
            ExpressionResult::Ok {
                data: mime_bundle(display.data),
                metadata: Map::from_iter(display.metadata),
            }
        }
        Err(failure) => ExpressionResult::Error {
            ename: failure.name,
            evalue: failure.value,
            traceback: failure.traceback,
        },
    }
}

/// What may stand in `code`.
pub(super) fn completions(code: &str, completions: Completions) -> JupyterMessageContent {
    let start = cursor::from_byte(code, completions.start);
    let end = cursor::from_byte(code, completions.end);
    // JupyterLab shows kind and signature, and inserts `text`.
    let types: Vec<Value> = completions
        .matches
        .iter()
        .map(|choice| {
            json!({
                "text": choice.code,
                "type": choice.kind,
                "signature": choice.signature.as_deref().unwrap_or_default(),
                "start": start,
                "end": end,
            })
        })
        .collect();
    let metadata = Map::from_iter([("_jupyter_types_experimental".into(), types.into())]);
    CompleteReply {
        matches: completions.matches.into_iter().map(|it| it.code).collect(),
        cursor_start: start,
        cursor_end: end,
        metadata,
        ..CompleteReply::default()
    }
    .into()
}

/// What stands at a place.
pub(super) fn inspection(inspection: Option<Inspection>) -> JupyterMessageContent {
    InspectReply {
        found: inspection.is_some(),
        data: mime_bundle(inspection.unwrap_or_default().0),
        ..InspectReply::default()
    }
    .into()
}

/// Whether code is ready to run.
pub(super) fn completeness(completeness: Completeness) -> JupyterMessageContent {
    match completeness {
        Completeness::Complete => IsCompleteReply::complete(),
        Completeness::Incomplete(indent) => IsCompleteReply::incomplete(indent),
        Completeness::Invalid => IsCompleteReply::invalid(),
    }
    .into()
}
