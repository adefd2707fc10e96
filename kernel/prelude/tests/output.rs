//! What appears on standard output and standard error of an ordinary program.
//!
//! Each test runs one scenario below in a process of its own, which is this same binary.

use std::process::{Command, Output};

use interleave::{
    asyncio::{self, Coroutine},
    concurrent::futures::Future,
    display::{Html, ProgressBar, Table, clear_output, display},
};

fn run(scenario: &str) -> (String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("scenario::{scenario}"),
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    assert!(status.success());
    (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

mod scenario {
    use super::*;

    async fn hello() {}

    #[test]
    #[ignore = "run by the test of the same name"]
    fn never_awaited() {
        drop(Coroutine::from(hello()));
        asyncio::run(Coroutine::from(async {}));
    }

    #[test]
    #[ignore = "run by the test of the same name"]
    fn panicking_callbacks() {
        std::panic::set_hook(Box::new(|_| ()));
        let future = Future::new();
        future.add_done_callback(|_| panic!("first"));
        future.set_result(1);
        let event_loop = asyncio::get_event_loop();
        event_loop.call_soon(|| panic!("second"));
        asyncio::run(async {});
    }

    #[test]
    #[ignore = "run by the test of the same name"]
    fn plain_text() {
        let output = display(&Html::from("<b>working</b>"));
        output.update(&Table::new(["n"]).row([1]));
        clear_output(true);
    }

    #[test]
    #[ignore = "run by the test of the same name"]
    fn progress() {
        let bar = ProgressBar::new(1000);
        for _ in 0..1000 {
            bar.inc(1);
        }
        let unfinished = ProgressBar::new(4).label("unfinished");
        unfinished.inc(1);
        unfinished.inc(1);
    }
}

#[test]
fn a_coroutine_that_was_never_awaited_is_reported() {
    let (_, stderr) = run("never_awaited");
    assert_eq!(
        stderr,
        "RuntimeWarning: coroutine 'hello' was never awaited\n"
    );
}

#[test]
fn callbacks_that_panic_are_reported() {
    let (_, stderr) = run("panicking_callbacks");
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines[0].starts_with("exception calling callback for <Future at 0x"));
    assert!(lines[0].ends_with("state=finished returned i32>: first"));
    assert_eq!(lines[1..], ["Exception in callback: second"]);
}

#[test]
fn without_a_notebook_the_plain_text_is_printed() {
    let (stdout, _) = run("plain_text");
    assert!(stdout.contains("<b>working</b>\nn\n-\n1\n"), "{stdout}");
}

#[test]
fn progress_is_drawn_seldom_but_the_last_step_always() {
    let (stdout, _) = run("progress");
    let drawn = stdout.lines().filter(|line| line.contains('%')).count();
    assert!(stdout.contains("[##########] 100%"), "{stdout}");
    assert!(
        stdout.contains("unfinished [##        ] 25%\nunfinished [#####     ] 50%\n"),
        "{stdout}"
    );
    assert!(drawn < 500, "{drawn}");
}
