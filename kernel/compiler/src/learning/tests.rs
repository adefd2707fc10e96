//! A cell is compiled by a rustc whose answers are written here.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const SOURCE: &str = "struct Point;\npub extern \"C\" fn run_user_code_1() {\n\
    evcxr_variable_store.put_variable::<interleave_type_3_0>(stringify!(a), a);\n\
    evcxr_variable_store.put_variable::<interleave_type_3_1>(stringify!(b), b);\n}\n";

fn facts() -> CellFacts {
    CellFacts {
        id: 3,
        learn: true,
        ..CellFacts::default()
    }
}

fn learnt(ty: &str) -> Learnt {
    Learnt {
        ty: ty.to_owned(),
        definitions: 0,
    }
}

/// What rustc says of the cast on the line of a variable.
fn cast(name: &str, ty: &str) -> String {
    let kept = format!("`interleave::private::variables::Kept<{ty}>`");
    let text = format!("evcxr_variable_store.{}", question(name));
    json!({
        "level": "warning",
        "code": {"code": "trivial_casts"},
        "message": format!("trivial cast: {kept} as {kept}"),
        "spans": [{"text": [{"text": text}]}],
    })
    .to_string()
}

fn diagnostic(level: &str, message: &str) -> String {
    json!({"level": level, "message": message, "spans": [{"line_start": 1, "label": null}], "children": []})
        .to_string()
}

/// A cell, and what it was compiled as.
struct Cell {
    _directory: TempDir,
    path: PathBuf,
    learning: Learning,
    sources: RefCell<Vec<String>>,
}

impl Cell {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self {
            path: directory.path().join("lib.rs"),
            _directory: directory,
            learning: Learning::of(SOURCE, &facts(), BTreeMap::new()).unwrap(),
            sources: RefCell::default(),
        }
    }

    /// `answers` are those of each call of rustc: what it was for, and what it says.
    fn compile(&self, answers: &[(&str, bool, Vec<String>)]) -> Run {
        fs::write(&self.path, SOURCE).unwrap();
        let answers = RefCell::new(answers.iter());
        let run = self.learning.compile(&self.path, |purpose| {
            let source = fs::read_to_string(&self.path)?;
            self.sources.borrow_mut().push(source);
            let (expected, success, said) = answers.borrow_mut().next().unwrap();
            let name = match purpose {
                Purpose::Object => "object",
                Purpose::Types(_) => "types",
                Purpose::Words => "words",
            };
            assert_eq!(name, *expected);
            Ok(Run {
                success: *success,
                diagnostics: said.clone(),
                crashed: false,
            })
        });
        assert!(answers.into_inner().next().is_none());
        run.unwrap()
    }

    fn last_source(&self) -> String {
        self.sources.borrow().last().unwrap().clone()
    }
}

#[test]
fn types_stand_where_evcxr_writes_them() {
    let mut facts = facts();
    facts.learnt = BTreeMap::from([("interleave_type_1_0".to_owned(), learnt("u8"))]);
    let check = |line: &str, expected: &str| assert_eq!(with_types(line, &facts), expected);
    check(
        "s.take_variable::<interleave_type_1_0>(stringify!(a));",
        "s.take_variable::<u8>(stringify!(a));",
    );
    check("mut a: interleave_type_1_0,\n", "mut a: u8,\n");
    check(
        "s.check_variable::<interleave_type_1_7>(stringify!(a));",
        "s.check_variable::<::interleave::private::Undetermined>(stringify!(a));",
    );
    let own = "s.put_variable::<interleave_type_3_0>(stringify!(a), a);";
    check(own, own);
    let text = "println!(\"interleave_type_1_0\");";
    check(text, text);
}

