//! Sources of two cells each: what the first defines, the second shares.

use super::*;

const COUNTER: &str = "static N: AtomicUsize = AtomicUsize::new(0);";

fn facts(id: u64, items: &[&str]) -> CellFacts {
    CellFacts {
        id,
        host: 7,
        items: items.iter().map(ToString::to_string).collect(),
        ..CellFacts::default()
    }
}

#[track_caller]
fn check_lines(before: &str, after: &str) {
    assert_eq!(before.lines().count(), after.lines().count(), "{after}");
}

#[test]
fn a_static_is_exported_once_and_then_imported() {
    let mut known = Known::default();
    let source = format!("use std::sync::atomic::AtomicUsize;\n{COUNTER}\nfn f() {{}}\n");
    let first = share(&source, &facts(1, &["N"]), &mut known);
    check_lines(&source, &first);
    assert!(
        first.contains(
            "AtomicUsize; /*interleave*/ #[unsafe(export_name = \"interleave_static_1_N\")] \n"
        ),
        "{first}"
    );
    assert!(first.contains(&format!("\n{COUNTER}\n")), "{first}");

    let second = share(&source, &facts(2, &[]), &mut known);
    check_lines(&source, &second);
    let import = "#[link_name = \"interleave_static_1_N\"]  safe static N: AtomicUsize; }";
    assert!(second.contains(import), "{second}");
}

#[test]
fn running_the_cell_again_makes_a_new_static() {
    let mut known = Known::default();
    share(COUNTER, &facts(1, &["N"]), &mut known);
    let again = share(COUNTER, &facts(2, &["N"]), &mut known);
    assert!(
        again.contains("export_name = \"interleave_static_2_N\""),
        "{again}"
    );
    let later = share(COUNTER, &facts(3, &[]), &mut known);
    assert!(
        later.contains("link_name = \"interleave_static_2_N\""),
        "{later}"
    );
}

#[test]
fn a_static_of_a_type_that_changed_is_not_shared() {
    let mut known = Known::default();
    let source = |field: &str| {
        format!("struct Inner {{ {field} }}\nstruct Outer(Inner);\nstatic S: Outer = new();\n")
    };
    share(
        &source("a: u8"),
        &facts(1, &["S", "Inner", "Outer"]),
        &mut known,
    );
    let same = share(&source("a: u8"), &facts(2, &[]), &mut known);
    assert!(same.contains("interleave_static_1_S"), "{same}");
    let changed = share(&source("a: u64"), &facts(3, &["Inner"]), &mut known);
    assert!(
        changed.contains("export_name = \"interleave_static_3_S\""),
        "{changed}"
    );
}

#[test]
fn statics_inside_functions_and_modules_are_shared_too() {
    let mut known = Known::default();
    let source = "fn count() -> usize {\n    static N: AtomicUsize = A;\n    N.get()\n}\n\
                  mod m {\n    pub static N: u8 = 1;\n}\n";
    let first = share(source, &facts(1, &["count", "m"]), &mut known);
    check_lines(source, &first);
    assert!(first.contains("interleave_static_1_count__N"), "{first}");
    assert!(first.contains("interleave_static_1_m__N"), "{first}");
    let second = share(source, &facts(2, &[]), &mut known);
    check_lines(source, &second);
    assert!(second.contains("pub safe static N: u8"), "{second}");
    assert!(!second.contains("export_name"), "{second}");
}

#[test]
fn thread_locals_are_shared_by_reference_and_their_last_definition_counts() {
    let mut known = Known::default();
    let source = "thread_local! {\n    static A: Cell<u8> = Cell::new(0);\n    static B: u8 = const { 1 };\n}\n";
    let first = share(source, &facts(1, &["A", "B"]), &mut known);
    check_lines(source, &first);
    assert!(
        first.contains("static interleave_A: &::std::thread::LocalKey<Cell < u8 >> = &A;"),
        "{first}"
    );
    let second = share(source, &facts(2, &[]), &mut known);
    check_lines(source, &second);
    assert!(
        second.contains("safe static A: &'static ::std::thread::LocalKey<Cell < u8 >>; }"),
        "{second}"
    );
    assert!(second.contains("safe static B:"), "{second}");
    assert!(!second.contains("thread_local!"), "{second}");

    let twice = format!("{source}{source}");
    let again = share(&twice, &facts(3, &["A", "B"]), &mut known);
    check_lines(&twice, &again);
    assert_eq!(again.matches("thread_local!").count(), 1, "{again}");
}

#[test]
fn another_process_has_none_of_the_statics() {
    let mut known = Known::default();
    share(COUNTER, &facts(1, &["N"]), &mut known);
    let restarted = CellFacts {
        host: 8,
        ..facts(2, &[])
    };
    let source = share(COUNTER, &restarted, &mut known);
    assert!(
        source.contains("export_name = \"interleave_static_2_N\""),
        "{source}"
    );
}

#[test]
fn what_is_in_the_cell_itself_or_does_not_parse_stays_as_it_is() {
    let mut known = Known::default();
    let cell = "pub extern \"C-unwind\" fn run_user_code_1() {\n{ static N: u8 = 1; }\n}\n";
    assert_eq!(share(cell, &facts(1, &[]), &mut known), cell);
    assert_eq!(
        share("static N: = ;", &facts(1, &[]), &mut known),
        "static N: = ;"
    );
    assert!(!serde_json::to_string(&known).unwrap().contains("symbol"));
}

#[test]
fn a_mutable_static_stays_mutable() {
    let mut known = Known::default();
    let source = "static mut N: u8 = 1;\n";
    share(source, &facts(1, &["N"]), &mut known);
    let second = share(source, &facts(2, &[]), &mut known);
    assert!(
        second.contains(" static mut N: u8; }") && !second.contains("safe static"),
        "{second}"
    );
}

