//! [`Rolling`]: sums of the newest rows and of their expected values over three time spans, and the evidence in them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{DAY, MAX_LEARNT_RATIO, MEMORY};

/// Lengths of the spans, in units of 5 minutes, or of one row if rows are further apart.
const SPANS: [i64; 3] = [1, 3, LONGEST_SPAN];
pub(super) const LONGEST_SPAN: i64 = 12;
/// Maximum number of rows kept.
const MAX_ROWS: usize = 4_096;
/// Limits of the size of the negative binomial: below the lower one a few posts would be evidence; above the upper one
/// it is a Poisson distribution.
const SIZE: (f64, f64) = (5.0, 50.0);

/// The rows of the longest span. Shorter spans are its last rows.
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

/// Sums over a span, and the moments from which the size of the negative binomial is estimated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Span {
    rows: usize,
    value: f64,
    expected: f64,
    /// Decaying sums of the squared expectation, and of the squared deviation beyond chance. Their ratio is the size,
    /// because the variance is `mean + mean^2 / size`.
    squared: f64,
    excess: f64,
}

impl Rolling {
    /// Adds a row and drops rows that are `unit * 12` seconds older.
    pub(super) fn push(&mut self, time: i64, value: f64, expected: f64, unit: i64) {
        if self.rows.len() == MAX_ROWS {
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
                span.remove(*row);
            }
        }
        // Shorter spans are suffixes of the longest one; rows before it are not needed.
        let longest = self.spans.iter().map(|span| span.rows).max().unwrap_or_default();
        self.rows.drain(..self.rows.len().saturating_sub(longest));
    }

    fn drop_oldest(&mut self) {
        let rows = self.rows.len();
        let Some(oldest) = self.rows.pop_front() else { return };
        for span in self.spans.iter_mut().filter(|span| span.rows == rows) {
            span.remove(oldest);
        }
    }

    /// Logarithm of the ratio to normal, averaged over the spans; 0 if everything is as expected.
    pub(super) fn evidence(&self) -> f64 {
        self.spans.iter().map(|span| span.evidence(0.0)).sum::<f64>() / SPANS.len() as f64
    }

    /// The variance-stabilising constant of the longest span.
    pub(super) fn floor(&self) -> f64 {
        self.spans.last().map_or(0.0, Span::floor)
    }

    /// The value of the newest row at which the evidence would be `target`; 0 if even less is enough.
    pub(super) fn value_at(&self, target: f64) -> f64 {
        let value = self.rows.back().map_or(0.0, |row| row.value);
        let evidence =
            |other: f64| self.spans.iter().map(|span| span.evidence(other - value)).sum::<f64>() / SPANS.len() as f64;
        let (mut low, mut high) = (0.0, value.max(1.0));
        while evidence(high) < target && high < super::MAX_VALUE {
            high *= 2.0;
        }
        for _ in 0..40 {
            let middle = (low + high) / 2.0;
            if evidence(middle) < target { low = middle } else { high = middle }
        }
        high
    }

    /// Learns how far the sums deviate from their expected values; the newest row covers `interval` seconds.
    pub(super) fn learn(&mut self, interval: i64) {
        let kept = 0.5_f64.powf(interval as f64 / (MEMORY * DAY as f64));
        for span in &mut self.spans {
            let value = span.value.min(MAX_LEARNT_RATIO * (span.expected + 1.0));
            span.squared = span.squared * kept + span.expected.powi(2);
            span.excess = span.excess * kept + (value - span.expected).powi(2) - span.expected;
        }
    }
}

impl Span {
    fn remove(&mut self, row: Row) {
        self.rows = self.rows.saturating_sub(1);
        self.value -= row.value;
        self.expected -= row.expected;
        if self.rows == 0 {
            (self.value, self.expected) = (0.0, 0.0);
        }
    }

    /// The evidence if the sum were higher by `more`.
    fn evidence(&self, more: f64) -> f64 {
        let floor = self.floor();
        (((self.value + more).max(0.0) + floor) / (self.expected.max(0.0) + floor)).ln()
    }

    /// The constant that variance stabilisation adds to a count.
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
