//! [`Chart`]: a topic's curve as paths for `chart.html`: the negative rate with its interval and what is usual, the number of
//! posts, and incidents as marked spans. Positions are in a plot of 1000 by 100, which the page stretches.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde::Serialize;

use super::time_range::TimeRange;
use super::visitor::Visitor;
use crate::query::CurveStep;
use crate::stats::wilson_interval;

const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 100.0;
/// Labels of the time axis.
const LABELS: usize = 5;

/// An incident on the chart.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MarkedSpan {
    pub(super) x: f64,
    pub(super) width: f64,
    /// Its name, where its page still exists.
    pub(super) incident: Option<String>,
    pub(super) title: String,
}

/// A step of the chart, which leads to its posts.
#[derive(Debug, Serialize)]
struct Step {
    x: f64,
    width: f64,
    since: String,
    until: String,
    posts: u64,
    negative: u64,
    rate: Option<f64>,
    normal: Option<f64>,
}

/// See the module.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    rate: String,
    interval: String,
    normal: String,
    posts: String,
    negative: String,
    steps: Vec<Step>,
    spans: Vec<MarkedSpan>,
    labels: Vec<String>,
    /// The most posts of a step.
    most: u64,
    since: String,
    until: String,
    /// Of all steps.
    total: u64,
    total_negative: u64,
}

impl Chart {
    pub(super) fn new(
        curve: &[CurveStep],
        spans: Vec<MarkedSpan>,
        range: &TimeRange,
        zone: &jiff::tz::TimeZone,
        visitor: &Visitor,
    ) -> Self {
        let most = curve.iter().map(|step| step.counts.posts()).max().unwrap_or(0);
        let width = WIDTH / curve.len().max(1) as f64;
        let mut chart = Self {
            rate: String::new(),
            interval: String::new(),
            normal: String::new(),
            posts: String::new(),
            negative: String::new(),
            steps: Vec::new(),
            spans,
            labels: range.labels(LABELS, zone, visitor.language),
            most,
            since: time(range.since),
            until: time(range.until),
            total: curve.iter().map(|step| step.counts.posts()).sum(),
            total_negative: curve.iter().map(|step| step.counts.negative).sum(),
        };
        for (place, step) in curve.iter().enumerate() {
            let (x, counts) = (place as f64 * width, step.counts);
            let share = |part: u64| HEIGHT * part as f64 / most.max(1) as f64;
            bar(&mut chart.posts, x, width, share(counts.posts()));
            bar(&mut chart.negative, x, width, share(counts.negative));
            chart.steps.push(Step {
                x,
                width,
                since: time(step.start),
                until: time(step.start + range.step),
                posts: counts.posts(),
                negative: counts.negative,
                rate: counts.negative_rate(),
                normal: step.normal,
            });
        }
        let middle = |place: usize| (place as f64 + 0.5) * width;
        for run in runs(curve, |step| step.counts.negative_rate()) {
            line(&mut chart.rate, run.iter().map(|(place, rate)| (middle(*place), y(*rate))));
            let bounds: Vec<(f64, [f64; 2])> = run
                .iter()
                .filter_map(|(place, _)| Some((middle(*place), curve.get(*place)?.counts)))
                .map(|(x, counts)| (x, wilson_interval(counts.negative, counts.posts())))
                .collect();
            area(&mut chart.interval, &bounds);
        }
        for run in runs(curve, |step| step.normal) {
            line(&mut chart.normal, run.iter().map(|(place, rate)| (middle(*place), y(*rate))));
        }
        chart
    }
}

impl MarkedSpan {
    /// From `since` to `until` (Unix seconds), or to the end of the range while it lasts; none where it lies outside.
    pub(super) fn new(
        range: &TimeRange,
        since: i64,
        until: Option<i64>,
        incident: Option<String>,
        title: String,
    ) -> Option<Self> {
        let length = (range.until - range.since) as f64;
        let x = |time: i64| ((time - range.since) as f64 / length).clamp(0.0, 1.0) * WIDTH;
        let until = until.unwrap_or(range.until);
        let is_inside = since < range.until && until > range.since;
        // A short one stays visible.
        is_inside.then(|| Self { x: x(since), width: (x(until) - x(since)).max(3.0), incident, title })
    }
}

