//! Where checkpoints stand: `§` in these sources, and `⟨` to `⟩` around a body that becomes a block.

use super::*;

const MARK: char = '§';

/// Checks a source in which each checkpoint is marked.
#[track_caller]
fn check_level(marked: &str, opt_level: &str) {
    let cell = "pub extern \"C-unwind\" fn run_user_code_1(\nmut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}\n";
    let marked = format!("{marked}\n{cell}");
    let source = marked.replace([MARK, '⟨', '⟩'], "");
    let found = insert(&source, opt_level, Additions::Checkpoints)
        .map_or(source.clone(), |checked| checked.source);
    let shown = found.replace(OPEN, "⟨").replace(CALL, &MARK.to_string());
    assert_eq!(shown, marked.replace('⟩', CLOSE));
}

#[track_caller]
fn check(marked: &str) {
    check_level(marked, "0");
}

#[test]
fn loops_functions_and_closures_begin_with_one() {
    check("fn f() {§ loop {§} }");
    check("fn f() {§ while a() {§ b } for x in c {§ d } }");
    check("impl S { fn m(&self) {§} }\ntrait T { fn n() {§} fn o(); }");
    check("async fn f() {§ async { loop {§ } }; }");
    check("unsafe fn f() {§ 'a: loop {§ break 'a } }");
    check("fn f() {§ move || {§ 1 }; }");
    check("fn f() -> F {§ |x| ⟨x + 1⟩ }");
    check("fn f() -> F {§ || ⟨async move { 1 }⟩ }");
    check("mod m { pub fn f() {§} }");
}

#[test]
fn a_statement_that_calls_is_followed_by_one() {
    check("fn f() {§ g();§ 1 }");
    check("fn f() {§ let x = y.g();§ let z = x + 1; z }");
    check("fn f() {§ let Some(x) = g() else { return };§ x }");
    check("fn f() {§ task.await;§ x = g();§ x }");
    check("fn f() {§ println!(\"{}\", g());§ 1 }");
    check("fn f() {§ if a { g();§ } 1 }");
    // What comes next is the end, or one at the head of the loop.
    check("fn f() {§ g(); }");
    check("fn f() {§ loop {§ g(); } }");
    // A closure is not called yet.
    check("fn f() {§ let g = || ⟨h()⟩; g }");
}

#[test]
fn nothing_stands_behind_what_does_not_go_on() {
    check("fn f() {§ if a { return g(); } loop {§ break g(); } }");
    check("fn f() {§ if a { std::process::exit(1); } panic!(\"{}\", g()); }");
    check("fn f() {§ if a { bail!(g()); } 1 }");
}

#[test]
fn constants_have_none_but_closures_in_them_have() {
    check("const fn f() { while g() { h(); } 1 }");
    check("const A: usize = { let mut n = 0; while n < g() { n += 1; } n };");
    check("static L: LazyLock<u8> = LazyLock::new(|| {§ loop {§} });");
    check("static L: LazyLock<u8> = LazyLock::new(|| ⟨g()⟩);");
    check(
        "fn f() {§ [0; { loop {} }]; let x: [u8; { g(); 1 }]; const { g(); 1 }; h::<{ g(); 1 }>() }",
    );
    check("enum E { A = { loop {} } }");
    check("trait T { const N: usize = { g(); 1 }; }");
}

#[test]
fn what_cannot_be_unwound_has_none() {
    check("extern \"C\" fn f() { loop {} }");
    check("extern fn f() { let g = || h(); g(); 1 }");
    check("extern \"Rust\" fn f() {§ loop {§} }");
}

#[test]
fn macros_keep_their_arguments() {
    check("macro_rules! m { () => { loop {} } }");
    check("fn f() {§ select! { _ = g() => loop {} } }");
    check("thread_local! { static X: u8 = { loop {} }; }");
}

#[test]
fn inner_attributes_stay_first() {
    check("fn f() { #![allow(unused)] g();§ 1 }");
}

#[test]
fn a_body_that_begins_with_a_block_stays_an_expression() {
    check("fn f() -> F {§ |x| match x { _ => 1 } + 2 }");
    check("fn f() -> F {§ |x| if a { b } else { c }.d() }");
    check("fn f() -> F {§ |x| ⟨match x { _ => 1 }⟩ }");
    check("fn f() -> F {§ |x| vec! {x} }");
    check("fn f() -> F {§ |x| ⟨vec![x]⟩ }");
    check("fn f() -> F {§ |x| ⟨*x += 1⟩ }");
}

#[test]
fn optimised_code_has_none_where_it_ends_by_itself() {
    let check = |marked: &str| check_level(marked, "2");
    check("fn f(x: u64) -> u64 { x * x }");
    check("fn f() {§ for x in 0..9 { n += x; } }");
    check("fn f() { let g = |x| x * x; }");
    check("fn f() {§ for x in 0..9 {§ n += g(x); } }");
    check("fn f() {§ for x in 0..9 {§ for y in 0..9 { n += y } } }");
    check("fn f() {§ while a {§ n += 1; } }");
    check("fn f() { let g = |x| ⟨h(x)⟩; g }");
}

const CELL: &str = "fn f() {§ loop {§} }
#[unsafe(no_mangle)]
pub extern \"C-unwind\" fn run_user_code_2(
mut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)
  -> *mut evcxr_internal_runtime::VariableStore {
let x = evcxr_variable_store.take_variable::<i32>(stringify!(x));
match std::panic::catch_unwind(
  std::panic::AssertUnwindSafe(||{
let y = g(x);§
sleep();§
loop {§ g(); }
evcxr_variable_store.put_variable::<i32>(stringify!(y), y);
})) { 
  Ok(_) => {}
  Err(_) => {
::interleave::private::cell_panicked();
}}
evcxr_variable_store.put_variable::<i32>(stringify!(x), x);
evcxr_variable_store
}
";

#[test]
fn of_the_function_that_evcxr_calls_only_the_students_statements_have_some() {
    for cell in [
        CELL.to_owned(),
        CELL.replace("(||{\n", "(||{::interleave::asyncio::run(async {\n")
            .replace("})) {", "});})) {"),
        CELL.replace(
            "evcxr_variable_store.put_variable::<i32>(stringify!(y), y);\n",
            "",
        ),
    ] {
        let checked = insert(&cell.replace(MARK, ""), "0", Additions::Checkpoints).unwrap();
        assert_eq!(checked.source.replace(CALL, &MARK.to_string()), cell);
    }
    let without_variables = "pub extern \"C-unwind\" fn run_user_code_0(\n\
        evcxr_variable_store: *mut u8) -> *mut u8 {\nif std::panic::catch_unwind(||{\n\
        sleep();§\n}).is_err() {\n    println!(\"EVCXR_PANIC_NOTIFICATION\");\n}\n\
        evcxr_variable_store\n}\n";
    let checked = insert(
        &without_variables.replace(MARK, ""),
        "0",
        Additions::Checkpoints,
    )
    .unwrap();
    assert_eq!(
        checked.source.replace(CALL, &MARK.to_string()),
        without_variables
    );
}

#[test]
fn a_cell_that_is_compiled_for_its_errors_has_none() {
    let source = CELL
        .replace(MARK, "")
        .replace("std::panic::catch_unwind(", "(");
    assert!(insert(&source, "0", Additions::Checkpoints).is_none());
}

#[test]
fn what_does_not_parse_has_none() {
    assert!(insert("fn f( {", "0", Additions::Checkpoints).is_none());
}
