//! What the pictures of the lessons must say, whatever they look like.

mod scenes;

use interleave_lanes::{ArrowKind, Lane, Picture, Span, State, Trace, WaitKind};
use serde_json::Value;

const MILLI: u64 = 1_000_000;

fn lane<'a>(picture: &'a Picture, name: &str) -> &'a Lane {
    let lane = picture.lanes.iter().find(|lane| lane.name == name);
    lane.unwrap_or_else(|| panic!("no lane {name}: {picture:#?}"))
}

fn waits(lane: &Lane, kind: WaitKind) -> Vec<&Span> {
    let is_such = |span: &&Span| matches!(&span.state, State::Waits(wait) if wait.kind == kind);
    lane.spans.iter().filter(is_such).collect()
}

fn names(picture: &Picture) -> Vec<&str> {
    picture.lanes.iter().map(|lane| &*lane.name).collect()
}

fn remarks(trace: &Trace) -> Vec<String> {
    let picture = Picture::of(trace);
    picture.remarks().iter().map(ToString::to_string).collect()
}

#[test]
fn one_thread_is_no_concurrency() {
    let picture = Picture::of(&scenes::sequential());
    assert!(!picture.has_concurrency());
    let sleeps = waits(lane(&picture, "main"), WaitKind::Sleep);
    assert_eq!(sleeps.len(), 3);
    assert!(sleeps.windows(2).all(|pair| pair[0].to < pair[1].from));
    assert_eq!(picture.summary(), "1 thread · 3.00 s");
}

#[test]
fn timers_sleep_at_the_same_time() {
    let picture = Picture::of(&scenes::timers());
    assert!(picture.has_concurrency());
    assert_eq!(names(&picture), ["main", "First", "Second", "Third"]);
    assert_eq!(
        picture.summary(),
        "4 threads · 1.00 s, 3.0 s of waiting overlapped"
    );
    let sleeps = picture.lanes[1..]
        .iter()
        .map(|lane| waits(lane, WaitKind::Sleep)[0]);
    let last_begin = sleeps.clone().map(|span| span.from).max();
    let first_end = sleeps.map(|span| span.to).min();
    assert!(last_begin < first_end, "they overlap");
    let prints = picture.lanes[1..].iter().map(|lane| &*lane.marks[0].text);
    assert_eq!(Vec::from_iter(prints), ["First", "Second", "Third"]);
}

#[test]
fn the_callback_runs_on_the_timers_lane_after_the_cell() {
    let picture = Picture::of(&scenes::callback());
    let mark = &lane(&picture, "Timer-1").marks[0];
    assert_eq!(mark.text, "the result is 42");
    assert!(mark.at > picture.cell_ended.unwrap());
    assert!(
        lane(&picture, "main")
            .spans
            .iter()
            .all(|span| span.to < MILLI)
    );
    assert_eq!(
        picture.summary(),
        "2 threads · 700 µs, the last thread until 1.20 s"
    );
}

#[test]
fn a_future_goes_through_its_states() {
    let picture = Picture::of(&scenes::future());
    let states = lane(&picture, "future")
        .spans
        .iter()
        .map(|span| &span.state);
    let states = states.map(|state| match state {
        State::Says(state) => state.as_str(),
        other => panic!("{other:?}"),
    });
    assert_eq!(Vec::from_iter(states), ["pending", "running", "finished"]);
    let wake = picture.arrows.iter().find(|it| it.kind == ArrowKind::Wake);
    let wake = wake.expect("whoever completes the future wakes main");
    assert_eq!((&*picture.lanes[wake.from].name, wake.to), ("request", 0));
}

#[test]
fn the_fourth_job_waits_for_a_worker() {
    let picture = Picture::of(&scenes::pool());
    let fourth = lane(&picture, "job 4");
    assert_eq!(fourth.spans[0].state, State::Ready);
    assert_eq!(fourth.spans[0].to, fourth.spans[1].from);
    let lent = &lane(&picture, "worker-0").spans;
    let lent = lent.iter().filter_map(|span| match &span.state {
        State::Lends(job) => Some(&**job),
        _ => None,
    });
    assert_eq!(Vec::from_iter(lent), ["job 1", "job 4"]);
}

