//! Errors in the value of a cell.
//!
//! evcxr first compiles a last expression as something to show: `(expression).evcxr_display();`. To it,
//! these lines are its own. If an error is in them and a note of that error is at a line of the
//! student's, it takes the note for the error (`CompilationError::opt_new` in `errors.rs` of evcxr
//! 0.22): of `f("a")` remains "function defined here". Without such a note it compiles once more, with
//! the expression as a line of the student's, and that error is whole.

use std::ops::RangeInclusive;

use serde_json::{Value, json};

/// Behind the last expression, as [`crate::rewrite`] leaves it.
const SHOWN: &str = ").interleave_probe().evcxr_display();";

/// The diagnostic, without the places of its notes if it is about the value of the cell.
pub(crate) fn without_notes(line: String, generated: &str) -> String {
    let Some(value) = value_lines(generated) else {
        return line;
    };
    let Ok(mut diagnostic) = serde_json::from_str::<Value>(&line) else {
        return line;
    };
    let spans = diagnostic["spans"].as_array();
    let mut lines = spans.into_iter().flatten().map(|span| &span["line_start"]);
    if !lines.any(|line| line.as_u64().is_some_and(|line| value.contains(&line))) {
        return line;
    }
    for child in diagnostic["children"].as_array_mut().into_iter().flatten() {
        child["spans"] = json!([]);
    }
    diagnostic.to_string()
}

/// The lines of the value in evcxr's source, from 1.
fn value_lines(generated: &str) -> Option<RangeInclusive<u64>> {
    let mut open = None;
    let mut value = None;
    for (number, line) in (1..).zip(generated.lines()) {
        match line {
            "(" => open = Some(number),
            SHOWN => value = open.map(|open| open..=number),
            _ => {}
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_in(line: u64) -> String {
        let note = json!({ "message": "defined here", "spans": [{ "line_start": 1 }] });
        json!({ "spans": [{ "line_start": line }], "children": [note] }).to_string()
    }

    #[test]
    fn only_an_error_in_the_value_loses_its_notes() {
        let source = format!("fn f() {{}}\nf(1);\n(\nf(\n2)\n{SHOWN}\n");
        for line in [2, 7] {
            assert_eq!(without_notes(error_in(line), &source), error_in(line));
        }
        let changed = without_notes(error_in(4), &source);
        let changed: Value = serde_json::from_str(&changed).unwrap();
        assert_eq!(changed["children"][0]["spans"], json!([]));
    }
}
