//! rustc's diagnostics of a source with checkpoints, as if there were none.

use std::ops::Range;

use serde_json::{Value, json};

use crate::checkpoints::{self, Checked};

/// A source, and what rustc saw instead.
#[derive(Debug)]
pub struct Mapping<'a> {
    /// The path that rustc was given.
    pub path: &'a str,
    /// Without checkpoints.
    pub source: &'a str,
    /// With checkpoints.
    pub checked: &'a Checked,
}

impl Mapping<'_> {
    /// The diagnostic in a line of JSON, with places in the source without checkpoints. `None` for a
    /// warning about nothing but a checkpoint.
    pub fn back(&self, line: String) -> Option<String> {
        let Ok(mut diagnostic) = serde_json::from_str::<Value>(&line) else {
            return Some(line);
        };
        if self.is_about_checkpoint(&diagnostic) && !self.move_on(&mut diagnostic) {
            return None;
        }
        self.name_closure_body(&mut diagnostic);
        self.walk(&mut diagnostic);
        self.drop_second_semicolons(&mut diagnostic);
        Some(diagnostic.to_string())
    }

    /// Behind the last expression of a block rustc suggests a semicolon, too (`let _ = …;`). Where the
    /// block is that of a note, the student has written one.
    fn drop_second_semicolons(&self, diagnostic: &mut Value) {
        let is_second = |span: &Value| {
            let behind = self.source.get(number(&span["byte_start"])..);
            span["suggested_replacement"] == ";"
                && span["byte_start"] == span["byte_end"]
                && behind.is_some_and(|behind| behind.starts_with(';'))
        };
        let children = diagnostic["children"].as_array_mut().into_iter().flatten();
        for spans in children.filter_map(|child| child["spans"].as_array_mut()) {
            spans.retain(|span| !is_second(span));
        }
    }

    fn is_about_checkpoint(&self, diagnostic: &Value) -> bool {
        let mut primary = spans(diagnostic)
            .iter()
            .filter(|span| span["is_primary"] == true)
            .peekable();
        diagnostic["level"] == "warning"
            && primary.peek().is_some()
            && primary.all(|span| self.covers(span))
    }

    fn covers(&self, span: &Value) -> bool {
        let line = number(&span["line_start"]);
        span["file_name"] == self.path
            && line == number(&span["line_end"])
            && self.checked.insertions.cover(
                line,
                number(&span["column_start"]),
                number(&span["column_end"]),
            )
    }

    /// A checkpoint behind a call that never returns is the first that is not reached; what the
    /// student is to be told of is the statement behind it. Returns whether there is one.
    fn move_on(&self, diagnostic: &mut Value) -> bool {
        if diagnostic["code"]["code"] != "unreachable_code" {
            return false;
        }
        let Some(spans) = diagnostic["spans"].as_array_mut() else {
            return false;
        };
        let Some(span) = spans.iter_mut().find(|span| span["is_primary"] == true) else {
            return false;
        };
        let at = self.checked.insertions.byte(number(&span["byte_start"]));
        let mut followers = self.checked.followers.iter();
        let Some((_, next)) = followers.find(|(place, _)| *place == at) else {
            return false;
        };
        self.place(span, next);
        true
    }

    /// What rustc takes for the value of a block is what the student wrote behind `|x|`.
    fn name_closure_body(&self, diagnostic: &mut Value) {
        let Some(span) = spans(diagnostic).first() else {
            return;
        };
        let before = self.checked.source.get(..number(&span["byte_start"]));
        let is_body = before.is_some_and(|before| before.ends_with(checkpoints::OPEN));
        if let Some(message) = diagnostic["message"].as_str().filter(|_| is_body) {
            let message = message.replace("block return value", "closure body");
            diagnostic["message"] = message.into();
        }
    }

    /// Makes a span that of these bytes, already without checkpoints.
    fn place(&self, span: &mut Value, bytes: &Range<usize>) {
        let (line_start, column_start) = place(self.source, bytes.start);
        let (line_end, column_end) = place(self.source, bytes.end);
        let lines = self.source.lines().zip(1..);
        let text = lines.filter(|(_, line)| (line_start..=line_end).contains(line));
        let text = text.map(|(text, line)| {
            let start = if line == line_start { column_start } else { 1 };
            let whole = text.chars().count() + 1;
            let end = if line == line_end { column_end } else { whole };
            json!({ "text": text, "highlight_start": start, "highlight_end": end })
        });
        span["text"] = text.collect();
        for (field, value) in [
            ("byte_start", bytes.start),
            ("byte_end", bytes.end),
            ("line_start", line_start),
            ("line_end", line_end),
            ("column_start", column_start),
            ("column_end", column_end),
        ] {
            span[field] = value.into();
        }
        span[DONE] = true.into();
    }

    fn walk(&self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    match field.as_str() {
                        // What rustc would print, and what it suggests to write.
                        Some(text) if name == "rendered" || name == "suggested_replacement" => {
                            *field = checkpoints::without(text).into();
                        }
                        _ => self.walk(field),
                    }
                }
                if fields.remove(DONE).is_none() && value["file_name"] == self.path {
                    self.span(value);
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.walk(value)),
            _ => {}
        }
    }

    fn span(&self, span: &mut Value) {
        let insertions = &self.checked.insertions;
        let start = number(&span["line_start"]);
        let end = number(&span["line_end"]);
        if let Some(lines) = span["text"].as_array_mut() {
            for (line, number_of_line) in lines.iter_mut().zip(start..) {
                let text = line["text"].as_str().unwrap_or_default();
                line["text"] = insertions.line(number_of_line, text).into();
                for field in ["highlight_start", "highlight_end"] {
                    let column = number(&line[field]);
                    line[field] = insertions.column(number_of_line, column).into();
                }
            }
        }
        for (field, line) in [("column_start", start), ("column_end", end)] {
            span[field] = insertions.column(line, number(&span[field])).into();
        }
        for field in ["byte_start", "byte_end"] {
            span[field] = insertions.byte(number(&span[field])).into();
        }
    }
}

/// Marks a span that needs no mapping any more.
const DONE: &str = "interleave_done";

fn spans(diagnostic: &Value) -> &[Value] {
    diagnostic["spans"].as_array().map_or(&[], Vec::as_slice)
}

fn number(value: &Value) -> usize {
    let number = value.as_u64().unwrap_or_default();
    number.try_into().unwrap_or_default()
}

/// Line and column in characters, both from 1.
fn place(source: &str, byte: usize) -> (usize, usize) {
    let before = &source[..byte];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}
