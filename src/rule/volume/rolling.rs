//! [`Rolling`]: the newest rows in three spans, each with what was to be expected of it, and the evidence in them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{DAY, LEARNT_TIMES, MEMORY};

/// Lengths of the spans, in units of 5 minutes or of one row where rows are further apart.
const SPANS: [i64; 3] = [1, 3, LONGEST];
pub(super) const LONGEST: i64 = 12;
/// Rows kept at most, however close they are.
const MOST_ROWS: usize = 4_096;
/// Bounds of the negative binomial's size: below, a few posts would be evidence; above, it is a Poisson.
const SIZE: (f64, f64) = (5.0, 50.0);

/// The longest span's rows; each span is the end of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Rolling {
    rows: VecDeque<Row>,
    spans: [Span; 3],
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Row {
    time: i64,
    value: f64,
    expected: f64,
}

/// Sums over a span, and the size of the negative binomial that its sums follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Span {
    rows: usize,
    value: f64,
    expected: f64,
    /// Slowly forgotten sums of the squared expectation, and of the squared stray from it beyond chance: their ratio is
    /// the size, as the variance is `mean + mean^2 / size`.
    squared: f64,
    excess: f64,
}

impl Rolling {
    /// Takes in a row; rows `unit * 12` seconds older leave.
    pub(super) fn push(&mut self, time: i64, value: f64, expected: f64, unit: i64) {
        if self.rows.len() == MOST_ROWS {
            self.drop_oldest();
        }
        self.rows.push_back(Row { time, value, expected });
        for (span, length) in self.spans.iter_mut().zip(SPANS) {
            span.rows += 1;
            span.value += value;
            span.expected += expected;
            let from = time.saturating_sub(length * unit);
            while let Some(row) =
                self.rows.get(self.rows.len().saturating_sub(span.rows)).filter(|row| row.time <= from)
            {
                span.leave(*row);
            }
        }
        // A span holds the ends of the longer ones, the last of which has all rows.
        let longest = self.spans.iter().map(|span| span.rows).max().unwrap_or_default();
        self.rows.drain(..self.rows.len().saturating_sub(longest));
    }

    fn drop_oldest(&mut self) {
        let rows = self.rows.len();
        let Some(oldest) = self.rows.pop_front() else { return };
        for span in self.spans.iter_mut().filter(|span| span.rows == rows) {
            span.leave(oldest);
        }
    }

    /// Mean over the spans of the logarithm of how many times the normal there is; 0 where all is as expected.
    pub(super) fn evidence(&self) -> f64 {
        self.spans.iter().map(|span| span.evidence(0.0)).sum::<f64>() / SPANS.len() as f64
    }

    /// Of the longest span.
    pub(super) fn floor(&self) -> f64 {
        self.spans.last().map_or(0.0, Span::floor)
    }

    /// The value of the newest row that would have made the evidence `wanted`; 0 where even less would do.
    pub(super) fn value_at(&self, wanted: f64) -> f64 {
        let value = self.rows.back().map_or(0.0, |row| row.value);
        let evidence =
            |other: f64| self.spans.iter().map(|span| span.evidence(other - value)).sum::<f64>() / SPANS.len() as f64;
        let (mut low, mut high) = (0.0, value.max(1.0));
        while evidence(high) < wanted && high < super::LARGEST {
            high *= 2.0;
        }
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if evidence(middle) < wanted { low = middle } else { high = middle }
        }
        high
    }

    /// Learns how far the sums stray from what is expected; the newest row stands for `interval` seconds.
    pub(super) fn learn(&mut self, interval: i64) {
        let kept = 0.5_f64.powf(interval as f64 / (MEMORY * DAY as f64));
        for span in &mut self.spans {
            let value = span.value.min(LEARNT_TIMES * (span.expected + 1.0));
            span.squared = span.squared * kept + span.expected.powi(2);
            span.excess = span.excess * kept + (value - span.expected).powi(2) - span.expected;
        }
    }
}

impl Span {
    fn leave(&mut self, row: Row) {
        self.rows = self.rows.saturating_sub(1);
        self.value -= row.value;
        self.expected -= row.expected;
        if self.rows == 0 {
            (self.value, self.expected) = (0.0, 0.0);
        }
    }

    /// With `more` than there is.
    fn evidence(&self, more: f64) -> f64 {
        let floor = self.floor();
        (((self.value + more).max(0.0) + floor) / (self.expected.max(0.0) + floor)).ln()
    }

    /// What variance-stabilising adds to a count.
    fn floor(&self) -> f64 {
        self.size() / 2.0
    }

    fn size(&self) -> f64 {
        let (least, most) = SIZE;
        if self.squared <= 0.0 {
            return least;
        }
        if self.excess <= 0.0 { most } else { (self.squared / self.excess).clamp(least, most) }
    }
}
