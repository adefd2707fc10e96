//! Sources, and where the variables in them hold an end.

use super::*;

/// The variables with the lines at which they hold an end: `tx 1-4`, `tx 2-3 given`.
#[track_caller]
fn check(code: &str, expected: &[&str]) {
    let file = syn::parse_file(code).unwrap();
    let (channels, _) = find(&file);
    let ends = channels.iter().flat_map(|channel| &channel.ends);
    let senders = ends.filter(|end| end.sends).map(|end| {
        let last = end.moved.map_or(end.until.0, |moved| moved - 1);
        let given = end.body.map_or("", |_| " given");
        format!("{} {}-{last}{given}", end.name, end.from.0)
    });
    assert_eq!(senders.collect::<Vec<_>>(), expected);
}

#[test]
fn a_sender_is_followed_to_its_end() {
    check(
        "fn f() {\nlet (tx, rx) = mpsc::channel();\ntx.send(1);\nfor x in rx {}\n}",
        &["tx 2-5"],
    );
    check(
        "fn f() {\nlet (tx, rx) = channel::<u8>();\ndrop(tx);\nrx.recv();\n}",
        &["tx 2-2"],
    );
    check(
        "fn f() {\nlet (tx, rx): (A, B) = bounded(3);\n{ let b = &tx; }\n}",
        &["tx 2-4"],
    );
}

#[test]
fn clones_are_senders_of_their_own() {
    check(
        "fn f() {\nlet (tx, rx) = channel();\nfor i in 0..3 {\nlet tx = tx.clone();\nspawn(move || {\ntx.send(i);\n});\n}\nfor x in rx {}\n}",
        &["tx 2-10", "tx 4-4", "tx 5-7 given"],
    );
    check(
        "fn f() {\nlet (tx, rx) = channel();\nlet (a, b) = (tx.clone(), Sender::clone(&tx));\nlet c = tx;\n}",
        &["tx 2-3", "a 3-5", "b 3-5", "c 4-5"],
    );
}

#[test]
fn what_a_closure_takes_along_is_gone() {
    check(
        "fn f() {\nlet (tx, rx) = channel();\nscope(|s| {\ns.spawn(move || tx.send(1));\n});\n}",
        &["tx 2-2", "tx 3-3 given", "tx 4-4 given"],
    );
    check(
        "fn f() {\nlet (tx, rx) = channel();\nscope(|s| tx.send(1));\n}",
        &["tx 2-4"],
    );
    check(
        "fn f() {\nlet (tx, rx) = channel();\nspawn(async move {\ndrop(tx);\n});\n}",
        &["tx 2-2", "tx 3-3 given"],
    );
}

#[test]
fn a_place_is_in_the_innermost_closure() {
    let code = "fn f() {\nlet (tx, rx) = channel();\nscope(|s| {\ns.spawn(|| rx.recv());\n});\n}";
    let (channels, bodies) = find(&syn::parse_file(code).unwrap());
    let sender = &channels[0].ends[0];
    assert_eq!((bodies.len(), sender.body), (2, None));
    assert_eq!(Body::around((4, 13), &bodies), Some(bodies[1]));
    assert_eq!(Body::around((4, 2), &bodies), Some(bodies[0]));
    assert_eq!(Body::around((3, 1), &bodies), None);
    assert!(sender.holds_at((3, 1)) && !sender.holds_at((1, 1)));
}

#[test]
fn what_the_notebook_keeps_is_not_moved() {
    let code = "fn f() { let (tx, rx) = channel(); store.put_variable::<T>(\"tx\", tx); }";
    let (channels, _) = find(&syn::parse_file(code).unwrap());
    let sender = &channels[0].ends[0];
    assert!(sender.is_kept && sender.moved.is_none());
    assert!(!channels[0].ends[1].is_kept);
}

#[test]
fn another_thing_of_the_same_name_is_none() {
    check(
        "fn f() {\nlet (tx, rx) = channel();\nlet tx = 1;\ndrop(tx);\n}",
        &["tx 2-5"],
    );
    check("fn f(tx: T) {\nlet (a, b) = pair();\nlet tx = tx;\n}", &[]);
}
