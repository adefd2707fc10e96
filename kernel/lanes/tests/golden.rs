//! Pictures of fixed traces, compared letter by letter.
//!
//! After a change that was meant, `UPDATE_EXPECT=1 cargo test -p interleave-lanes` writes them anew.

mod scenes;

use std::path::Path;

use expect_test::expect_file;
use interleave_lanes::{Picture, Trace};

fn compare(name: &str, trace: &Trace) {
    let picture = Picture::of(trace);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    expect_file![folder.join(format!("{name}.txt"))].assert_eq(&picture.to_ascii(100));
    expect_file![folder.join(format!("{name}.svg"))].assert_eq(&picture.to_svg());
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
    sequential, timers, callback, future, event_loop, generator, pool, executor, deadlock, tokio,
    flood, hostile,
);

#[test]
fn sixty_threads() {
    compare("sixty_threads", &scenes::many(60));
}