#[test]
fn a_generator_and_its_caller_never_run_at_once() {
    let picture = Picture::of(&scenes::generator());
    assert_eq!(picture.caption().overlapped_running, 0);
    let values = picture
        .arrows
        .iter()
        .map(|arrow| (arrow.kind, &*arrow.text));
    let given = values.filter(|(kind, text)| *kind == ArrowKind::Enter && !text.is_empty());
    let given = Vec::from_iter(given.map(|(_, text)| text));
    assert_eq!(given, ["hello", "how are you", "bye"]);
}

#[test]
fn blocking_work_has_an_edge_down_and_an_edge_up() {
    let picture = Picture::of(&scenes::executor());
    let index = |name| names(&picture).iter().position(|it| *it == name).unwrap();
    let (asker, job) = (index("coroutine 1"), index("job"));
    let has = |kind, from, to| {
        let mut arrows = picture.arrows.iter();
        arrows.any(|it| (it.kind, it.from, it.to) == (kind, from, to))
    };
    assert!(has(ArrowKind::Spawn, asker, job));
    assert!(has(ArrowKind::Wake, job, asker));
}

#[test]
fn a_deadlock_goes_on() {
    let picture = Picture::of(&scenes::deadlock());
    for (name, label) in [("Plato", "lock fork_b"), ("Kant", "lock fork_a")] {
        let last = lane(&picture, name).spans.last().unwrap();
        assert!(last.goes_on);
        assert!(matches!(&last.state, State::Waits(wait) if wait.label == label));
    }
    assert!(picture.summary().contains("so far"));
}

#[test]
fn a_task_has_one_lane_although_it_moves() {
    let picture = Picture::of(&scenes::tokio());
    let hosts = |task: &str| {
        let lanes = picture.lanes.iter();
        let lends = |it: &Span| it.state == State::Lends(task.to_owned());
        lanes.filter(|lane| lane.spans.iter().any(lends)).count()
    };
    assert_eq!(
        names(&picture)
            .iter()
            .filter(|name| **name == "task 1")
            .count(),
        1
    );
    assert_eq!(hosts("task 1"), 2);
}

#[test]
fn what_is_too_much_is_counted() {
    let picture = Picture::of(&scenes::many(60));
    assert_eq!((picture.lanes.len(), picture.more_lanes), (40, 21));
    assert_eq!(picture.caption().threads, 61);
    let flood = Picture::of(&scenes::flood());
    assert!(flood.steps.len() + flood.more_steps > 10_000);
    assert!(flood.to_html().len() < 250_000, "{}", flood.to_html().len());
    for picture in [flood, picture] {
        let live = picture.to_live_html("live");
        assert!(
            live.len() <= 30_000 && live.contains("<img "),
            "{}",
            live.len()
        );
    }
}

#[test]
fn threads_and_tasks_can_outlive_their_cells() {
    let picture = Picture::of(&scenes::between_cells());
    assert_eq!(names(&picture), ["main", "coroutine", "worker", "job"]);
    let (main, worker) = (lane(&picture, "main"), lane(&picture, "worker"));
    assert!(
        worker.spans[0].from >= 49 * MILLI,
        "nobody knows what it did before"
    );
    assert!(
        worker.spans.iter().all(|span| span.to < 81 * MILLI),
        "then it has no work"
    );
    let lent = |span: &&Span| matches!(span.state, State::Lends(_));
    assert!(
        main.spans.iter().skip(1).all(|span| lent(&span)),
        "{main:#?}"
    );
    assert!(
        !picture
            .lanes
            .iter()
            .any(|lane| lane.spans.iter().any(|span| span.goes_on))
    );
}

#[test]
fn remarks_are_about_who_had_to_wait() {
    let said = remarks(&scenes::blocking());
    let expected =
        "In[5]:2: this `thread::sleep` blocks the event loop for 2.00 s: 2 tasks had to wait.";
    assert_eq!(said, [expected]);
    let said = remarks(&scenes::greedy());
    let expected =
        "In[5]:2: task 2 runs for 1.80 s without letting others run: 1 task had to wait.";
    assert_eq!(said, [expected]);
    let said = remarks(&scenes::contended());
    let expected = "In[5]:1: second waited 1.00 s for the lock counter, until first gave it back, \
                    which slept 1.00 s meanwhile.";
    assert_eq!(said, [expected]);
    let expected =
        "In[5]:2: coroutine keeps the lock m across this `.await`: other waited 901 ms for it.";
    assert_eq!(remarks(&scenes::kept())[0], expected);
    let said = remarks(&scenes::lost());
    let expected = [1, 2].map(|line| {
        let name = ["", "forgets", "is_dropped"][line];
        format!("In[5]:{line}: {name} waits for ever: nobody has its waker, so nobody can wake it.")
    });
    assert_eq!(said, expected);
    assert!(remarks(&scenes::pool())[0].contains("1 job waited for a thread"));
}

