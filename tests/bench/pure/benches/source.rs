//! What a cell costs before rustc begins: bringing its source into order, rewriting it, and finding
//! out whether it was compiled before.
//!
//! `cargo bench --bench source`

use std::{fmt::Write, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use interleave_compiler::{
    cache::{Answer, Cache, Question},
    checkpoints::{self, Additions},
    order, rewrite, unneeded,
};
use interleave_protocol::CellFacts;

/// A source as evcxr 0.22 writes it, after cells with so many functions, types and variables.
fn generated(functions: usize, types: usize, variables: usize) -> String {
    let mut source = String::from("#![allow(unused_imports, unused_mut, dead_code)]\n");
    let mut line = |text: String| writeln!(source, "{text}").expect("a string can be written to");
    // In no order, as from a hash map.
    for number in (0..functions).map(|number| number * 37 % functions) {
        line(format!(
            "fn f{number}(x: i32) -> i32 {{\n    g(x) + {number}\n}}"
        ));
    }
    for number in (0..types).rev() {
        line(format!(
            "#[derive(Debug, Clone)]\nstruct S{number} {{ a: i32, b: String }}"
        ));
    }
    line("mod evcxr_internal_runtime {\n}\n#[unsafe(no_mangle)]".into());
    line("pub extern \"C\" fn run_user_code_4(\nmut evcxr_variable_store: *mut evcxr_internal_runtime::VariableStore)".into());
    line("  -> *mut evcxr_internal_runtime::VariableStore {".into());
    for number in (0..variables).rev() {
        line(format!(
            "let v{number} = evcxr_variable_store.take_variable::<Vec<i32>>(stringify!(v{number}));"
        ));
    }
    line("match std::panic::catch_unwind(\n  std::panic::AssertUnwindSafe(||{".into());
    line("for n in 0..10 {\n    println!(\"{}\", f1(n));\n}".into());
    line(
        "})) { \n  Ok(_) => {}\n  Err(_) => {\nprintln!(\"EVCXR_PANIC_NOTIFICATION\");\n}}".into(),
    );
    for number in 0..variables {
        line(format!(
            "evcxr_variable_store.put_variable::<Vec<i32>>(stringify!(v{number}), v{number});"
        ));
    }
    line("evcxr_variable_store\n}".into());
    source
}

fn source(criterion: &mut Criterion) {
    let facts = CellFacts {
        only_statements: true,
        ..CellFacts::default()
    };
    for (name, generated) in [
        ("first cell", generated(1, 0, 0)),
        ("full notebook", generated(100, 20, 50)),
    ] {
        let ordered =
            order::ordered(&generated).map_or(generated.clone(), |ordered| ordered.source);
        let rewritten = rewrite::rewrite(&ordered, &facts);
        assert!(checkpoints::insert(&rewritten, "0", Additions::All { cell: 4 }).is_some());
        let mut group = criterion.benchmark_group(name);
        group.bench_function("order", |bencher| {
            bencher.iter(|| order::ordered(black_box(&generated)));
        });
        group.bench_function("rewrite", |bencher| {
            bencher.iter(|| rewrite::rewrite(black_box(&ordered), &facts));
        });
        group.bench_function("leave out", |bencher| {
            bencher.iter(|| unneeded::left_out(black_box(&rewritten), &facts));
        });
        group.bench_function("checkpoints", |bencher| {
            bencher.iter(|| {
                checkpoints::insert(black_box(&rewritten), "0", Additions::All { cell: 4 })
            });
        });
        group.finish();
    }
}

fn memory(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("there is a temporary directory");
    let cache = Cache::in_directory(directory.path().join("cells")).expect("it is ours");
    let mut question = Question::default();
    question.add(generated(100, 20, 50));
    let answer = Answer {
        success: true,
        said: Vec::new(),
        made: vec![7; 100_000],
    };
    cache.keep(&question, &answer);
    assert_eq!(cache.find(&question), Some(answer));
    criterion.bench_function("find in memory", |bencher| {
        bencher.iter(|| cache.find(black_box(&question)));
    });
}

criterion_group!(benches, source, memory);
criterion_main!(benches);
