//! Lengths, places and texts in words.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::Place;

const MICRO: u64 = 1_000;
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// Some time, to three digits: `1.00 s`, `12.3 ms`, `340 µs`.
pub(crate) fn span(nanoseconds: u64) -> String {
    // What rounds up to the next unit is told in it: no `1000 ms`.
    let (unit, name) = match nanoseconds {
        0..MICRO => return if nanoseconds == 0 { "0 s" } else { "<1 µs" }.to_owned(),
        MICRO..999_500 => (MICRO, "µs"),
        999_500..999_500_000 => (MILLI, "ms"),
        _ => (SECOND, "s"),
    };
    let value = nanoseconds as f64 / unit as f64;
    let digits = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.digits$} {name}")
}

/// The same for a sum, of which nobody wants to know three digits: `3.0 s`.
pub(crate) fn rough_span(nanoseconds: u64) -> String {
    if (SECOND..100 * SECOND).contains(&nanoseconds) {
        format!("{:.1} s", nanoseconds as f64 / SECOND as f64)
    } else {
        span(nanoseconds)
    }
}

/// Seconds that somebody asked to sleep.
pub(crate) fn seconds(seconds: f64) -> String {
    // A cast saturates, and takes what is no number for 0.
    span((seconds * SECOND as f64).round() as u64)
}

/// `1 thread`, `3 threads`.
pub(crate) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// `In[3]:7`, as everywhere in Interleave.
pub(crate) fn place(place: Place) -> String {
    format!("In[{}]:{}", place.cell, place.line)
}

/// A text in one line that every medium can carry: control characters, which neither XML nor a
/// terminal may see, become their pictures (U+2400 and on), and those that turn the direction of
/// everything behind them go.
pub(crate) fn plain(text: &str) -> String {
    let text = text.trim_end_matches(['\n', '\r']);
    text.chars().filter_map(plain_char).collect()
}

fn plain_char(c: char) -> Option<char> {
    match c {
        '\t' => Some(' '),
        '\0'..' ' => char::from_u32(0x2400 + u32::from(c)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..'\u{a0}' | '\u{fffe}' | '\u{ffff}' => Some('\u{fffd}'),
        '\u{2028}' | '\u{2029}' => Some(' '),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        c => Some(c),
    }
}

/// As much of a text as fits into so many columns, with `…` for the rest.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    for cluster in text.graphemes(true) {
        if short.width() + cluster.width() + 1 > columns {
            break;
        }
        short.push_str(cluster);
    }
    if columns > 0 {
        short.push('…');
    }
    short
}

/// A text, filled up to so many columns.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let spaces = columns.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(spaces))
}
