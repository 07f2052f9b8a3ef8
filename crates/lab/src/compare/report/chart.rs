//! Geometry of the page's charts: bars, dots, curves and cells, in the units of their SVG.

use serde::Serialize;
use vigie_chart::svg::{AxisRange, line_path, round_tenth};

use super::format::{count, duration, percent};
use super::{Report, ReportRow, RunResult};
use vigie_reading::classify::Label;

/// Width of every chart; a phone shows it at about this many points, so that 13-point text stays readable.
const WIDTH: f64 = 440.0;

/// Accuracy by run, from 0, with its interval.
#[derive(Debug, Serialize)]
pub(super) struct Bars {
    height: f64,
    foot: f64,
    ticks: Vec<Tick>,
    /// Accuracy of predicting the most common class for every post.
    majority: Tick,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct Bar {
    name: String,
    hue: &'static str,
    /// Baseline of the label, and top of the bar.
    y: f64,
    top: f64,
    middle: f64,
    width: f64,
    low: f64,
    high: f64,
    label: String,
    interval: String,
}

/// A position on an axis and its label.
#[derive(Debug, Serialize)]
struct Tick {
    at: f64,
    label: String,
}

/// Accuracy against duration, the latter on a logarithmic scale.
#[derive(Debug, Serialize)]
pub(super) struct Scatter {
    xs: Vec<Tick>,
    ys: Vec<Tick>,
    dots: Vec<Dot>,
}

#[derive(Debug, Serialize)]
struct Dot {
    /// An SVG path; its shape stands for the estimator.
    path: String,
    hue: &'static str,
    x: f64,
    y: f64,
    title: String,
    /// Only the best run has a label: more labels would overlap.
    label: Option<String>,
    /// Whether the label is to the left of the dot.
    left: bool,
}

/// Precision of negative against its recall, for the runs of one featurizer.
#[derive(Debug, Serialize)]
pub(super) struct Panel {
    embedding: &'static str,
    hue: &'static str,
    xs: Vec<Tick>,
    ys: Vec<Tick>,
    /// Position of 90% precision.
    ninety: f64,
    curves: Vec<CurveLine>,
}

#[derive(Debug, Serialize)]
struct CurveLine {
    estimator: &'static str,
    dash: &'static str,
    path: String,
}

/// A confusion matrix.
#[derive(Debug, Serialize)]
pub(super) struct Heatmap {
    name: String,
    hue: &'static str,
    height: f64,
    columns: Vec<Tick>,
    rows: Vec<Tick>,
    cell: f64,
    cells: Vec<HeatmapCell>,
    /// The matrix as text.
    words: String,
}

#[derive(Debug, Serialize)]
struct HeatmapCell {
    x: f64,
    y: f64,
    opacity: f64,
    count: String,
    share: String,
}

/// The CSS class of a featurizer's colour.
pub(super) fn hue(embedding: &str) -> &'static str {
    match embedding {
        "TFIDF" => "h0",
        "Word2Vec" => "h1",
        "GloVe" => "h2",
        _ => "h3",
    }
}

/// The dash pattern of an estimator's curve.
pub(super) fn dash(estimator: &str) -> &'static str {
    match estimator {
        "LogisticRegression" => "none",
        "RandomForest" => "7 4",
        _ => "2 3",
    }
}

/// An estimator's mark around a point, as an SVG path.
pub(super) fn mark(estimator: &str, x: f64, y: f64) -> String {
    match estimator {
        "LogisticRegression" => format!("M{:.1} {y:.1}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z", x - 6.0),
        "RandomForest" => format!("M{:.1} {:.1}h11v11h-11z", x - 5.5, y - 5.5),
        _ => format!("M{x:.1} {:.1}l6.8 12h-13.6z", y - 7.6),
    }
}

