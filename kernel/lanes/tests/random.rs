//! Whatever the events are, there is a picture, and it is a sound one.

use fastrand::Rng;
use interleave_lanes::{Event, Picture, Place, Trace};
use interleave_protocol::{
    Awaited, FutexUse, ObjectKind, Stream, TaskKind, TaskName, ThreadKind, ThreadState, What,
};

const TRACES: u64 = 3000;

#[test]
fn any_events_make_a_sound_picture() {
    for seed in 0..TRACES {
        let trace = random_trace(&mut Rng::with_seed(seed));
        assert_sound(&Picture::of(&trace), seed);
    }
}

#[test]
fn any_events_are_drawn_within_bounds() {
    for seed in 0..TRACES / 10 {
        let picture = Picture::of(&random_trace(&mut Rng::with_seed(seed)));
        for width in [0, 40, 100] {
            assert!(!picture.to_ascii(width).is_empty(), "{seed}");
        }
        assert!(picture.to_live_html("live").len() <= 30_000, "{seed}");
        assert!(picture.to_html().contains("</details>"), "{seed}");
    }
}

#[test]
fn any_clock_will_do() {
    for seed in 0..TRACES / 10 {
        let mut random = Rng::with_seed(seed);
        let mut trace = random_trace(&mut random);
        let distance = [0, 1, u64::MAX / 2, u64::MAX];
        for event in &mut trace.events {
            event.time = event
                .time
                .wrapping_sub(1_000_000)
                .wrapping_add(random.choice(distance).unwrap());
        }
        let picture = Picture::of(&trace);
        assert_sound(&picture, seed);
        assert!(
            !picture.to_ascii(80).is_empty() && picture.to_html().len() > 1000,
            "{seed}"
        );
    }
}

fn assert_sound(picture: &Picture, seed: u64) {
    let end = picture.end;
    for lane in &picture.lanes {
        for span in &lane.spans {
            assert!(span.from < span.to && span.to <= end, "{seed}: {lane:#?}");
        }
        for pair in lane.spans.windows(2) {
            assert!(pair[0].to <= pair[1].from, "{seed}: {pair:#?}");
        }
        assert!(lane.marks.is_sorted_by_key(|mark| mark.at), "{seed}");
        assert!(lane.marks.iter().all(|mark| mark.at <= end), "{seed}");
    }
    for arrow in &picture.arrows {
        assert!(arrow.from_time <= arrow.to_time, "{seed}: {arrow:?}");
        assert!(
            arrow.to_time <= end && arrow.from != arrow.to,
            "{seed}: {arrow:?}"
        );
        assert!(
            arrow.from.max(arrow.to) < picture.lanes.len(),
            "{seed}: {arrow:?}"
        );
    }
    let lanes = picture.lanes.len();
    assert!(
        picture
            .steps
            .iter()
            .all(|step| step.lane < lanes && step.at <= end),
        "{seed}"
    );
    let remarks = picture.remarks.iter();
    assert!(remarks.clone().all(|remark| remark.lane < lanes), "{seed}");
    let names = picture.lanes.iter().map(|lane| &lane.name);
    let mut names = Vec::from_iter(names);
    names.sort_unstable();
    assert!(
        names.windows(2).all(|pair| pair[0] != pair[1]),
        "{seed}: {names:?}"
    );
}

/// Events without rhyme or reason, of few threads and tasks, many of them at the same time.
fn random_trace(random: &mut Rng) -> Trace {
    let mut time = 1_000_000;
    let events = (0..random.usize(0..200)).map(|_| {
        time += random.u64(0..3) * random.u64(0..100_000_000);
        event(random, time)
    });
    let events = Vec::from_iter(events);
    Trace {
        cell: 3,
        events,
        lost: random.u64(0..2),
        until: time + random.u64(0..100_000_000) - random.u64(0..1_000_000),
        is_running: random.bool(),
        ..Trace::default()
    }
}

fn event(random: &mut Rng, time: u64) -> Event {
    let place = Place {
        cell: 3,
        line: random.usize(1..9),
        column: 1,
    };
    Event {
        // Not always in order.
        time: time - random.u64(0..1000),
        cell: random.u64(0..4),
        thread: random.u64(1..7),
        task: random.bool().then(|| task(random)),
        at: random.bool().then_some(place),
        what: what(random),
    }
}

fn task(random: &mut Rng) -> TaskName {
    let kinds = [
        TaskKind::Tokio,
        TaskKind::Blocking,
        TaskKind::Job,
        TaskKind::Coroutine,
        TaskKind::Generator,
    ];
    TaskName {
        kind: random.choice(kinds).unwrap(),
        id: random.u64(0..3),
    }
}

fn what(random: &mut Rng) -> What {
    let text = |random: &mut Rng| {
        random
            .choice(["", "a", "🧵 b\n", "</svg>"])
            .unwrap()
            .to_owned()
    };
    let kinds = [
        ThreadKind::Cells,
        ThreadKind::Student,
        ThreadKind::Pool,
        ThreadKind::Own,
    ];
    let address = random.u64(0..3);
    match random.u8(0..18) {
        0 => What::CellBegan,
        1 => What::CellEnded,
        2 => What::Spawned {
            thread: random.u64(1..7),
        },
        3 => What::ThreadBegan {
            kind: random.choice(kinds).unwrap(),
        },
        4 => What::Named { name: text(random) },
        5 => What::ThreadEnded,
        6 | 7 => What::Is(state(random)),
        8 | 9 => What::Is(ThreadState::Running),
        10 => What::Wakes { address },
        11 => What::Prints {
            stream: Stream::Stderr,
            text: text(random),
        },
        12 => What::TaskSpawned { task: task(random) },
        13 => What::TaskEntered {
            given: text(random),
        },
        14 => What::TaskLeft {
            is_over: random.bool(),
            gave: text(random),
            awaits: random.bool().then_some(Awaited::Sleep),
        },
        15 => What::TaskLost { task: task(random) },
        16 => What::LockKept { address, call: 0 },
        _ if random.bool() => What::TaskWoken { task: task(random) },
        _ => What::State {
            kind: ObjectKind::Future,
            id: address,
            state: text(random),
        },
    }
}

fn state(random: &mut Rng) -> ThreadState {
    let uses = [
        FutexUse::Lock,
        FutexUse::Condvar,
        FutexUse::Park,
        FutexUse::Unknown,
    ];
    let seconds = [0.0, 0.1, f64::NAN, f64::INFINITY, -1.0];
    match random.u8(0..6) {
        0 => ThreadState::Sleeping {
            seconds: random.choice(seconds).unwrap(),
        },
        1 | 2 => ThreadState::Futex {
            address: random.u64(0..3),
            used_by: random.choice(uses).unwrap(),
            seconds: random.bool().then(|| random.choice(seconds).unwrap()),
        },
        3 => ThreadState::Joining {
            thread: random.bool().then(|| random.u64(1..7)),
        },
        4 => ThreadState::Io,
        _ => ThreadState::Input,
    }
}
