//! The report as one HTML page: the tables, and charts as inline SVG; light and dark, for desktop and phone.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::super::SideSummary;
use super::chart::{Bars, Heatmap, Panel, Scatter, bars, dash, heats, hue, mark, panels, scatter};
use super::format;
use super::format::{count, count_of, duration, percent, share, share_or_dash};
use super::{EstimatorKind, FeaturizerKind, Report, ReportRow, RunResult};
use vigie_reading::classify::Label;

const PAGE: &str = include_str!("page.html");

pub(super) fn render(report: &Report) -> String {
    let mut page = Environment::new();
    page.set_syntax(
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build().expect("the usual delimiters"),
    );
    page.set_auto_escape_callback(|_| AutoEscape::Html);
    page.set_undefined_behavior(UndefinedBehavior::Strict);
    page.add_filter("percent", percent);
    page.add_filter("share", share);
    page.add_filter("count", count);
    page.add_filter("duration", duration);
    let values = Page {
        report,
        tally: format::tally(report),
        best: report.best().map(|(row, result)| best(report, row, result)),
        headline: report.headline(),
        runs: report.runs.iter().map(TableRow::new).collect(),
        labels: report.best().map_or(Vec::new(), |(_, best)| best.scores.labels.clone()),
        featurizers: FeaturizerKind::ALL.map(|kind| FeaturizerLegend { name: kind.name(), hue: hue(kind.name()) }),
        estimators: EstimatorKind::ALL.map(|kind| EstimatorLegend {
            name: kind.name(),
            mark: mark(kind.name(), 10.0, 9.0),
            dash: dash(kind.name()),
        }),
        bars: bars(report),
        scatter: scatter(report),
        panels: panels(report),
        heats: heats(report),
        begun: report.begun.strftime("%-d %B %Y, %H:%M UTC").to_string(),
        train_classes: classes(&report.data.train),
        test_classes: classes(&report.data.test),
        cores: count_of(report.machine.cores as u64, "core"),
    };
    let rendered = page.render_str(PAGE, Serde(&values));
    rendered.expect("an embedded template and known values: tests render it with and without finished runs")
}

/// The values of the template.
#[derive(Serialize)]
struct Page<'a> {
    report: &'a Report,
    tally: String,
    best: Option<BestRun>,
    headline: Option<String>,
    runs: Vec<TableRow<'a>>,
    labels: Vec<Label>,
    featurizers: [FeaturizerLegend; 4],
    estimators: [EstimatorLegend; 3],
    bars: Bars,
    scatter: Option<Scatter>,
    panels: Vec<Panel>,
    heats: Vec<Heatmap>,
    begun: String,
    train_classes: String,
    test_classes: String,
    cores: String,
}

/// A featurizer in the legends.
#[derive(Serialize)]
struct FeaturizerLegend {
    name: &'static str,
    hue: &'static str,
}

/// An estimator in the legends.
#[derive(Serialize)]
struct EstimatorLegend {
    name: &'static str,
    mark: String,
    dash: &'static str,
}

/// The run at the head of the page.
#[derive(Serialize)]
struct BestRun {
    name: String,
    accuracy: String,
    interval: String,
    macro_f1: String,
    recall: String,
    duration: String,
    /// Number of runs whose interval overlaps with that of the best.
    overlapping: usize,
}

fn best(report: &Report, row: &ReportRow, result: &RunResult) -> BestRun {
    let [low, high] = result.accuracy_interval;
    BestRun {
        name: row.name.clone(),
        accuracy: percent(result.scores.accuracy),
        interval: format!("{} to {}", percent(low), percent(high)),
        macro_f1: share(result.scores.macro_f1),
        recall: share_or_dash(result.scores.negative_recall_at_90_precision),
        duration: duration(result.seconds),
        overlapping: report.finished().skip(1).filter(|(_, other)| other.accuracy_interval[1] >= low).count(),
    }
}

/// A row of the tables, formatted.
#[derive(Serialize)]
struct TableRow<'a> {
    row: &'a ReportRow,
    hue: &'static str,
    reason_text: Option<String>,
    cells: Vec<String>,
    /// Precision, recall, F1 and support of each class.
    classes: Vec<[String; 4]>,
}

impl<'a> TableRow<'a> {
    fn new(row: &'a ReportRow) -> Self {
        let (mut cells, mut classes) = (Vec::new(), Vec::new());
        if let Some(RunResult { seconds, accuracy_interval: [low, high], scores, .. }) = &row.result {
            cells = vec![
                duration(*seconds),
                percent(scores.accuracy),
                format!("{:.1} – {:.1}%", low * 100.0, high * 100.0),
                share(scores.macro_f1),
                share_or_dash(scores.negative_recall_at_90_precision),
                share_or_dash(scores.roc_auc),
                row.features_seconds.map(duration).unwrap_or_default(),
            ];
            let of_class = |label: &Label| scores.per_class.get(label);
            classes = scores
                .labels
                .iter()
                .filter_map(of_class)
                .map(|class| [share(class.precision), share(class.recall), share(class.f1), count(class.support)])
                .collect();
        }
        let reason_text = row.result.is_none().then(|| row.reason_text());
        Self { row, hue: hue(row.embedding), reason_text, cells, classes }
    }
}

/// Such as `12,317 negative, 12,317 positive`.
pub(super) fn classes(side: &SideSummary) -> String {
    let classes = side.classes.iter().map(|(label, posts)| format!("{} {}", count(*posts), label.as_str()));
    classes.collect::<Vec<_>>().join(", ")
}