pub(super) fn bars(report: &Report) -> Bars {
    const ROW: f64 = 36.0;
    let place = |share: f64| round_tenth(share * WIDTH);
    let bars: Vec<Bar> = report
        .finished()
        .enumerate()
        .map(|(index, (row, RunResult { scores, accuracy_interval: [low, high], .. }))| {
            let y = index as f64 * ROW + 14.0;
            Bar {
                name: row.name.clone(),
                hue: hue(row.embedding),
                y,
                top: y + 5.0,
                middle: y + 10.0,
                width: place(scores.accuracy),
                low: place(*low),
                high: place(*high),
                label: percent(scores.accuracy),
                interval: format!("{} to {}", percent(*low), percent(*high)),
            }
        })
        .collect();
    let foot = bars.len() as f64 * ROW;
    let tick = |share: f64| Tick { at: place(share), label: format!("{:.0}%", share * 100.0) };
    let majority = report.majority();
    Bars {
        height: foot + 22.0,
        foot,
        ticks: [0.0, 0.25, 0.5, 0.75, 1.0].map(tick).into(),
        majority: Tick { at: place(majority), label: percent(majority) },
        bars,
    }
}

/// Left, right, top and bottom of the plot.
const PLOT: (f64, f64, f64, f64) = (50.0, 432.0, 10.0, 270.0);

pub(super) fn scatter(report: &Report) -> Option<Scatter> {
    let (left, right, top, foot) = PLOT;
    let seconds = |result: &RunResult| result.seconds.max(0.001).log10();
    let times = AxisRange::spanning(report.finished().map(|(_, result)| seconds(result)))?.wider(0.15);
    let scores = AxisRange::spanning(report.finished().map(|(_, result)| result.scores.accuracy))?.wider(0.005);
    let (best, _) = report.best()?;
    let dots = report.finished().map(|(row, result)| {
        let (x, y) = (times.place(seconds(result), left, right), scores.place(result.scores.accuracy, foot, top));
        Dot {
            path: mark(row.estimator, x, y),
            hue: hue(row.embedding),
            x,
            y,
            title: format!("{}: {} in {}", row.name, percent(result.scores.accuracy), duration(result.seconds)),
            label: (row.name == best.name).then(|| row.name.clone()),
            left: x > 210.0, // the width of the longest name
        }
    });
    let dots = dots.collect();
    let ticks = [0.001, 0.01, 0.1, 1.0, 10.0, 60.0, 600.0, 3_600.0, 36_000.0];
    let x_tick = |second: f64| Tick { at: times.place(second.log10(), left, right), label: axis_time(second) };
    let between: Vec<f64> = if times.span() < 1.2 { vec![0.5, 2.0, 5.0, 20.0, 30.0, 120.0, 300.0] } else { Vec::new() };
    let inside = |second: &f64| times.contains(second.log10());
    let xs = ticks.into_iter().chain(between).filter(inside).map(x_tick).collect();
    let ys = scores.steps().into_iter().map(|at| Tick { at: scores.place(at, foot, top), label: short_percent(at) });
    Some(Scatter { xs, ys: ys.collect(), dots })
}