#[test]
fn there_is_no_false_alarm() {
    let harmless = [
        scenes::sequential(),
        scenes::timers(),
        scenes::callback(),
        scenes::future(),
        scenes::event_loop(),
        scenes::generator(),
        scenes::executor(),
        scenes::tokio(),
        scenes::many(12),
    ];
    for trace in harmless {
        assert_eq!(remarks(&trace), [""; 0]);
    }
}

#[test]
fn what_perfetto_gets_is_json_of_its_format() {
    for trace in [scenes::tokio(), scenes::hostile()] {
        let picture = Picture::of(&trace);
        let json: Value = serde_json::from_str(&picture.to_chrome_json()).unwrap();
        let events = json["traceEvents"].as_array().unwrap();
        let count = |phase: &str| events.iter().filter(|event| event["ph"] == phase).count();
        let spans = picture
            .lanes
            .iter()
            .map(|lane| lane.spans.len())
            .sum::<usize>();
        assert_eq!(count("X"), spans);
        assert_eq!(
            (count("s"), count("f")),
            (picture.arrows.len(), picture.arrows.len())
        );
        assert!(events.iter().all(|event| event["pid"] == 5));
        for event in events {
            assert_is_of_the_format(event, events);
        }
    }
}

/// As "Trace Event Format" says: what each phase must have, and that both ends of a flow lie on a slice, by
/// which they are bound.
fn assert_is_of_the_format(event: &Value, all: &[Value]) {
    let number = |event: &Value, key: &str| event[key].as_f64();
    assert!(
        event["name"].is_string() && event["tid"].is_u64(),
        "{event}"
    );
    let same = |other: &&Value, keys: &[&str]| keys.iter().all(|key| other[key] == event[key]);
    match event["ph"].as_str().unwrap() {
        "M" => {
            let (key, name) = (&event["name"], &event["args"]);
            let is_known = match key.as_str().unwrap() {
                "process_name" | "thread_name" => name["name"].is_string(),
                key => key == "thread_sort_index" && name["sort_index"].is_u64(),
            };
            assert!(is_known, "{event}");
        }
        "X" => assert!(number(event, "ts") >= Some(0.0) && number(event, "dur") >= Some(0.0)),
        "i" => assert!(
            number(event, "ts") >= Some(0.0) && event["s"] == "t",
            "{event}"
        ),
        phase @ ("s" | "f") => {
            let other = if phase == "s" { "f" } else { "s" };
            let ends = all.iter().filter(|it| same(it, &["id", "cat", "name"]));
            let ends = Vec::from_iter(ends.filter(|it| it["ph"] == other));
            assert_eq!(ends.len(), 1, "{event}");
            let is_earlier = number(event, "ts") <= number(ends[0], "ts");
            assert!(is_earlier || phase == "f", "{event}");
            assert!(phase == "s" || event["bp"] == "e", "{event}");
        }
        phase => panic!("{phase} is no phase: {event}"),
    }
}

#[test]
fn nothing_of_a_student_is_markup() {
    let html = Picture::of(&scenes::hostile()).to_html();
    let (before, _) = html.split_once("<script>").unwrap();
    assert!(!before.contains("<img onerror") && !before.contains("<b>") && !before.contains("<i>"));
    assert_eq!(html.matches("<script").count(), 1);
    assert_eq!(html.matches("</script").count(), 1);
}

#[test]
fn every_drawing_is_well_formed() {
    for trace in [scenes::hostile(), scenes::flood(), scenes::pool()] {
        let svg = Picture::of(&trace).to_svg();
        roxmltree::Document::parse(&svg).unwrap();
    }
}

#[test]
fn an_empty_trace_is_an_empty_picture() {
    let picture = Picture::of(&Trace::default());
    assert!(!picture.has_concurrency() && picture.lanes.is_empty());
    assert!(!picture.to_ascii(80).is_empty() && picture.to_svg().ends_with("</svg>"));
}
