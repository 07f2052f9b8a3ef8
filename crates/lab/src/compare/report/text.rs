//! The report for a terminal: the table of runs with as many columns as fit, then each class.

use std::collections::BTreeSet;

use super::format;
use super::format::{count, count_of, duration, percent, share, share_or_dash};
use super::{Report, ReportRow, RunResult, RunStatus};
use crate::ClassScores;
use vigie_reading::classify::Label;

/// Spaces between two columns.
const GAP: usize = 2;

struct Column {
    title: &'static str,
    /// If not all columns fit, the highest is dropped first; those of 0 stay.
    drop_priority: u8,
    cell: fn(&ReportRow, &RunResult) -> String,
}

const COLUMNS: [Column; 8] = [
    Column { title: "duration", drop_priority: 0, cell: |_, result| duration(result.seconds) },
    Column { title: "accuracy", drop_priority: 0, cell: |_, result| percent(result.scores.accuracy) },
    Column { title: "95%", drop_priority: 5, cell: |_, result| interval(result.accuracy_interval) },
    Column { title: "macro-F1", drop_priority: 1, cell: |_, result| share(result.scores.macro_f1) },
    Column {
        title: "R@P90",
        drop_priority: 2,
        cell: |_, result| share_or_dash(result.scores.negative_recall_at_90_precision),
    },
    Column { title: "ROC-AUC", drop_priority: 4, cell: |_, result| share_or_dash(result.scores.roc_auc) },
    Column {
        title: "features",
        drop_priority: 3,
        cell: |row, _| row.features_seconds.map(duration).unwrap_or_default(),
    },
    Column {
        title: "total",
        drop_priority: 6,
        cell: |row, result| duration(result.seconds + row.features_seconds.unwrap_or(0.0)),
    },
];

pub(super) fn render(report: &Report, width: usize) -> String {
    let data = &report.data;
    let mut lines = vec![format!(
        "training: {}, test: {}{}",
        count_of(data.train.rows, "post"),
        count_of(data.test.rows, "post"),
        describe_dropped(data.dropped_as_test_text)
    )];
    lines.push(String::new());
    lines.extend(runs(report, width));
    if report.finished().next().is_some() {
        lines.push(String::new());
        lines.push("R@P90: recall of negative at 90% precision, the threshold chosen on the test posts".to_owned());
        lines.push("features: shared by the runs of a featurizer, not included in their duration".to_owned());
        lines.push(String::new());
        lines.extend(classes(report, width));
        lines.push(String::new());
    }
    lines.push(format::tally(report));
    lines.join("\n")
}

fn describe_dropped(rows: u64) -> String {
    if rows == 0 {
        String::new()
    } else {
        format!("; {} dropped from training, their text is in the test set", count(rows))
    }
}

fn interval([low, high]: [f64; 2]) -> String {
    format!("{:.1}–{:.1}", low * 100.0, high * 100.0)
}

fn runs(report: &Report, width: usize) -> Vec<String> {
    let names = report.runs.iter().map(|run| run.name.chars().count()).max().unwrap_or(0).max("run".len());
    let mut columns: Vec<(&Column, Vec<String>)> = COLUMNS
        .iter()
        .map(|column| (column, report.finished().map(|(row, result)| (column.cell)(row, result)).collect()))
        .collect();
    let wide = |(column, cells): &(&Column, Vec<String>)| {
        cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0).max(column.title.chars().count())
    };
    while names + columns.iter().map(|column| wide(column) + GAP).sum::<usize>() > width {
        let lowest_priority = columns.iter().enumerate().max_by_key(|(_, (column, _))| column.drop_priority);
        match lowest_priority {
            Some((index, (column, _))) if column.drop_priority > 0 => drop(columns.remove(index)),
            _ => break,
        }
    }
    let mut lines = vec![format!("{:<names$}", "run")];
    lines.extend(report.runs.iter().map(|run| format!("{:<names$}", run.name)));
    for column in &columns {
        let wide = wide(column);
        let (titled, rows) = lines.split_at_mut(1);
        for (line, cell) in titled
            .iter_mut()
            .chain(rows)
            .zip(std::iter::once(column.0.title).chain(column.1.iter().map(String::as_str)))
        {
            *line += &format!("{:GAP$}{cell:>wide$}", "");
        }
    }
    let finished = report.finished().count();
    for (line, run) in lines.iter_mut().skip(1 + finished).zip(report.runs.iter().skip(finished)) {
        // Why something is not there is the same for all that want it, and is message once below.
        let message =
            if run.status == RunStatus::NotAvailable { "not available".to_owned() } else { run.reason_text() };
        *line += &format!("{:GAP$}{message}", "");
    }
    let unavailable = report.runs.iter().filter(|run| run.status == RunStatus::NotAvailable);
    let reasons: BTreeSet<String> = unavailable.map(ReportRow::reason_text).collect();
    if !reasons.is_empty() {
        lines.push(String::new());
        lines.extend(reasons);
    }
    lines
}

/// Precision, recall and F1 of each class: side by side if that fits, otherwise one below the other.
fn classes(report: &Report, width: usize) -> Vec<String> {
    let Some((_, best)) = report.best() else { return Vec::new() };
    let labels = &best.scores.labels;
    let names = report.finished().map(|(row, _)| row.name.chars().count()).max().unwrap_or(0);
    let cells = |label: Label, result: &RunResult| match result.scores.per_class.get(&label) {
        Some(ClassScores { precision, recall, f1, .. }) => format!("{precision:>8.4}{recall:>8.4}{f1:>8.4}"),
        None => format!("{:>8}{:>8}{:>8}", "–", "–", "–"),
    };
    let title = |label: Label| {
        let support = best.scores.per_class.get(&label).map_or(0, |class| class.support);
        format!("{} ({})", label.as_str(), count_of(support, "post"))
    };
    let at_once = (width.saturating_sub(names) / 24).clamp(1, labels.len().max(1));
    let mut lines = Vec::new();
    for group in labels.chunks(at_once) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        let titles: String = group.iter().map(|label| format!("{:>24}", title(*label))).collect();
        lines.push(format!("{:names$}{titles}", ""));
        let heads = format!("{:>8}{:>8}{:>8}", "prec.", "recall", "F1").repeat(group.len());
        lines.push(format!("{:<names$}{heads}", "run"));
        for (row, result) in report.finished() {
            let cells: String = group.iter().map(|label| cells(*label, result)).collect();
            lines.push(format!("{:<names$}{cells}", row.name));
        }
    }
    lines
}
