//! Tests of messages as bytes.

use super::*;

#[test]
fn a_message_is_one_line_and_comes_back() {
    let event = HostEvent::QuestionMark(QuestionMark {
        type_name: "core::num::error::ParseIntError".into(),
        message: "two\nlines".into(),
        location: Some(Location {
            file: "src/lib.rs".into(),
            line: 3,
            column: 9,
        }),
    });
    let line = to_line(&event);
    assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    assert_eq!(from_line::<HostEvent>(&line).unwrap(), event);
}

#[test]
fn a_line_names_the_cell_that_caused_it() {
    assert_eq!(
        split_cell(&from_cell(12, b"{} x\n")),
        Some((12, &b"{} x\n"[..]))
    );
    assert_eq!(split_cell(b"{\"a\": 1}"), None);
    assert_eq!(split_cell(b""), None);
}

#[test]
fn a_foreign_line_is_an_error() {
    assert!(from_line::<HostEvent>(b"hello\n").is_err());
    assert!(from_line::<HostEvent>(b"{\"event\":\"dance\"}\n").is_err());
}
