//! Samples of what evcxr 0.22 generates, shortened where nothing is changed.

use super::*;

const WITH_VARIABLES: &str = r#"#![allow(unused_imports, unused_mut, dead_code)]
fn f() -> i32 {3}
mod evcxr_internal_runtime {
pub struct VariableStore {
}

pub fn create_variable_store() -> *mut VariableStore {
    Box::into_raw(Box::new(VariableStore::new()))
}
}
#[unsafe(no_mangle)]
pub extern "C" fn run_user_code_2(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {
let evcxr_variable_store = unsafe {&mut *evcxr_variable_store};
{let mut vars_ok = true;
if !vars_ok {return evcxr_variable_store;}}
let x = evcxr_variable_store.take_variable::<i32>(stringify!(x));
match std::panic::catch_unwind(
  std::panic::AssertUnwindSafe(||{
(
x + 1
).evcxr_display();
})) { 
  Ok(_) => {}
  Err(_) => {
    println!("EVCXR_PANIC_NOTIFICATION");
}}
evcxr_variable_store.put_variable::<i32>(stringify!(x), x);
evcxr_variable_store
}
"#;

const WITHOUT_VARIABLES: &str = r#"#![allow(unused_imports, unused_mut, dead_code)]
#[unsafe(no_mangle)]
pub extern "C" fn run_user_code_0(
evcxr_variable_store: *mut u8) -> *mut u8 {
if std::panic::catch_unwind(||{
task.await;
}).is_err() {
    println!("EVCXR_PANIC_NOTIFICATION");
}
evcxr_variable_store
}
"#;

const UNCAUGHT: &str = r#"#[unsafe(no_mangle)]
pub extern "C" fn run_user_code_3(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {
if !vars_ok {return evcxr_variable_store;}}
let mut x = evcxr_variable_store.take_variable::<i32>(stringify!(x));
x += task.await;
evcxr_variable_store.put_variable::<i32>(stringify!(x), x);
evcxr_variable_store
}
"#;

fn facts(awaits: bool, question_mark: bool) -> CellFacts {
    CellFacts {
        awaits,
        question_mark,
        ..CellFacts::default()
    }
}

/// The rewritten source; fails when a line was added or lost.
#[track_caller]
fn rewritten(generated: &str, facts: CellFacts) -> Vec<String> {
    let rewritten = rewrite(generated, &facts);
    assert_eq!(rewritten.lines().count(), generated.lines().count());
    rewritten.lines().map(str::to_owned).collect()
}

#[track_caller]
fn line<'a>(lines: &'a [String], part: &str) -> &'a str {
    let found: Vec<&String> = lines.iter().filter(|line| line.contains(part)).collect();
    let [line] = found[..] else {
        panic!("{part}: {found:?}")
    };
    line
}

#[test]
fn a_plain_cell_gets_the_compiled_store_and_no_wrapping() {
    let lines = rewritten(WITH_VARIABLES, facts(false, false));
    assert_eq!(
        line(&lines, "mod evcxr_internal_runtime"),
        "mod evcxr_internal_runtime { pub(super) use ::interleave::private::variables::*;"
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("pub struct VariableStore"))
    );
    line(&lines, "::interleave::private::cell_panicked();");
    line(&lines, ").interleave_probe().evcxr_display();");
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("asyncio::run") || line.contains("println!"))
    );
}

#[test]
fn the_prelude_catches_panics_of_the_cell() {
    let lines = rewritten(WITH_VARIABLES, facts(false, false));
    let catch = "match ::interleave::private::catch_unwind(";
    assert_eq!(line(&lines, "catch_unwind"), catch);
    assert_eq!(line(&lines, "Safe"), "  std::panic::AssertUnwindSafe(||{");

    let lines = rewritten(WITHOUT_VARIABLES, facts(false, false));
    let catch = "if ::interleave::private::catch_unwind(std::panic::AssertUnwindSafe(||{";
    assert_eq!(line(&lines, "catch_unwind"), catch);
    assert_eq!(line(&lines, ".is_err()"), "})).is_err() {");

    let of_student = UNCAUGHT.replace("x += task.await;", "std::panic::catch_unwind(f);");
    let lines = rewritten(&of_student, facts(false, false));
    assert_eq!(line(&lines, "catch_unwind"), "std::panic::catch_unwind(f);");
}

#[test]
fn a_cell_that_awaits_runs_on_the_event_loop() {
    let lines = rewritten(WITH_VARIABLES, facts(true, false));
    let open = "  std::panic::AssertUnwindSafe(||{::interleave::asyncio::run(async {";
    assert_eq!(line(&lines, "AssertUnwindSafe"), open);
    assert_eq!(line(&lines, "})) {"), "});})) { ");
    assert_eq!(line(&lines, "x + 1"), "x + 1");
}

#[test]
fn a_cell_with_a_question_mark_runs_in_a_closure() {
    let lines = rewritten(WITH_VARIABLES, facts(false, true));
    assert!(line(&lines, "AssertUnwindSafe").ends_with("private::UserError> {"));
    assert_eq!(
        line(&lines, "})) {"),
        "::std::result::Result::Ok(()) })();})) { "
    );
}

#[test]
fn a_cell_without_variables_is_wrapped_too() {
    let lines = rewritten(WITHOUT_VARIABLES, facts(true, true));
    assert!(line(&lines, "catch_unwind").ends_with("let _ = ::interleave::asyncio::run(async {"));
    assert!(line(&lines, ".is_err()").ends_with("(()) });})).is_err() {"));
}

#[test]
fn a_cell_whose_panics_are_not_caught_is_wrapped_too() {
    let lines = rewritten(UNCAUGHT, facts(true, false));
    assert!(line(&lines, "take_variable").ends_with(";::interleave::asyncio::run(async {"));
    assert_eq!(lines[lines.len() - 2], "});evcxr_variable_store");
}

#[test]
fn a_marker_that_a_student_prints_is_printed() {
    let marker = "println!(\"EVCXR_PANIC_NOTIFICATION\");";
    let cell = WITHOUT_VARIABLES.replace("task.await;", marker);
    let lines = rewritten(&cell, facts(false, false));
    line(&lines, marker);
    line(&lines, "::interleave::private::cell_panicked();");
}

#[test]
fn the_text_of_the_second_try_is_shown_by_the_prelude() {
    let second_try = WITH_VARIABLES
        .replace(
            "(\nx + 1",
            "evcxr_send_text_plain(&format!(\"{:?}\",&(\nx + 1",
        )
        .replace(").evcxr_display();", ")));");
    let lines = rewritten(&second_try, facts(false, false));
    assert_eq!(
        line(&lines, "show_text"),
        "::interleave::private::show_text(&format!(\"{:?}\",&("
    );
}

#[test]
fn what_is_not_a_cell_stays_as_it_is() {
    let analysis = "async fn evcxr_analysis_wrapper() {\n}\n";
    assert_eq!(rewrite(analysis, &facts(true, true)), analysis);
}

#[test]
fn what_a_crate_attribute_forbids_is_warned_of() {
    let source =
        WITHOUT_VARIABLES.replacen('\n', "\n#![forbid(unused)]\n#![deny( warnings )]\n", 1);
    let rewritten = rewrite(&source, &CellFacts::default());
    assert!(rewritten.contains("\n#![warn  (unused)]\n#![warn( warnings )]\n"));
}
