//! Random insertions, and the way back from every position.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::*;

/// Numbers of one random sequence.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    /// Less than `limit` (xorshift64).
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn source(random: &mut Random) -> String {
    const LETTERS: [char; 8] = ['a', ' ', '\n', '值', 'é', ';', '\n', '😀'];
    let length = random.below(60);
    (0..length)
        .map(|_| LETTERS[random.below(LETTERS.len())])
        .collect()
}

fn pieces(source: &str, random: &mut Random) -> Vec<(usize, &'static str)> {
    let places: Vec<usize> = (0..=source.len())
        .filter(|at| source.is_char_boundary(*at))
        .collect();
    let count = random.below(8);
    (0..count)
        .map(|_| {
            let text = ["x();", "{", "}", "longer text;"][random.below(4)];
            (places[random.below(places.len())], text)
        })
        .collect()
}

/// Line and column, both from 1, of a byte.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..byte];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, text[start..byte].chars().count() + 1)
}

#[test]
fn every_position_finds_its_way_back() {
    let mut random = Random::new();
    for _ in 0..2000 {
        let seed = random.0;
        let source = source(&mut random);
        let pieces = pieces(&source, &mut random);
        let (insertions, changed) = Insertions::make(&source, pieces.clone());
        let note = format!("seed {seed}: {source:?} {pieces:?}");
        for (byte, _) in source.char_indices() {
            // A character of the source stands behind all that was put before it.
            let added: usize = pieces
                .iter()
                .filter(|(at, _)| *at <= byte)
                .map(|(_, text)| text.len())
                .sum();
            assert_eq!(
                changed[byte + added..],
                with(&pieces, &source, byte),
                "{note}"
            );
            assert_eq!(insertions.byte(byte + added), byte, "{note}");
            let (line, column) = place(&changed, byte + added);
            let expected = place(&source, byte);
            assert_eq!((line, insertions.column(line, column)), expected, "{note}");
        }
        for (line, (changed, original)) in (1..).zip(changed.split('\n').zip(source.split('\n'))) {
            assert_eq!(insertions.line(line, changed), original, "{note}");
        }
    }
}

/// The rest of the source from a byte on, with the insertions behind that byte.
fn with(pieces: &[(usize, &'static str)], source: &str, byte: usize) -> String {
    let later = pieces.iter().filter(|(at, _)| *at > byte);
    let later = later.map(|(at, text)| (at - byte, *text)).collect();
    Insertions::make(&source[byte..], later).1
}

#[test]
fn what_is_inside_an_insertion_is_where_that_begins() {
    let (insertions, changed) = Insertions::make("f();\nlet é = g();", vec![(18, "check();")]);
    assert_eq!(changed, "f();\nlet é = g();check();");
    assert!((13..=21).all(|column| insertions.column(2, column) == 13));
    assert_eq!(insertions.column(2, 12), 12);
    assert!(insertions.cover(2, 13, 21));
    assert!(!insertions.cover(2, 12, 20));
    assert!(!insertions.cover(1, 13, 20));
    assert!(!insertions.cover(2, 13, 13));
}

#[test]
fn they_come_back_from_their_file() {
    let directory = tempfile::tempdir().unwrap();
    let source = directory.path().join("lib.rs");
    assert!(Insertions::of_source(&source).is_empty());
    let (insertions, _) = Insertions::make("ab\ncd", vec![(4, "x"), (1, "yy")]);
    let text = serde_json::to_vec(&insertions).unwrap();
    std::fs::write(directory.path().join(Insertions::FILE), text).unwrap();
    assert_eq!(Insertions::of_source(&source), insertions);
}
