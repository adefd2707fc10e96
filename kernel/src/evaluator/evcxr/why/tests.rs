//! Diagnoses of threads that the tests make up.

use interleave_protocol::{FutexUse, HolderFate, LockHolder, Thread, ThreadState};

use super::*;

fn waiting(number: u64, name: &str, holder: Option<(u64, HolderFate)>) -> StuckThread {
    StuckThread {
        thread: Thread {
            number,
            kind: if number == 1 {
                ThreadKind::Cells
            } else {
                ThreadKind::Student
            },
            name: Some(name.to_owned()),
            cell: 1,
            birth: Vec::new(),
            state: ThreadState::Futex {
                address: 64,
                used_by: if holder.is_some() {
                    FutexUse::Lock
                } else {
                    FutexUse::Park
                },
                seconds: None,
            },
            at: Vec::new(),
            since: 1.0,
            cpu: 0.0,
        },
        awaits: Vec::new(),
        awaited: Vec::new(),
        holder: holder.map(|(number, fate)| LockHolder {
            number,
            task: None,
            name: Some(["main", "left", "right"][number as usize - 1].to_owned()),
            fate,
            site: 0,
            is_certain: true,
        }),
    }
}

fn text(threads: Vec<StuckThread>) -> String {
    let stuck = Stuck {
        cell: 1,
        everyone: true,
        threads,
        tasks: Vec::new(),
        other_tasks: 0,
        others: 0,
    };
    diagnose(&stuck, Some(7), &Places::default()).text("Stuck", None)
}

#[test]
fn a_circle_is_drawn_without_those_that_only_wait_for_it() {
    let lives = |number| Some((number, HolderFate::Lives));
    let text = text(vec![
        waiting(1, "main", lives(2)),
        waiting(2, "left", lives(3)),
        waiting(3, "right", lives(2)),
    ]);
    let expected = "Stuck: 2 threads wait for each other, in a circle.
  main waits for a lock, which left has held
  left waits for a lock, which right has held
  right waits for a lock, which left has held
  left --lock--> right --lock--> left
Threads that take several locks in the same order cannot do that.";
    assert_eq!(text, expected);
}

#[test]
fn a_lock_that_is_lost_names_who_took_it() {
    let text = text(vec![waiting(1, "main", Some((2, HolderFate::Ended)))]);
    assert!(text.starts_with("Stuck: a thread waits for a lock that nobody gives back.\n"));
    assert!(
        text.contains("which left took and never gave back: it has ended\n"),
        "{text}"
    );
}

#[test]
fn a_picture_escapes_names() {
    let chain = |name: &str| Link {
        name: name.to_owned(),
        waits_for: "lock a".to_owned(),
        end: None,
    };
    let picture = picture::draw(&[chain("<b>"), chain("left")], true).unwrap();
    let data = picture.strip_prefix("data:image/svg+xml;base64,").unwrap();
    use base64::Engine;
    let svg = base64::engine::general_purpose::STANDARD
        .decode(data)
        .unwrap();
    let svg = String::from_utf8(svg).unwrap();
    assert!(svg.contains("&lt;b&gt;") && !svg.contains("<b>"), "{svg}");
    assert_eq!(picture::draw(&[chain("a")], true), None);
}
