//! How much of a cell's output is shown. Pure.
//!
//! A notebook keeps what its cells show, and a browser has to draw it; Jupyter's server drops, with
//! words that a student does not understand, what comes faster than a megabyte a second for three
//! seconds (`iopub_data_rate_limit`). So each cell may show so much, and the rest is counted.

use crate::evaluator::Stream;

/// Bytes that a cell may show, unless the notebook says otherwise. Below what Jupyter's server lets
/// through at once.
const DEFAULT: usize = 2_000_000;

/// A display, or text that follows text of the other stream, counts as so many bytes at least: each
/// is an element of the page.
const LEAST: usize = 1_000;

/// How many bytes each cell may show; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit(pub(super) Option<usize>);

impl Default for Limit {
    fn default() -> Self {
        Self(Some(DEFAULT))
    }
}

impl Limit {
    /// Reads `20MB`, `512 KiB`, `1000` (bytes) or `none`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self(None));
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor: usize = match unit.trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "kb" => 1_000,
            "mb" => 1_000_000,
            "gb" => 1_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            _ => return None,
        };
        let bytes = number.parse::<usize>().ok()?.checked_mul(factor)?;
        (bytes > 0).then_some(Self(Some(bytes)))
    }

    /// In the words that `parse` reads, to one decimal place.
    pub(super) fn describe(self) -> String {
        self.0.map_or("none".to_owned(), size)
    }
}

/// A number of bytes, for people.
fn size(bytes: usize) -> String {
    let (unit, name) = match bytes {
        0..1_000 => return format!("{bytes} B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    };
    let tenths = (bytes + unit / 20) / (unit / 10);
    match tenths % 10 {
        0 => format!("{} {name}", tenths / 10),
        tenth => format!("{}.{tenth} {name}", tenths / 10),
    }
}

/// What one cell has put out.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// Bytes that count against the limit.
    used: usize,
    /// The stream of the text shown last, when nothing else was shown since, and how many more of
    /// its bytes are counted already.
    run: Option<(Stream, usize)>,
    /// The limit that was reached; another one lets output pass again.
    reached: Option<Limit>,
    shown: usize,
    total: usize,
    /// The total that the cell says; 0 while it says nothing.
    told: usize,
}

/// What to say of output that is not shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    /// Whether it takes the place of an earlier one.
    pub(super) again: bool,
}

impl Meter {
    /// Counts text, and returns the beginning of it that may be shown.
    pub(super) fn text<'a>(&mut self, limit: Limit, stream: Stream, text: &'a str) -> &'a str {
        self.total += text.len();
        if self.is_full(limit) {
            return "";
        }
        let most = limit.0.unwrap_or(usize::MAX);
        let free = match self.run {
            Some((running, free)) if running == stream => free,
            _ if self.used >= most => {
                self.reached = Some(limit);
                return "";
            }
            _ => {
                let least = LEAST.min(most);
                self.used += least;
                least
            }
        };
        let room = most.saturating_sub(self.used).saturating_add(free);
        let shown = beginning(text, room);
        let counted = shown.len().min(free);
        self.used += shown.len() - counted;
        self.run = Some((stream, free - counted));
        self.shown += shown.len();
        if shown.len() < text.len() {
            self.reached = Some(limit);
        }
        shown
    }

    /// Counts a display, and returns whether it may be shown. The one that reaches the limit may, so
    /// that a single one of any size can be looked at.
    pub(super) fn display(&mut self, limit: Limit, bytes: usize) -> bool {
        self.total += bytes;
        if self.is_full(limit) {
            return false;
        }
        if limit.0.is_some_and(|limit| self.used >= limit) {
            self.reached = Some(limit);
            return false;
        }
        self.run = None;
        self.used += bytes.max(LEAST);
        self.shown += bytes;
        true
    }

    /// What was shown is removed from the page.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What to say while output goes on: at first, and whenever there is twice as much as was said.
    pub(super) fn notice(&mut self, limit: Limit) -> Option<Notice> {
        let is_news = self.is_full(limit) && self.total / 2 >= self.told;
        is_news.then(|| self.tell(limit))
    }

    /// What to say when output may have ended.
    pub(super) fn last_notice(&mut self, limit: Limit) -> Option<Notice> {
        let is_news = self.is_full(limit) && self.total > self.told;
        is_news.then(|| self.tell(limit))
    }

    fn is_full(&self, limit: Limit) -> bool {
        self.reached == Some(limit)
    }

    fn tell(&mut self, limit: Limit) -> Notice {
        let again = self.told > 0;
        self.told = self.total;
        let more = limit.0.unwrap_or(DEFAULT).saturating_mul(10);
        // Otherwise the sum would look wrong.
        let pieces = if self.shown + LEAST < self.used {
            ", and each display, and each change between stdout and stderr, counts as 1 kB"
        } else {
            ""
        };
        let text = format!(
            "… {} of {} are shown, {} are not: the limit of a cell is {}{pieces}. For more, run \
             `:output limit {}` (or `none`) in a cell of its own, then this cell again.",
            size(self.shown),
            size(self.total),
            size(self.total - self.shown),
            limit.describe(),
            size(more).replace(' ', ""),
        );
        Notice { text, again }
    }
}