/// Parts of the curve in which every step has a value: place and value of each.
fn runs(curve: &[CurveStep], value: impl Fn(&CurveStep) -> Option<f64>) -> Vec<Vec<(usize, f64)>> {
    let values: Vec<Option<(usize, f64)>> =
        curve.iter().enumerate().map(|(place, step)| Some((place, value(step)?))).collect();
    let parts = values.split(Option::is_none).filter(|part| !part.is_empty());
    parts.map(|part| part.iter().copied().flatten().collect()).collect()
}

fn y(rate: f64) -> f64 {
    HEIGHT * (1.0 - rate)
}

fn line(path: &mut String, points: impl Iterator<Item = (f64, f64)>) {
    for (place, (x, y)) in points.enumerate() {
        let command = if place == 0 { 'M' } else { 'L' };
        // Writing to a string cannot fail.
        let _ = write!(path, "{command}{x:.1} {y:.1}");
        if place == 0 {
            // Alone it is a dot: a line of no length with round ends.
            path.push_str("h0");
        }
    }
}

fn area(path: &mut String, bounds: &[(f64, [f64; 2])]) {
    for (place, (x, [lower, _])) in bounds.iter().enumerate() {
        let _ = write!(path, "{}{x:.1} {:.1}", if place == 0 { 'M' } else { 'L' }, y(*lower));
    }
    for (x, [_, upper]) in bounds.iter().rev() {
        let _ = write!(path, "L{x:.1} {:.1}", y(*upper));
    }
    path.push('Z');
}

fn bar(path: &mut String, x: f64, width: f64, height: f64) {
    if height > 0.0 {
        let (left, right) = (x + width * 0.12, x + width * 0.88);
        let _ = write!(path, "M{left:.1} {HEIGHT}V{:.1}H{right:.1}V{HEIGHT}Z", HEIGHT - height);
    }
}

fn time(second: i64) -> String {
    Timestamp::from_second(second).unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;
    use crate::window::Counts;

    fn step(start: i64, negative: u64, neutral: u64, normal: Option<f64>) -> CurveStep {
        CurveStep { start, counts: Counts { negative, neutral, ..Counts::default() }, normal }
    }

    #[test]
    fn a_step_without_posts_is_a_gap_and_not_a_rate_of_zero() {
        let range = TimeRange { since: 0, until: 2_400, step: 600, name: None };
        let curve =
            [step(0, 1, 1, Some(0.5)), step(600, 0, 4, Some(0.5)), step(1_200, 0, 0, None), step(1_800, 2, 0, None)];
        let visitor = Visitor::speaking(Language::English);
        let chart = Chart::new(&curve, Vec::new(), &range, &jiff::tz::TimeZone::UTC, &visitor);
        assert_eq!(chart.rate, "M125.0 50.0h0L375.0 100.0M875.0 0.0h0");
        assert_eq!(chart.normal, "M125.0 50.0h0L375.0 50.0");
        assert_eq!((chart.most, chart.total, chart.total_negative), (4, 8, 3));
        assert_eq!(chart.posts.matches('Z').count(), 3);
        assert_eq!(chart.steps[3].since, "1970-01-01T00:30:00Z");
    }

    #[test]
    fn a_span_is_cut_to_the_range() {
        let range = TimeRange { since: 1_000, until: 2_000, step: 100, name: None };
        let span = |since, until| MarkedSpan::new(&range, since, until, None, String::new());
        assert!(span(0, Some(900)).is_none() && span(2_000, None).is_none());
        let open = span(1_500, None).unwrap();
        assert_eq!((open.x, open.width), (500.0, 500.0));
        assert_eq!(span(1_500, Some(1_501)).unwrap().width, 3.0);
    }
}
