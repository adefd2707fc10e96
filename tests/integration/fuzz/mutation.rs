//! Messages that are nearly right: a message of the corpus, changed at random.

use std::{fs, path::Path};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::message::frames;

/// The four signed parts of a message.
pub type Parts = [Vec<u8>; 4];

/// The messages in `tests/fuzz/corpus`, in the order of their names.
pub fn corpus() -> Vec<Parts> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus");
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 10, "the corpus is somewhere else");
    let read = |file| {
        let parts: [Value; 4] = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
        parts.map(|part| part.to_string().into_bytes())
    };
    files.iter().map(read).collect()
}

/// A changed message, signed like most of those that a client sends.
pub fn message(rng: &mut Rng, corpus: &[Parts], key: &str) -> Vec<Vec<u8>> {
    let mut parts = rng.choice(corpus).unwrap().clone();
    for _ in 0..rng.u8(0..3) {
        let part = rng.choice(&mut parts).unwrap();
        match rng.bool() {
            true => change_value(rng, part),
            false => change_bytes(rng, part),
        }
    }
    if rng.u8(0..8) == 0 {
        parts.swap(rng.usize(0..4), rng.usize(0..4));
    }
    let key = if rng.u8(0..10) == 0 { "another" } else { key };
    let mut frames = frames(key, &parts);
    if rng.u8(0..4) == 0 {
        change_frames(rng, &mut frames);
    }
    frames
}

fn change_value(rng: &mut Rng, part: &mut Vec<u8>) {
    if let Ok(mut value) = serde_json::from_slice::<Value>(part) {
        change_inside(rng, &mut value);
        *part = value.to_string().into_bytes();
    }
}

/// Changes the value, or one inside it.
fn change_inside(rng: &mut Rng, value: &mut Value) {
    let here = rng.u8(0..4) == 0;
    match value {
        Value::Object(fields) if !here && !fields.is_empty() => {
            let name = fields.keys().nth(rng.usize(0..fields.len())).cloned();
            let name = name.unwrap();
            match rng.u8(0..8) {
                0 => drop(fields.remove(&name)),
                _ => change_inside(rng, &mut fields[&name]),
            }
        }
        Value::Array(items) if !here && !items.is_empty() => {
            let at = rng.usize(0..items.len());
            change_inside(rng, &mut items[at]);
        }
        _ => *value = strange_value(rng, value.take()),
    }
}

fn strange_value(rng: &mut Rng, before: Value) -> Value {
    match rng.u8(0..12) {
        0 => Value::Null,
        1 => rng.bool().into(),
        2 => json!(rng.i64(..)),
        3 => json!(rng.u64(..)),
        4 => json!([0, -1, 1, 2][rng.usize(0..4)]),
        5 => json!(f64::MAX),
        6 => "\u{0}\u{feff}\u{202e}é😀\r\n"
            .repeat(rng.usize(0..40))
            .into(),
        7 => "x".repeat(rng.usize(0..100_000)).into(),
        8 => json!([before]),
        9 => json!({"value": before}),
        10 => (0..rng.usize(1..200)).fold(before, |inside, _| json!([inside])),
        _ => json!([]),
    }
}

fn change_bytes(rng: &mut Rng, part: &mut Vec<u8>) {
    for _ in 0..rng.u8(1..4) {
        let at = rng.usize(0..=part.len());
        match rng.u8(0..4) {
            0 => part.insert(at, rng.u8(..)),
            1 => part.truncate(at),
            _ if at == part.len() => {}
            2 => drop(part.remove(at)),
            _ => part[at] ^= 1 << rng.u8(0..8),
        }
    }
}

fn change_frames(rng: &mut Rng, frames: &mut Vec<Vec<u8>>) {
    let at = rng.usize(0..frames.len());
    match rng.u8(0..6) {
        0 => drop(frames.remove(at)),
        1 => frames.insert(at, frames[at].clone()),
        2 => frames.swap(at, 0),
        3 => frames.insert(at, Vec::new()),
        4 => frames.truncate(at.max(1)),
        _ => change_bytes(rng, &mut frames[at]),
    }
}
