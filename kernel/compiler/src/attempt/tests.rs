//! Attempts with answers of the test's own, and with rustc.

use std::{cell::RefCell, process::Command};

use serde_json::json;

use super::*;

const CELL: &str = "fn f() { g(); }
pub extern \"C-unwind\" fn run_user_code_1() {
if std::panic::catch_unwind(||{
loop {}
evcxr_variable_store.put_variable::<i32>(stringify!(y), y);
}).is_err() {
}}
";
const PUT: usize = 5;

/// The sources that the compiler saw, and what it answered in the end.
fn attempt(answers: &[(bool, Value)]) -> (Vec<String>, Run, Insertions) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lib.rs");
    let seen = RefCell::new(Vec::new());
    let run = with_checkpoints(
        &path,
        &path.to_string_lossy(),
        CELL,
        &CellFacts::default(),
        "0",
        || {
            let (success, diagnostic) = &answers[seen.borrow().len()];
            seen.borrow_mut().push(fs::read_to_string(&path)?);
            Ok(Run {
                crashed: false,
                success: *success,
                diagnostics: vec![diagnostic.to_string()],
            })
        },
    );
    (
        seen.into_inner(),
        run.unwrap(),
        Insertions::of_source(&path),
    )
}

fn error(line: usize, message: &str) -> Value {
    json!({
        "level": "error", "message": message,
        "spans": [{ "is_primary": true, "line_start": line }],
    })
}

#[test]
fn a_cell_that_compiles_has_checkpoints() {
    let (seen, run, insertions) = attempt(&[(true, json!({}))]);
    assert!(run.success);
    assert!(seen[0].contains("checkpoint();") && !insertions.is_empty());
}

#[test]
fn an_error_is_about_the_source_without_checkpoints() {
    let answers = [(false, error(1, "with")), (false, error(1, "without"))];
    let (seen, run, insertions) = attempt(&answers);
    assert!(!run.success && insertions.is_empty());
    assert_eq!(seen[1], CELL);
    assert!(run.diagnostics[0].contains("without"));
}

#[test]
fn a_cell_that_compiles_only_without_checkpoints_runs_without() {
    let (seen, run, insertions) = attempt(&[(false, error(1, "")), (true, json!({}))]);
    assert!(run.success && insertions.is_empty());
    assert_eq!(seen[1], CELL);
}

#[test]
fn what_only_tells_evcxr_of_a_moved_variable_is_not_compiled_twice() {
    let (seen, run, _) = attempt(&[(false, error(PUT, "moved"))]);
    assert_eq!((seen.len(), run.success), (1, false));
}

/// Sources whose warnings lie beside, behind and around checkpoints.
const WITH_WARNINGS: [&str; 6] = [
    "fn f() { let a = g(); let é = g(); let mut b = g(); h(|x| x + 1); }",
    "fn f() { r(); let c = |x: i32| (x + 1); let _ = c(1); r(); }",
    "fn f() -> i32 { never(); g() }",
    "fn f() { g(); never(); }",
    "fn f() { loop { g(); never(); let x = g();\n /* 值 */ let y = 1; } }",
    "fn f() { return; g(); }\nfn deep() { g(); deep() }\nfn unused() { while true { g(); } }",
];

const HELPERS: &str = "
fn g() -> i32 { 1 }
fn h(f: fn(i32) -> i32) { f(1); }
fn r() -> Result<(), ()> { Ok(()) }
fn never() -> ! { std::process::exit(1) }
pub fn start() { f(); }
pub extern \"C-unwind\" fn run_user_code_0(mut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}
";

/// What rustc says of a source, and what it is told to be about.
fn warnings(directory: &Path, source: &str, checked: bool) -> Vec<Value> {
    let path = directory.join("lib.rs");
    let rustc = || {
        let output = Command::new("rustc")
            .args(["--edition=2024", "--crate-type=lib", "--emit=metadata"])
            .args(["--error-format=json", "-L"])
            .arg(directory)
            .args(["--extern", "interleave", "--out-dir"])
            .arg(directory)
            .arg(&path)
            .output()?;
        Ok(Run {
            crashed: false,
            success: output.status.success(),
            diagnostics: String::from_utf8(output.stderr)?
                .lines()
                .map(str::to_owned)
                .collect(),
        })
    };
    let run = if checked {
        with_checkpoints(
            &path,
            &path.to_string_lossy(),
            source,
            &CellFacts::default(),
            "0",
            rustc,
        )
        .unwrap()
    } else {
        write(&path, source, None).unwrap();
        rustc().unwrap()
    };
    assert!(run.success, "{:#?}", run.diagnostics);
    assert_eq!(Insertions::of_source(&path).is_empty(), !checked);
    let diagnostics = run.diagnostics.iter();
    let mut diagnostics: Vec<Value> = diagnostics
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|diagnostic: &Value| diagnostic["code"].is_object())
        .collect();
    for diagnostic in &mut diagnostics {
        // The drawing counts columns of its own.
        diagnostic["rendered"] = Value::Null;
    }
    diagnostics
}

#[test]
fn warnings_are_the_same_with_and_without_checkpoints() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    fs::write(
        directory.join("interleave.rs"),
        "pub mod private { pub fn checkpoint() {} }",
    )
    .unwrap();
    let compiled = Command::new("rustc")
        .args(["--crate-type=lib", "--out-dir"])
        .arg(directory)
        .arg(directory.join("interleave.rs"))
        .status();
    assert!(compiled.unwrap().success());
    for source in WITH_WARNINGS {
        let source = format!("{source}{HELPERS}");
        let expected = warnings(directory, &source, false);
        assert!(!expected.is_empty(), "{source}");
        let mapped = warnings(directory, &source, true);
        assert_eq!(mapped.len(), expected.len(), "{source}\n{mapped:#?}");
        for (mapped, expected) in mapped.iter().zip(&expected) {
            if expected["code"]["code"] == "unreachable_code" {
                // Of the statement behind a call that never returns, its place counts.
                assert_eq!(primary(mapped), primary(expected), "{source}");
            } else {
                assert_eq!(mapped, expected, "{source}");
            }
        }
    }
}

fn primary(diagnostic: &Value) -> Value {
    let spans = diagnostic["spans"].as_array().unwrap();
    let mut span = spans
        .iter()
        .find(|span| span["is_primary"] == true)
        .unwrap()
        .clone();
    span["label"] = Value::Null;
    span
}
