//! The report as one HTML page: the tables again, charts as inline SVG, light and dark, for a desk and a phone.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use super::super::SideFacts;
use super::chart::{Bars, Heat, Panel, Scatter, bars, dash, heats, hue, mark, panels, scatter};
use super::format;
use super::format::{count, counted, duration, maybe, percent, share};
use super::{EmbeddingKind, EstimatorKind, Report, Row, RunResult};
use vigie_reading::classify::Label;

const PAGE: &str = include_str!("page.html");

pub(super) fn of(report: &Report) -> String {
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
        runs: report.runs.iter().map(Line::of).collect(),
        labels: report.best().map_or(Vec::new(), |(_, best)| best.scores.labels.clone()),
        embeddings: EmbeddingKind::ALL.map(|kind| Embedding { name: kind.name(), hue: hue(kind.name()) }),
        estimators: EstimatorKind::ALL.map(|kind| Estimator {
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
        cores: counted(report.machine.cores as u64, "core"),
    };
    let rendered = page.render_str(PAGE, Serde(&values));
    rendered.expect("an embedded template and values of our own: tests render it with and without finished runs")
}

/// What the template is given.
#[derive(Serialize)]
struct Page<'a> {
    report: &'a Report,
    tally: String,
    best: Option<Best>,
    runs: Vec<Line<'a>>,
    labels: Vec<Label>,
    embeddings: [Embedding; 4],
    estimators: [Estimator; 3],
    bars: Bars,
    scatter: Option<Scatter>,
    panels: Vec<Panel>,
    heats: Vec<Heat>,
    begun: String,
    train_classes: String,
    test_classes: String,
    cores: String,
}

/// An entry of the legends.
#[derive(Serialize)]
struct Embedding {
    name: &'static str,
    hue: &'static str,
}

/// An entry of the legends.
#[derive(Serialize)]
struct Estimator {
    name: &'static str,
    mark: String,
    dash: &'static str,
}

/// What the head of the page says.
#[derive(Serialize)]
struct Best {
    name: String,
    accuracy: String,
    interval: String,
    macro_f1: String,
    recall: String,
    duration: String,
    /// Runs whose own interval reaches into that of the best.
    level: usize,
}

fn best(report: &Report, row: &Row, result: &RunResult) -> Best {
    let [low, high] = result.accuracy_interval;
    Best {
        name: row.name.clone(),
        accuracy: percent(result.scores.accuracy),
        interval: format!("{} to {}", percent(low), percent(high)),
        macro_f1: share(result.scores.macro_f1),
        recall: maybe(result.scores.negative_recall_at_90_precision),
        duration: duration(result.seconds),
        level: report.finished().skip(1).filter(|(_, other)| other.accuracy_interval[1] >= low).count(),
    }
}

/// A row of the tables, written out.
#[derive(Serialize)]
struct Line<'a> {
    row: &'a Row,
    hue: &'static str,
    excuse: Option<String>,
    cells: Vec<String>,
    /// Precision, recall, F1 and support of each class.
    classes: Vec<[String; 4]>,
}

impl<'a> Line<'a> {
    fn of(row: &'a Row) -> Self {
        let (mut cells, mut classes) = (Vec::new(), Vec::new());
        if let Some(RunResult { seconds, accuracy_interval: [low, high], scores, .. }) = &row.result {
            cells = vec![
                duration(*seconds),
                percent(scores.accuracy),
                format!("{:.1} – {:.1} %", low * 100.0, high * 100.0),
                share(scores.macro_f1),
                maybe(scores.negative_recall_at_90_precision),
                maybe(scores.roc_auc),
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
        let excuse = row.result.is_none().then(|| row.excuse());
        Self { row, hue: hue(row.embedding), excuse, cells, classes }
    }
}

/// Such as `12,317 negative, 12,317 positive`.
pub(super) fn classes(side: &SideFacts) -> String {
    let classes = side.classes.iter().map(|(label, posts)| format!("{} {}", count(*posts), label.as_str()));
    classes.collect::<Vec<_>>().join(", ")
}
