//! Warnings without a compiler.

use serde_json::json;

use super::*;

const GENERATED: &str = "\
fn old() {
    send();
}
fn own() {
    send();
}
pub extern \"C\" fn run_user_code_1(
x) {
send();
let a = 1;
";

const CELL: &str = "fn own() {\n    send();\n}\nsend(); let a = 1;";

fn warning(lint: &str, line: usize, columns: (usize, usize)) -> Value {
    json!({
        "level": "warning", "message": format!("this is {lint}"), "code": {"code": lint},
        "spans": [{
            "file_name": "/x/cells/1/lib.rs", "is_primary": true, "label": null,
            "line_start": line, "line_end": line,
            "column_start": columns.0, "column_end": columns.1, "expansion": null,
        }],
        "children": [
            {"level": "note", "message": "`#[warn(x)]` on by default", "spans": []},
            {"level": "help", "message": "use `let _ = ...`", "spans": []},
        ],
    })
}

fn drawn(warnings: &[Value]) -> Option<String> {
    let cell = CellText {
        title: "In[7]".to_owned(),
        code: CELL.to_owned(),
    };
    draw(warnings, &cell, GENERATED)
}

#[test]
fn a_warning_is_drawn_over_the_line_of_the_cell() {
    let text = drawn(&[warning("unused_must_use", 5, (5, 11))]).unwrap();
    assert!(text.contains("In[7]:2:5"), "{text}");
    assert!(text.contains("use `let _ = ...`"), "{text}");
    assert!(!text.contains("on by default"), "{text}");
    let text = drawn(&[warning("unused_must_use", 9, (1, 7))]).unwrap();
    assert!(text.contains("In[7]:4:1"), "{text}");
}

#[test]
fn each_is_drawn_once() {
    let one = warning("unused_must_use", 5, (5, 11));
    let text = drawn(&[one.clone(), one]).unwrap();
    assert_eq!(text.matches("this is").count(), 1);
}

#[test]
fn earlier_cells_and_generated_lines_are_silent() {
    assert_eq!(drawn(&[warning("unused_must_use", 2, (5, 11))]), None);
    assert_eq!(drawn(&[warning("unused_must_use", 8, (1, 2))]), None);
}

#[test]
fn what_a_later_cell_may_use_is_not_unused() {
    assert_eq!(drawn(&[warning("unused_variables", 10, (5, 6))]), None);
    assert_eq!(drawn(&[warning("dead_code", 4, (4, 7))]), None);
    assert!(drawn(&[warning("unused_comparisons", 10, (5, 6))]).is_some());
}
