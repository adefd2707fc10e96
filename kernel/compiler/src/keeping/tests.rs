//! Diagnostics of rustc, without rustc.

use super::*;

const SOURCE: &str = "\
fn run_user_code_1() {
let m = Mutex::new(1);
let g = m.lock().unwrap();
evcxr_variable_store.put_variable::<Mutex<i32>>(stringify!(m), m);
evcxr_variable_store.put_variable::<MutexGuard<'_, i32>>(stringify!(g), g);
}
";

/// An error with spans on lines of [`SOURCE`], from 1; the first is primary.
fn error(code: &str, spans: &[(usize, &str)]) -> String {
    let spans = spans.iter().enumerate().map(|(index, (line, label))| {
        json!({
            "is_primary": index == 0, "label": label, "line_start": line, "column_start": 3,
            "text": [{"text": SOURCE.lines().nth(line - 1).unwrap()}],
        })
    });
    let spans: Vec<Value> = spans.collect();
    json!({"level": "error", "message": "m", "code": {"code": code}, "spans": spans}).to_string()
}

fn judged(error: String) -> Judgement {
    judge(&[error], SOURCE)
}

/// The line and the code of what evcxr is told.
fn told(judgement: &Judgement) -> Vec<(u64, String)> {
    let told = judgement.forwarded.iter().map(|line| {
        let error: Value = serde_json::from_str(line).unwrap();
        let line = error["spans"][0]["line_start"].as_u64().unwrap();
        (line, error["code"]["code"].as_str().unwrap().to_owned())
    });
    told.collect()
}

#[test]
fn a_moved_variable_is_noted_and_the_error_stays() {
    let error = error("E0382", &[(4, "value used here after move"), (2, "moved")]);
    let judgement = judged(error.clone());
    assert_eq!(judgement.forwarded, [error]);
    let [ended] = judgement.ended.as_slice() else {
        panic!("{judgement:?}")
    };
    assert_eq!(
        (ended.name.as_str(), ended.type_name.as_str(), ended.reason),
        ("m", "Mutex<i32>", EndReason::Moved)
    );
}

#[test]
fn what_borrows_is_forgotten_and_dropped_before_the_rest_is_moved() {
    let judgement = judged(error(
        "E0505",
        &[
            (4, "move out of `m` occurs here"),
            (5, "borrow later used here"),
        ],
    ));
    assert_eq!(told(&judgement), [(5, "E0382".to_owned())]);
    assert_eq!(judgement.ended[0].name, "g");
    assert_eq!(judgement.ended[0].reason, EndReason::Unkept);
    assert_eq!(Vec::from_iter(&judgement.drop_early), ["g"]);
    let source = with_early_drops(SOURCE, &judgement.drop_early);
    assert_eq!(source.lines().count(), SOURCE.lines().count());
    let line = source.lines().nth(3).unwrap();
    assert!(
        line.starts_with("::core::mem::drop(g);/*interleave*/evcxr_variable_store."),
        "{line}"
    );
}

#[test]
fn the_newest_is_dropped_first() {
    let names = BTreeSet::from(["g".to_owned(), "m".to_owned()]);
    let source = with_early_drops(SOURCE, &names);
    assert!(source.find("drop(g)").unwrap() < source.find("drop(m)").unwrap());
}

#[test]
fn a_guard_that_is_not_kept_is_dropped_when_rustc_says_so() {
    let source = SOURCE.replace("(stringify!(g), g)", "(stringify!(h), h)");
    let late = "borrow might be used here, when `g` is dropped and runs the destructor";
    let error = error("E0505", &[(4, "move out of `m` occurs here"), (3, late)]);
    let judgement = judge(&[error], &source);
    assert!(judgement.forwarded.is_empty(), "{judgement:?}");
    assert_eq!(Vec::from_iter(&judgement.drop_early), ["g"]);
}

#[test]
fn a_drop_that_rustc_refuses_is_taken_back() {
    let mut error: Value =
        serde_json::from_str(&error("E0382", &[(4, "value used here after move")])).unwrap();
    error["spans"][0]["text"][0]["text"] = "::core::mem::drop(g);/*interleave*/evcxr_".into();
    let judgement = judged(error.to_string());
    assert_eq!(Vec::from_iter(&judgement.drop_refused), ["g"]);
    assert!(judgement.forwarded.is_empty());
}

#[test]
fn an_error_of_the_student_passes() {
    let error = error(
        "E0505",
        &[(3, "move out of `m` occurs here"), (2, "borrow")],
    );
    assert_eq!(judged(error.clone()).forwarded, [error]);
}

#[test]
fn evcxr_is_made_to_forget_what_it_would_keep() {
    let told = forget(SOURCE, &["g".to_owned(), "other".to_owned()]);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("\"line_start\":5"), "{}", told[0]);
}

#[test]
fn an_analysis_says_nothing_of_keeping() {
    let keeping = json!({"level": "error", "spans": [
        {"text": [{"text": "evcxr_variable_store(r);"}]},
    ]});
    let own = error("E0505", &[(3, "move out of `m` occurs here")]);
    let lines = about_the_cell(vec![keeping.to_string(), own.clone()]);
    assert_eq!(lines, [own]);
}

#[test]
fn errors_of_borrow_checking_are_told_from_others() {
    let error = |code: &str| format!(r#"{{"level":"error","code":{{"code":"{code}"}}}}"#);
    let end = r#"{"level":"error","code":null,"message":"aborting due to 1 previous error"}"#;
    let note = r#"{"level":"failure-note","code":null,"message":"Some errors"}"#;
    let linker = r#"{"level":"error","code":null,"message":"linking with `cc` failed"}"#;
    let about = |lines: &[&str]| is_about_borrows(lines.join("\n").as_bytes());
    assert!(about(&[&error("E0382"), end, note]));
    assert!(!about(&[&error("E0382"), &error("E0463"), end]));
    assert!(!about(&[&error("E0382"), linker, end]));
    assert!(!about(&[&error("E0382"), "rustc is out of memory"]));
    assert!(!about(&[end, note]));
    assert!(!about(&[]));
}
