//! Where notes stand: between `⟨` and `⟩` in these sources.

use super::*;
use crate::checkpoints::{self, Additions};

#[track_caller]
fn found(marked: &str) -> Found {
    let source = marked.replace(['⟨', '⟩'], "");
    let file = syn::parse_file(&source).unwrap();
    let found = find(&source, &file, 7);
    let opens = found.opens.iter().map(|(at, _)| (*at, "⟨"));
    let closes = found.closes.iter().map(|(at, _)| (*at, "⟩"));
    let mut marks: Vec<(usize, &str)> = closes.chain(opens).collect();
    marks.sort_by_key(|(at, _)| *at);
    let mut shown = source.clone();
    for (at, mark) in marks.iter().rev() {
        shown.insert_str(*at, mark);
    }
    assert_eq!(shown, marked);
    found
}

#[test]
fn what_takes_a_lock_is_noted() {
    found("fn f() { let g = ⟨a.lock()⟩.unwrap(); *⟨b.write()⟩? = ⟨b.read()⟩.len(); }");
    found("fn f() { if let Ok(g) = ⟨a.try_lock()⟩ { h(|| ⟨a.lock()⟩) } ⟨a.lock()⟩ }");
    found("fn f() { let g = ⟨c.wait_while(⟨a.lock()⟩.unwrap(), |x| *x)⟩; }");
    found("fn f() { let g = ⟨⟨a.lock()⟩.unwrap().b.lock()⟩; }");
    found("impl S { async fn f(&self) { let g = ⟨self.a.lock().await⟩; } }");
    found("fn f() { println!(\"{}\", ⟨a.lock()⟩.unwrap()); }");
    found("async fn f() { let p = ⟨s.acquire_many(2).await⟩?; let q = ⟨s.try_acquire()⟩; }");
}

#[test]
fn what_is_no_lock_is_not() {
    found("fn f() { file.read(&mut buffer); x.lock(1); lock(); }");
    found("const A: u8 = a.read(); static B: u8 = b.lock(); const fn c() { d.lock().e(); }");
    found("macro_rules! m { () => { a.lock().b() } }");
    // A macro may quote what it is given.
    found("fn f() { assert!(a.lock().is_ok()); select! { _ = a.lock() => {} } }");
    found("fn f() { dbg!(a.lock().is_ok()); }");
    // Given back at once.
    found("fn f() { a.lock(); let _ = a.lock(); a.lock().await; }");
}

#[test]
fn what_is_waited_for_is_noted_before() {
    found(
        "fn f() { ⟨rx.recv()⟩; let x = ⟨self.rx.recv()⟩?; ⟨rxs[i].recv()⟩.unwrap(); ⟨b.wait()⟩; }",
    );
    found("fn f() { for x in ⟨rx⟩ {} for x in ⟨&rx⟩ {} for x in ⟨rx.iter()⟩ {} for x in 0..n {} }");
    // Around what has no name a note stands in two pieces.
    found("fn f() { while let Ok(x) = ⟨⟨rx.lock()⟩.unwrap()⟩.recv()⟩ {} }");
    found("async fn f() { ⟨rx.recv()⟩.await; ⟨rx⟩.await; g().await; }");
}

#[test]
fn channels_are_noted_with_their_ends() {
    let found = found("fn f() { let (tx, rx) = ⟨mpsc::channel()⟩; ⟨tx.send(1)⟩; }");
    let channel = &found.sites[0];
    assert_eq!(
        (channel.receiver.as_str(), channel.method.as_str()),
        ("tx, rx", "channel")
    );
    let names: Vec<&str> = channel.ends.iter().map(|end| end.name.as_str()).collect();
    assert_eq!(names, ["tx", "rx"]);
}

#[test]
fn arguments_of_macros_are_expressions() {
    found(
        "fn f() { vec![⟨a.lock()⟩.b(), 1]; vec![⟨a.lock()⟩.b(); 3]; assert_ne!(⟨a.lock()⟩.b(), 1); }",
    );
    found(
        "fn f() { assert!(⟨a.lock()⟩.is_ok(), \"locked\"); matches!(⟨a.lock()⟩, Ok(_) if true); }",
    );
}