#[test]
fn what_rustc_says_of_the_casts_is_the_answer() {
    let cell = Cell::new();
    let casts = vec![
        cast("a", "&str"),
        diagnostic("warning", "unused"),
        cast("b", "Point"),
    ];
    let run = cell.compile(&[("types", true, casts)]);
    assert_eq!(run.diagnostics, [diagnostic("warning", "unused")]);
    assert!(cell.last_source().contains(&question("a")));
    let answer = cell.learning.answer();
    assert_eq!(answer["interleave_type_3_0"], learnt("&'static str"));
    assert_eq!(answer["interleave_type_3_1"].ty, "Point");
    assert_ne!(answer["interleave_type_3_1"].definitions, 0);
    // What others read is as if the types had been known.
    let source = fs::read_to_string(&cell.path).unwrap();
    assert!(source.contains("put_variable::<Point>(stringify!(b), b);"));
}

#[test]
fn words_that_may_mean_something_else_are_tried() {
    for (ty, how) in [("a::B", "words"), ("fn(i32) -> i32", "object")] {
        let casts = || vec![cast("a", "u8"), cast("b", ty)];
        let cell = Cell::new();
        let run = cell.compile(&[("types", true, casts()), (how, true, Vec::new())]);
        assert!(run.success);
        assert!(cell.last_source().contains(&line(ty, "b")));

        let cell = Cell::new();
        let error = vec![diagnostic("error", "private")];
        cell.compile(&[("types", true, casts()), (how, false, error)]);
        assert!(cell.learning.is_refused());
        assert_eq!(cell.learning.found().unwrap().types["b"], ty);
    }
}

#[test]
fn a_warning_with_a_path_is_asked_for_once_more() {
    let cell = Cell::new();
    let said = vec![
        cast("a", "u8"),
        cast("b", "u8"),
        diagnostic("warning", "unused `std::result::Result`"),
    ];
    let short = vec![diagnostic("warning", "unused `Result`")];
    let run = cell.compile(&[("types", true, said), ("words", true, short.clone())]);
    assert_eq!(run.diagnostics, short);
}

#[test]
fn a_type_that_cannot_be_written_refuses_the_cell() {
    let cell = Cell::new();
    let casts = vec![
        cast("a", "{closure@cells/3/lib.rs:1:2: 3:4}"),
        cast("b", "u8"),
    ];
    assert!(cell.compile(&[("types", true, casts)]).crashed);
    assert!(cell.learning.is_refused());
    assert_eq!(cell.learning.found().unwrap().types["b"], "u8");
}

#[test]
fn so_does_one_that_is_not_known() {
    for casts in [
        vec![cast("a", "u8")],
        vec![cast("a", "u8"), cast("b", "Vec<_>")],
    ] {
        let cell = Cell::new();
        cell.compile(&[("types", false, casts)]);
        assert!(cell.learning.is_refused());
        assert_eq!(cell.learning.found(), None);
    }
}

#[test]
fn a_cell_with_an_error_is_compiled_on_with_the_types_that_were_learnt() {
    let cell = Cell::new();
    let error = || diagnostic("error", "mismatched types");
    let said = vec![cast("a", "u8"), cast("b", "u8"), error()];
    let run = cell.compile(&[("types", false, said)]);
    assert!(!run.success && !run.crashed && !cell.learning.is_refused());
    let run = cell.compile(&[("object", false, vec![error()])]);
    assert_eq!(run.diagnostics, [error()]);
    assert!(cell.last_source().contains(&line("u8", "a")));
}

#[test]
fn a_source_in_which_the_lint_could_be_seen_has_nothing_to_learn_from() {
    let source = format!("#![deny(warnings)]\n{SOURCE}");
    let learning = Learning::of(&source, &facts(), BTreeMap::new()).unwrap();
    assert!(learning.is_refused());
    assert!(Learning::of("fn f() {}", &facts(), BTreeMap::new()).is_none());
}

#[test]
fn the_prelude_goes_by_its_name() {
    let check = |said: &str, expected: &str| assert_eq!(with_name_of_prelude(said), expected);
    check(
        "`_::private::Kept<_::Task>`",
        "`interleave::private::Kept<interleave::Task>`",
    );
    check("`a_::B<(_, u8)>`", "`a_::B<(_, u8)>`");
}
