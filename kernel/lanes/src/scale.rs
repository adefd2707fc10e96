//! Where a moment is drawn.

use crate::Span;

/// Maps the time of a picture to a stretch of a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) end: u64,
    pub(crate) left: f64,
    pub(crate) width: f64,
}

impl Scale {
    pub(crate) fn x(self, time: u64) -> f64 {
        self.left + self.width * (time as f64 / self.end as f64).min(1.0)
    }

    /// How wide a span is.
    pub(crate) fn wide(self, span: &Span) -> f64 {
        self.x(span.to) - self.x(span.from)
    }

    /// How much time is as wide as so many units.
    pub(crate) fn time(self, units: f64) -> u64 {
        (self.end as f64 * units / self.width).ceil() as u64
    }

    /// Round times for an axis, about so many.
    pub(crate) fn ticks(self, about: u64) -> Vec<u64> {
        let rough = (self.end / about.max(1)).max(1);
        let magnitude = 10_u64.pow(rough.ilog10());
        let steps = [1, 2, 5, 10].map(|step| magnitude.saturating_mul(step));
        let step = steps.into_iter().find(|step| *step >= rough);
        let step = step.unwrap_or(rough);
        (0..=self.end / step).map(|tick| tick * step).collect()
    }

    /// What to write at a tick: all in one unit.
    pub(crate) fn tick_label(self, tick: u64) -> String {
        let (unit, name) = match self.end {
            0..=1_000 => (1, "ns"),
            1_001..=1_000_000 => (1_000, "µs"),
            1_000_001..=1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        let value = tick as f64 / f64::from(unit);
        format!("{value} {name}")
    }
}