/// At most so many bytes of the text: whole lines if there is one, else whole characters.
fn beginning(text: &str, bytes: usize) -> &str {
    if text.len() <= bytes {
        return text;
    }
    let text = &text[..text.floor_char_boundary(bytes)];
    text.rfind('\n').map_or(text, |end| &text[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit(Some(3_000));
    const OUT: Stream = Stream::Stdout;
    const ERR: Stream = Stream::Stderr;

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        for (text, bytes) in [
            ("20MB", 20_000_000),
            ("20 mb", 20_000_000),
            ("512KiB", 524_288),
            ("7", 7),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(Limit::parse(text), Some(Limit(Some(bytes))), "{text}");
        }
        assert_eq!(Limit::parse("none"), Some(Limit(None)));
        for text in ["", "MB", "-1", "0", "1.5MB", "many", "99999999999GB"] {
            assert_eq!(Limit::parse(text), None, "{text}");
        }
        assert_eq!(Limit::default().describe(), "2 MB");
        assert_eq!(Limit(Some(1_290_000)).describe(), "1.3 MB");
        assert_eq!(Limit(None).describe(), "none");
    }

    #[test]
    fn text_is_cut_at_the_limit_behind_a_line() {
        let mut meter = Meter::default();
        let lines = "0123456\n".repeat(300);
        assert_eq!(meter.text(LIMIT, OUT, &lines), lines);
        assert_eq!(meter.notice(LIMIT), None);
        let shown = meter.text(LIMIT, OUT, &lines);
        assert_eq!(shown.len(), 600);
        assert!(shown.ends_with('\n'));
        assert_eq!(meter.text(LIMIT, OUT, "x"), "");
        let notice = meter.notice(LIMIT).unwrap();
        assert!(!notice.again);
        assert!(
            notice
                .text
                .contains("3 kB of 4.8 kB are shown, 1.8 kB are not")
                && notice.text.contains(":output limit 30kB"),
            "{}",
            notice.text
        );
    }

    #[test]
    fn text_without_lines_is_cut_between_characters() {
        let mut meter = Meter::default();
        let text = "线".repeat(2_000);
        assert_eq!(meter.text(LIMIT, OUT, &text).len(), 3_000);
        assert_eq!(beginning("a线", 2), "a");
    }

    #[test]
    fn a_limit_may_be_tiny() {
        let limit = Limit(Some(7));
        assert_eq!(Meter::default().text(limit, OUT, "0123456789"), "0123456");
    }

    #[test]
    fn each_change_of_the_stream_counts() {
        let mut meter = Meter::default();
        let shown = (0..10).map(|n| meter.text(LIMIT, [OUT, ERR][n % 2], "x").len());
        assert_eq!(shown.sum::<usize>(), 3);
        let notice = meter.notice(LIMIT).unwrap().text;
        assert!(notice.contains("counts as 1 kB"), "{notice}");
    }

    #[test]
    fn displays_count_and_one_of_any_size_is_shown() {
        let mut meter = Meter::default();
        assert!(meter.display(LIMIT, 1_000_000));
        assert!(!meter.display(LIMIT, 1));
        assert_eq!(meter.text(LIMIT, OUT, "x"), "");
        meter.clear();
        assert!((0..3).all(|_| meter.display(LIMIT, 1)));
        assert!(!meter.display(LIMIT, 1));
    }

    #[test]
    fn a_higher_limit_lets_output_pass_again() {
        let mut meter = Meter::default();
        meter.text(LIMIT, OUT, &"x".repeat(4_000));
        assert_eq!(meter.text(LIMIT, OUT, "y"), "");
        assert_eq!(meter.text(Limit(None), OUT, "y"), "y");
        assert_eq!(meter.last_notice(Limit(None)), None);
    }

    #[test]
    fn a_notice_comes_when_there_is_twice_as_much_and_at_the_end() {
        let mut meter = Meter::default();
        let mut text = |bytes: usize| {
            meter.text(LIMIT, OUT, &"x".repeat(bytes));
            meter.notice(LIMIT)
        };
        assert!(text(4_000).is_some());
        assert!(text(3_999).is_none());
        assert!(text(1).is_some_and(|notice| notice.again));
        assert!(text(1).is_none());
        assert!(meter.last_notice(LIMIT).is_some_and(|notice| notice.again));
        assert_eq!(meter.last_notice(LIMIT), None);
    }
}
