//! What Perfetto makes of a trace: the rules of its importer (`importers/json/json_trace_parser_impl.cc`,
//! `importers/common/slice_tracker.cc` and `flow_tracker.cc` in its repository), applied to ours.
//! Whether its page draws it is not tried here.

mod scenes;

use std::collections::{BTreeMap, BTreeSet};

use interleave_lanes::Picture;
use serde_json::Value;

/// What is in a trace after it was read.
#[derive(Debug, Default)]
struct Imported {
    process: String,
    threads: BTreeMap<u64, String>,
    slices: usize,
    flows: usize,
}

#[derive(Debug, Clone, Copy)]
struct Slice {
    from: i64,
    to: i64,
}

fn import(json: &str) -> Imported {
    let trace: Value = serde_json::from_str(json).unwrap();
    let mut events: Vec<&Value> = trace["traceEvents"].as_array().unwrap().iter().collect();
    events.sort_by_key(|event| nanoseconds(&event["ts"]).unwrap_or(i64::MIN));
    let mut imported = Imported::default();
    let mut stacks: BTreeMap<u64, Vec<Slice>> = BTreeMap::new();
    let mut begun = BTreeSet::new();
    for event in events {
        let tid = event["tid"].as_u64().unwrap();
        let at = nanoseconds(&event["ts"]);
        let stack = stacks.entry(tid).or_default();
        match event["ph"].as_str().unwrap() {
            "M" => name(&mut imported, event, tid),
            "X" => {
                push(
                    stack,
                    at.unwrap(),
                    nanoseconds(&event["dur"]).unwrap(),
                    event,
                );
                imported.slices += 1;
            }
            "i" => {
                assert_eq!(event["s"], "t");
                push(stack, at.unwrap(), 0, event);
            }
            phase @ ("s" | "f") => {
                // The newest slice of the thread, whether it has just ended or not.
                assert!(!stack.is_empty(), "nothing to tie {event} to");
                let id = event["id"].as_u64().unwrap();
                let (name, category) = (event["name"].to_string(), event["cat"].to_string());
                if phase == "s" {
                    assert!(begun.insert((id, name, category)), "twice: {event}");
                } else {
                    assert!(
                        begun.contains(&(id, name, category)),
                        "no beginning: {event}"
                    );
                    assert_eq!(event["bp"], "e");
                    imported.flows += 1;
                }
            }
            phase => panic!("{phase} is unknown"),
        }
    }
    imported
}

/// As the importer counts: a number of microseconds, a thousand times as much, cut off.
fn nanoseconds(micros: &Value) -> Option<i64> {
    Some((micros.as_f64()? * 1000.0) as i64)
}

fn push(stack: &mut Vec<Slice>, from: i64, duration: i64, event: &Value) {
    while stack
        .last()
        .is_some_and(|slice| slice.to <= from && (slice.to, slice.from) != (from, from))
    {
        stack.pop();
    }
    let to = from + duration;
    let is_within = stack.last().is_none_or(|outer| to <= outer.to);
    assert!(is_within, "{event} overlaps {:?} in part", stack.last());
    stack.push(Slice { from, to });
}

fn name(imported: &mut Imported, event: &Value, tid: u64) {
    let name = event["args"]["name"].as_str().unwrap_or_default();
    match event["name"].as_str().unwrap() {
        "process_name" => {
            imported.process = name.to_owned();
            assert_eq!(event["pid"], tid, "the process is named by its main thread");
        }
        "thread_name" => _ = imported.threads.insert(tid, name.to_owned()),
        _ => {}
    }
}

#[test]
fn every_scene_can_be_read() {
    for (scene, trace) in scenes::all() {
        println!("{scene}");
        let picture = Picture::of(&trace);
        let imported = import(&picture.to_chrome_json());
        let names: Vec<&str> = picture.lanes.iter().map(|lane| &*lane.name).collect();
        let threads: Vec<&str> = imported.threads.values().map(|name| &**name).collect();
        assert_eq!(threads, names, "in the order of the lanes");
        assert!(imported.process.starts_with("In ["));
        let spans: usize = picture.lanes.iter().map(|lane| lane.spans.len()).sum();
        assert_eq!(
            (imported.slices, imported.flows),
            (spans, picture.arrows.len())
        );
    }
}
