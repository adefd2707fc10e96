//! Pictures of fixed traces, compared letter by letter.
//!
//! After a change that was meant, `UPDATE_EXPECT=1 cargo test -p interleave-lanes` writes them anew.

mod scenes;

use std::path::{Path, PathBuf};

use expect_test::expect_file;
use interleave_lanes::{Picture, Trace};

fn compare(name: &str, trace: &Trace) {
    let picture = Picture::of(trace);
    let folder = folder();
    expect_file![folder.join(format!("{name}.txt"))].assert_eq(&picture.to_ascii(100));
    expect_file![folder.join(format!("{name}.svg"))].assert_eq(&picture.to_svg());
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

macro_rules! goldens {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                compare(stringify!($name), &scenes::$name());
            }
        )*
    };
}

goldens!(
    sequential,
    timers,
    callback,
    future,
    event_loop,
    generator,
    pool,
    executor,
    deadlock,
    tokio,
    flood,
    hostile,
    blocking,
    greedy,
    contended,
    lost,
    kept,
    between_cells,
);

#[test]
fn the_output_of_a_notebook() {
    for (name, trace) in [("timers", scenes::timers()), ("hostile", scenes::hostile())] {
        let html = Picture::of(&trace).to_html();
        // The script is a file of its own.
        let (before, script) = html.split_once("<script>").unwrap();
        let (_, behind) = script.split_once("</script>").unwrap();
        let html = format!("{before}<script>…</script>{behind}").replace("><", ">\n<");
        expect_file![folder().join(format!("{name}.html"))].assert_eq(&html);
    }
}

#[test]
fn a_trace_for_perfetto() {
    for (name, trace) in [("pool", scenes::pool()), ("hostile", scenes::hostile())] {
        let json = Picture::of(&trace).to_chrome_json();
        let json = json.replace("},{", "},\n{");
        expect_file![folder().join(format!("{name}.json"))].assert_eq(&json);
    }
}

#[test]
fn sixty_threads() {
    compare("sixty_threads", &scenes::many(60));
}