#[test]
fn thread_locals_inside_modules_and_functions_are_shared_too() {
    let mut known = Known::default();
    let source = "mod m {\n    thread_local! {\n        pub static A: u8 = 1;\n    }\n}\n\
                  fn f() {\n    thread_local!(static A: u8 = 2);\n    A.with(g)\n}\n";
    let first = share(source, &facts(1, &["m", "f"]), &mut known);
    check_lines(source, &first);
    for path in ["m__A", "f__A"] {
        let export = format!("export_name = \"interleave_static_1_{path}\")] static interleave_A");
        assert!(first.contains(&export), "{first}");
    }
    let second = share(source, &facts(2, &[]), &mut known);
    check_lines(source, &second);
    assert!(!second.contains("thread_local!"), "{second}");
    assert!(second.contains("pub safe static A: &'static"), "{second}");
    assert!(second.contains("f__A"), "{second}");
    assert!(syn::parse_file(&second).is_ok(), "{second}");
}

#[test]
fn lazy_statics_are_shared_unless_they_are_those_of_the_crate() {
    let mut known = Known::default();
    let source = "lazy_static! {\n    /// One.\n    pub static ref A: Vec<u8> = vec![1];\n    \
                  static ref B: u8 = 2;\n}\n";
    let first = share(source, &facts(1, &["A", "B"]), &mut known);
    check_lines(source, &first);
    assert!(
        first.contains(
            "lazy_static! { /*interleave*/ #[unsafe(export_name = \"interleave_static_1_A\")] \n"
        ),
        "{first}"
    );
    let second = share(source, &facts(2, &[]), &mut known);
    check_lines(source, &second);
    assert!(
        second.contains("pub safe static A: ::std::sync::LazyLock<Vec < u8 >>;"),
        "{second}"
    );
    assert!(
        second.contains("safe static B: ::std::sync::LazyLock<u8>;"),
        "{second}"
    );

    let of_crate = format!("use lazy_static::lazy_static;\n{source}");
    assert_eq!(
        share(&of_crate, &facts(3, &["A", "B"]), &mut known),
        of_crate
    );
}

#[test]
fn a_declaration_has_the_lifetimes_that_a_static_may_leave_out() {
    let mut known = Known::default();
    let source = "static A: Mutex<Vec<&str>> = x();\nstatic B: &[(&'static str, Cow<'_, str>)] = &[];\n\
                  static C: fn(&str) -> &str = x;\nstatic D: Option<Box<dyn Fn(&u8) -> &u8 + Sync>> = None;\n";
    share(source, &facts(1, &["A", "B", "C", "D"]), &mut known);
    let later = share(source, &facts(2, &[]), &mut known).replace(' ', "");
    for ty in [
        "A:Mutex<Vec<&'staticstr>>;",
        "B:&'static[(&'staticstr,Cow<'static,str>)];",
        "C:fn(&str)->&str;",
        "D:Option<Box<dynFn(&u8)->&u8+Sync>>;",
    ] {
        assert!(later.contains(ty), "{ty} in {later}");
    }
}

/// The names of the statics that are exported, and of those that are imported.
fn shared(source: &str) -> [Vec<&str>; 2] {
    [
        "export_name = \"interleave_static_",
        "link_name = \"interleave_static_",
    ]
    .map(|start| {
        let symbols = source.split(start).skip(1);
        symbols
            .map(|rest| rest.split('"').next().unwrap())
            .collect()
    })
}

#[test]
fn one_of_several_is_defined_again() {
    let mut known = Known::default();
    let both = "thread_local! {\n    static A: u8 = 1;\n    static B: u8 = { 2 };\n}\n";
    let alone = "thread_local!(static A: u16 = 3);\n";
    share(both, &facts(1, &["A B!"]), &mut known);
    // evcxr has them in any order.
    for (id, items, expected) in [
        (2, &["A!"][..], [vec!["2_A"], vec!["1_B"]]),
        (3, &[], [vec![], vec!["2_A", "1_B"]]),
        (4, &["A B!"], [vec!["4_A", "4_B"], vec![]]),
        (5, &[], [vec![], vec!["4_A", "4_B"]]),
    ] {
        for source in [format!("{both}{alone}"), format!("{alone}{both}")] {
            let mut known = known.clone();
            let changed = share(&source, &facts(id, items), &mut known);
            check_lines(&source, &changed);
            let mut found = shared(&changed);
            found.iter_mut().for_each(|names| names.sort_unstable());
            let mut expected = expected.clone();
            expected.iter_mut().for_each(|names| names.sort_unstable());
            assert_eq!(found, expected, "{id}: {changed}");
        }
        share(&format!("{both}{alone}"), &facts(id, items), &mut known);
    }
}

#[test]
fn a_new_process_has_the_newest_of_each() {
    let mut known = Known::default();
    let both = "thread_local! {\n    static A: u8 = 1;\n    static B: u8 = 2;\n}\n";
    let plain = "static A: AtomicU8 = AtomicU8::new(3);\n";
    share(both, &facts(1, &["A B!"]), &mut known);
    let source = format!("{plain}{both}");
    share(&source, &facts(2, &["A"]), &mut known);
    let other_host = CellFacts {
        host: 8,
        ..facts(3, &[])
    };
    let changed = share(&source, &other_host, &mut known);
    check_lines(&source, &changed);
    assert!(!changed.contains("static A: u8"), "{changed}");
    assert!(changed.contains("static B: u8 = 2;"), "{changed}");
    assert_eq!(shared(&changed), [vec!["3_A", "3_B"], vec![]], "{changed}");
}