#[test]
fn locks_that_cannot_be_noted_are_seen_to_be_there() {
    let unseen = |source: &str| {
        let file = syn::parse_file(source).unwrap();
        find(source, &file, 7).takes_unseen
    };
    assert!(unseen(
        "macro_rules! m { ($a:expr) => { *$a.lock().unwrap() += 1 } }"
    ));
    assert!(unseen("fn f() { select! { _ = a.lock() => {} } }"));
    assert!(unseen("fn f() { dbg!(a.read().unwrap()); }"));
    assert!(!unseen(
        "fn f() { println!(\"{}\", a.lock().b()); a.lock(); dbg!(1); }"
    ));
    assert!(!unseen(
        "macro_rules! m { () => { file.read(&mut b); lock() } }"
    ));
}

#[test]
fn a_statement_goes_on_behind_a_note() {
    found("fn f() { ⟨a.lock()⟩.unwrap().push(1); ⟨a.lock()⟩?.b = 1; }");
    found("fn f() { a.lock()[0] = 1; a.lock() == b; match c { _ => a.lock()[0] } }");
    found("fn f() { let b = ⟨a.lock()⟩[0]; }");
}

#[test]
fn a_site_has_the_students_name_for_what_is_waited_for() {
    let found = found(
        "fn f() {\n  let g = ⟨forks[left]\n    .lock()⟩; for x in ⟨rx⟩ {} h.join(); ⟨t⟩.await;\n}",
    );
    let names: Vec<(&str, &str)> = found
        .sites
        .iter()
        .map(|site| (site.receiver.as_str(), site.method.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("forks[left]", "lock"),
            ("rx", "for"),
            ("h", "join"),
            ("t", "await")
        ]
    );
    let lock = &found.sites[0];
    assert_eq!((lock.line, lock.start, lock.column), (3, 11, 6));
    assert_eq!(Site::numbered(Site::number(65_539, 2).unwrap()), (3, 2));
    assert_eq!(Site::number(1, 16_384), None);
}

#[test]
fn a_source_with_notes_parses_and_has_its_way_back() {
    let source = "fn f() { let c = || a.lock(); *a.lock().unwrap() += 1; g(); a.lock().b(); }
fn g() { let (tx, rx) = channel(); rx.recv(); for x in &rx {} a.lock().unwrap().recv().b(); rx.lock().recv() }
pub extern \"C-unwind\" fn run_user_code_1(\nmut x: *mut std::os::raw::c_void) -> *mut std::os::raw::c_void {x}\n";
    let checked = checkpoints::insert(source, "0", Additions::All { cell: 7 }).unwrap();
    assert!(checked.has_notes);
    syn::parse_file(&checked.source).unwrap();
    assert_eq!(
        checkpoints::without(&checked.source).replace("lock()};", "lock();"),
        source
    );
    for (line, text) in checked.source.lines().enumerate() {
        let original = source.lines().nth(line).unwrap();
        assert_eq!(checked.insertions.line(line + 1, text), original);
    }
}

#[test]
fn what_macros_await_at_once_is_listed() {
    let listed = |source: &str| {
        let file = syn::parse_file(source).unwrap();
        let mut sites = find(source, &file, 7).sites.into_iter();
        sites
            .find(|site| site.method.ends_with('!'))
            .map(|site| site.receiver)
    };
    let select = "fn f() { tokio::select! { biased; Some(x) = rx.recv(), if a == b => g(x), _ = &mut t => {} else => 1 } }";
    assert_eq!(listed(select).unwrap(), "`rx.recv()` and `&mut t`");
    let join = "fn f() { join!(biased; a, b\n.c(1, 2), d,) }";
    assert_eq!(listed(join).unwrap(), "`a`, `b .c(1, 2)` and `d`");
    assert_eq!(listed("fn f() { println!(\"{}\", a = 1) }"), None);
}
