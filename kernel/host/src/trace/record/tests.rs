//! What goes into a record comes out of it.

use super::*;

const WHO: Who = Who {
    time: 123_456_789,
    cell: 7,
    thread: 3,
    task: None,
};

#[test]
fn whatever_happened_can_be_read_again() {
    let task = TaskName {
        kind: TaskKind::Generator,
        id: u64::MAX,
    };
    let all = [
        Happened::Nothing,
        Happened::CellBegan,
        Happened::CellEnded,
        Happened::Spawned { thread: 9 },
        Happened::ThreadBegan(ThreadKind::Pool),
        Happened::Named,
        Happened::ThreadEnded,
        Happened::Runs,
        Happened::Wakes { address: 0x7f00 },
        Happened::Prints(Stream::Stdout),
        Happened::Prints(Stream::Stderr),
        Happened::TaskSpawned(task),
        Happened::TaskNamed(task),
        Happened::TaskEntered,
        Happened::TaskLeft { is_over: false },
        Happened::TaskLeft { is_over: true },
        Happened::TaskWoken(task),
        Happened::TaskLost(task),
        Happened::LockKept {
            address: 8,
            call: 9,
        },
        Happened::Waits(Waiting::Sleep { until: 5 }),
        Happened::Waits(Waiting::Futex {
            address: 8,
            until: None,
        }),
        Happened::Waits(Waiting::Futex {
            address: 8,
            until: Some(1),
        }),
        Happened::Waits(Waiting::Join { handle: 4 }),
        Happened::Waits(Waiting::Io),
        Happened::Waits(Waiting::Process),
        Happened::Waits(Waiting::Input),
    ];
    let states = OBJECT_KINDS.map(|kind| Happened::State { kind, id: 2 });
    for happened in all.into_iter().chain(states) {
        for task in [None, Some(task)] {
            let who = Who { task, ..WHO };
            let record = Record::new(who, happened);
            assert_eq!((record.who(), record.happened()), (who, happened));
        }
    }
}

#[test]
fn a_text_is_kept_up_to_its_fortieth_byte_and_no_character_is_cut() {
    let text = |parts: &[&str]| {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        Record::new(WHO, Happened::Named).with_text(&parts).text()
    };
    assert_eq!(text(&[]), "");
    assert_eq!(text(&["hello", ", ", "world\n"]), "hello, world\n");
    assert_eq!(text(&[&"x".repeat(99)]), "x".repeat(40));
    assert_eq!(text(&[&"x".repeat(39), "é"]), "x".repeat(39));
    assert_eq!(text(&["\u{fffd}"]), "\u{fffd}");
}

#[test]
fn of_many_places_the_innermost_and_the_outermost_are_kept() {
    let kept = |count: u64| {
        let mut record = Record::new(WHO, Happened::Runs);
        (0..count).for_each(|number| record.put_place(number as usize, 100 + number));
        record.places()
    };
    assert_eq!(kept(3), [100, 101, 102]);
    assert_eq!(kept(20), Vec::from_iter(100..120));
    let ends = (100..112).chain(132..140);
    assert_eq!(kept(40), Vec::from_iter(ends));
}

#[test]
fn the_innermost_callers_are_kept() {
    let record = Record::new(WHO, Happened::Runs).with_stack(Frame::UNKNOWN);
    assert_eq!((record.innermost(), record.places()), (vec![], vec![]));
}
