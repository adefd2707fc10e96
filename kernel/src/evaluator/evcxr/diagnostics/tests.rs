//! Errors without a compiler.

use serde_json::Value;

use super::*;

fn span(text: &str, columns: (u64, u64)) -> Value {
    serde_json::json!({
        "file_name": "/tmp/x/cells/1/lib.rs",
        "line_start": 40, "line_end": 40,
        "column_start": columns.0, "column_end": columns.1,
        "text": [{ "text": text, "highlight_start": columns.0, "highlight_end": columns.1 }],
        "is_primary": true,
        "suggested_replacement": ".clone()",
        "expansion": null,
    })
}

#[test]
fn a_suggestion_is_placed_in_the_cell() {
    let places = Places::of(&["fn take(v: Vec<i32>) {}", "let w = vec![1];\ntake(w);"]);
    let finder = Finder::new(&places, 1);
    let child = serde_json::json!({
        "level": "help", "message": "consider cloning", "spans": [span("take(w);", (7, 7))],
    });
    let remark = finder.remark(&child).unwrap();
    let (cell, bytes, text) = &remark.changes[0];
    assert_eq!((cell.title.as_str(), text.as_str()), ("In[2]", ".clone()"));
    assert_eq!(&cell.code[..bytes.start], "let w = vec![1];\ntake(w");
}

#[test]
fn a_note_about_an_earlier_cell_names_that_cell() {
    let places = Places::of(&["fn take(v: Vec<i32>) {}", "take(w);"]);
    let finder = Finder::new(&places, 1);
    let mark = finder
        .mark(&span("fn take(v: Vec<i32>) {}", (4, 8)))
        .unwrap();
    assert_eq!((mark.cell.title.as_str(), mark.span), ("In[1]", 3..7));
}

#[test]
fn of_equal_lines_the_one_that_evcxr_knows_is_marked() {
    let places = Places::of(&["f();\nf();"]);
    let finder = Finder {
        known_lines: vec![2],
        ..Finder::new(&places, 0)
    };
    assert_eq!(finder.mark(&span("f();", (1, 2))).unwrap().span, 5..6);
}

#[test]
fn of_a_span_around_the_cell_the_part_in_the_cell_is_marked() {
    let places = Places::of(&["struct S;\nS"]);
    let finder = Finder::new(&places, 0);
    let mut around = span("", (0, 0));
    around["text"] = serde_json::json!([
        { "text": "show_text(&format!(\"{:?}\",&(", "highlight_start": 20, "highlight_end": 22 },
        { "text": "S", "highlight_start": 1, "highlight_end": 2 },
        { "text": ")));", "highlight_start": 1, "highlight_end": 2 },
    ]);
    assert_eq!(finder.mark(&around).unwrap().span, 10..11);
}

#[test]
fn generated_code_and_libraries_are_not_marked() {
    let places = Places::of(&["f();"]);
    let finder = Finder::new(&places, 0);
    assert!(finder.mark(&span("evcxr_variable_store", (1, 2))).is_none());
    let mut library = span("f();", (1, 2));
    library["file_name"] = "/registry/tokio/src/lib.rs".into();
    assert!(finder.mark(&library).is_none());
}

#[test]
fn a_failure_of_cargo_speaks_for_itself() {
    let words = format!("{CARGO_FAILED}error: no matching package named `x` found\n\nSTDOUT:\n");
    let context = Context {
        places: &Places::of(&["f();"]),
        index: 0,
        typed: &Typed::default(),
        variables: &Variables::default(),
    };
    let failure = context.failure(&Error::Message(words));
    assert_eq!(failure.name, "cargo");
    assert_eq!(failure.value, "no matching package named `x` found");
}