pub(super) fn panels(report: &Report) -> Vec<Panel> {
    let (left, right, top, foot) = (PLOT.0, PLOT.1, PLOT.2, 210.0);
    let negative = report.data.test.classes.get(&Label::Negative).copied().unwrap_or(0) as f64;
    let share = negative / report.data.test.rows.max(1) as f64;
    // No curve falls far below the share of negative posts, the precision of predicting negative for every post.
    let lowest = report.finished().flat_map(|(_, result)| &result.precision_recall).map(|point| point.precision);
    let lowest = lowest.fold(share, f64::min).clamp(0.0, 0.8);
    let precision = AxisRange { low: (lowest * 5.0).floor() / 5.0, high: 1.0 };
    let recall = AxisRange { low: 0.0, high: 1.0 };
    let panel = |kind: super::FeaturizerKind| {
        let of_kind = |(row, result): &(&ReportRow, &RunResult)| {
            row.embedding == kind.name() && !result.precision_recall.is_empty()
        };
        let line = |(row, result): (&ReportRow, &RunResult)| {
            let points = result
                .precision_recall
                .iter()
                .map(|point| (recall.place(point.recall, left, right), precision.place(point.precision, foot, top)));
            CurveLine { estimator: row.estimator, dash: dash(row.estimator), path: line_path(points) }
        };
        let mut curves: Vec<CurveLine> = report.finished().filter(of_kind).map(line).collect();
        curves.sort_by_key(|curve| super::EstimatorKind::ALL.iter().position(|kind| kind.name() == curve.estimator));
        let x_tick = |at: f64| Tick { at: recall.place(at, left, right), label: short_percent(at) };
        let ys = precision
            .steps()
            .into_iter()
            .map(|at| Tick { at: precision.place(at, foot, top), label: short_percent(at) });
        Panel {
            embedding: kind.name(),
            hue: hue(kind.name()),
            xs: [0.0, 0.25, 0.5, 0.75, 1.0].map(x_tick).into(),
            ys: ys.collect(),
            ninety: precision.place(0.9, foot, top),
            curves,
        }
    };
    super::FeaturizerKind::ALL.map(panel).into_iter().filter(|panel| !panel.curves.is_empty()).collect()
}

pub(super) fn heats(report: &Report) -> Vec<Heatmap> {
    const LEFT: f64 = 62.0;
    const TOP: f64 = 22.0;
    let heat = |(row, result): (&ReportRow, &RunResult)| {
        let labels = &result.scores.labels;
        let cell = round_tenth(174.0 / labels.len().max(1) as f64);
        let at = |index: usize| index as f64 * cell;
        let tick = |offset: f64| {
            let tick = move |(index, label): (usize, &Label)| Tick {
                at: round_tenth(offset + at(index) + cell / 2.0),
                label: label.as_str().to_owned(),
            };
            labels.iter().enumerate().map(tick).collect::<Vec<_>>()
        };
        let (mut cells, mut words) = (Vec::new(), Vec::new());
        for (index, (label, counts)) in labels.iter().zip(&result.scores.confusion_matrix).enumerate() {
            let whole = counts.iter().sum::<u64>().max(1) as f64;
            for (column, (predicted, posts)) in labels.iter().zip(counts).enumerate() {
                let share = *posts as f64 / whole;
                words.push(format!("{} predicted as {}: {}", label.as_str(), predicted.as_str(), count(*posts)));
                cells.push(HeatmapCell {
                    x: round_tenth(LEFT + at(column)),
                    y: round_tenth(TOP + at(index)),
                    opacity: (share * 70.0 + 6.0).round() / 100.0,
                    count: count(*posts),
                    share: format!("{:.1}%", share * 100.0),
                });
            }
        }
        let height = TOP + at(labels.len()) + 2.0;
        let (columns, rows) = (tick(LEFT), tick(TOP));
        Heatmap {
            name: row.name.clone(),
            hue: hue(row.embedding),
            height,
            columns,
            rows,
            cell,
            cells,
            words: words.join("; "),
        }
    };
    report.finished().map(heat).collect()
}

/// With as few digits as distinguish the steps.
fn short_percent(share: f64) -> String {
    let tenths = (share * 1_000.0).round() / 10.0;
    format!("{tenths}%")
}

fn axis_time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 60.0 => format!("{seconds} s"),
        seconds if seconds < 3_600.0 => format!("{} min", seconds / 60.0),
        seconds => format!("{} h", seconds / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_steps_within_it() {
        assert_eq!(
            AxisRange { low: 0.683, high: 0.781 }.steps().iter().map(|at| short_percent(*at)).collect::<Vec<_>>(),
            ["70%", "72%", "74%", "76%", "78%"]
        );
    }

    #[test]
    fn times_are_written_in_their_unit() {
        assert_eq!([0.1, 10.0, 60.0, 600.0, 3_600.0].map(axis_time), ["0.1 s", "10 s", "1 min", "10 min", "1 h"]);
    }
}
