//! Sources that differ in nothing but the order of a hash map.

use serde_json::json;

use super::*;

/// As evcxr 0.22 writes it, with `FIRST` and `SECOND` in the order of a hash map.
const CELL: &str = "#![allow(unused_imports, unused_mut, dead_code)]
use interleave::prelude::*;
FIRST
SECOND
mod evcxr_internal_runtime {
    pub(crate) struct VariableStore {}
}
#[unsafe(no_mangle)]
pub extern \"C\" fn run_user_code_4(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {
vars_ok &= evcxr_variable_store.check_variable::<i32>(stringify!(FA));
vars_ok &= evcxr_variable_store.check_variable::<i32>(stringify!(SB));
let FA = evcxr_variable_store.take_variable::<i32>(stringify!(FA));
let SB = evcxr_variable_store.take_variable::<i32>(stringify!(SB));
f(b, a);
evcxr_variable_store.put_variable::<i32>(stringify!(FA), FA);

evcxr_variable_store.put_variable::<i32>(stringify!(SB), SB);
}
";

/// A source in order, however it was before.
fn in_order(source: &str) -> String {
    ordered(source).map_or(source.to_owned(), |ordered| ordered.source)
}

fn cell(order: [(&str, &str); 2]) -> String {
    let [(first, a), (second, b)] = order;
    CELL.replace("FIRST", first)
        .replace("SECOND", second)
        .replace("FA", a)
        .replace("SB", b)
}

const ITEM: &str = "/// Documented.\n#[derive(Debug)]\nstruct S {\n    a: i32,\n}";
const OTHER: &str = "// A remark.\nfn f(a: i32, b: i32) {\n}";

#[test]
fn two_orders_of_the_same_become_one() {
    let one = in_order(&cell([(ITEM, "a"), (OTHER, "b")]));
    assert_eq!(one, in_order(&cell([(OTHER, "b"), (ITEM, "a")])));
    assert_eq!(one, in_order(&one));
    assert!(one.contains(&format!("\n{ITEM}\n")));
    assert!(one.contains(&format!("\n{OTHER}\n")));
    assert!(one.starts_with("#![allow"));
    assert!(one.ends_with("\n}\n"));
}

#[test]
fn empty_lines_of_a_cell_between_its_items_make_no_difference() {
    let item = format!("{ITEM}\n\n");
    let one = in_order(&cell([(&item, "a"), (OTHER, "b")]));
    assert_eq!(one, in_order(&cell([(OTHER, "b"), (&item, "a")])));
    let other = format!("\n \n{OTHER}");
    let one = in_order(&cell([(&item, "a"), (&other, "b")]));
    assert_eq!(one, in_order(&cell([(&other, "b"), (&item, "a")])));
}

#[test]
fn every_line_stays() {
    let source = cell([(OTHER, "b"), (ITEM, "a")]);
    let ordered = ordered(&source).unwrap();
    let before: Vec<&str> = source.lines().collect();
    let lines = ordered.source.lines().zip(&ordered.lines);
    for (line, original) in lines {
        assert_eq!(line, before[*original]);
    }
    let mut all = ordered.lines.clone();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..before.len()));
    assert_eq!(ordered.restored(&ordered.source), source);
}

#[test]
fn what_differs_stays_different() {
    let source = cell([(ITEM, "a"), (OTHER, "b")]);
    let changed = OTHER.replace("remark", "word");
    assert_ne!(
        in_order(&source),
        in_order(&cell([(ITEM, "a"), (&changed, "b")]))
    );
    assert_ne!(
        in_order(&source),
        in_order(&source.replace("f(b, a);", "f(a, b);"))
    );
}

#[test]
fn where_order_matters_nothing_moves() {
    let with_macro = cell([("macro_rules! m { () => {} }", "a"), (OTHER, "b")]);
    assert_eq!(ordered(&with_macro), None);
    let on_one_line = cell([("fn g() {} fn h() {}", "a"), (OTHER, "b")]);
    assert_eq!(ordered(&on_one_line), None);
    assert_eq!(ordered("fn f( {"), None);
}

#[test]
fn statements_of_a_cell_stay_in_order() {
    let source = cell([(ITEM, "a"), (OTHER, "b")]).replace("f(b, a);", "f(2);\nf(1);\n\nf(0);");
    assert!(in_order(&source).contains("\nf(2);\nf(1);\n\nf(0);\n"));
}

#[test]
fn the_parameters_of_the_source_for_analysis_are_sorted() {
    let source = |one: &str, two: &str| {
        format!(
            "fn evcxr_variable_store<T: 'static>(_: T) {{}}
async fn evcxr_analysis_wrapper(
{one}: Vec<i32>,
{two}: Vec<i32>,
) -> Result<(), EvcxrUserCodeError> {{
let x = a;
evcxr_variable_store({two});
evcxr_variable_store({one});
Ok(())
}}
"
        )
    };
    assert_eq!(in_order(&source("a", "b")), in_order(&source("b", "a")));
    let sorted = in_order(&source("b", "a"));
    assert!(
        sorted.contains("(\na: Vec<i32>,\nb: Vec<i32>,\n)"),
        "{sorted}"
    );
}

#[test]
fn a_place_is_found_again() {
    let source = cell([(OTHER, "b"), (ITEM, "a")]);
    let ordered = ordered(&source).unwrap();
    let line = |source: &str| {
        source
            .lines()
            .position(|line| line.starts_with("fn f"))
            .unwrap()
            + 1
    };
    let byte = |source: &str| source.find("b: i32").unwrap();
    assert_ne!(line(&source), line(&ordered.source));
    let diagnostic = |source: &str, path: &str| {
        json!({ "children": [{ "spans": [{
            "file_name": path, "line_start": line(source), "line_end": line(source),
            "byte_start": byte(source), "byte_end": byte(source) + 1, "column_start": 14,
        }] }] })
        .to_string()
    };
    let back = |path: &str| {
        ordered.back(
            &ordered.source,
            &source,
            "lib.rs",
            diagnostic(&ordered.source, path),
        )
    };
    assert_eq!(back("lib.rs"), diagnostic(&source, "lib.rs"));
    assert_eq!(back("other.rs"), diagnostic(&ordered.source, "other.rs"));
}
