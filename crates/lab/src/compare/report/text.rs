//! The report on a terminal: the table of runs, as many of its columns as fit, then each class.

use std::collections::BTreeSet;

use super::format;
use super::format::{count, counted, duration, maybe, percent, share};
use super::{Report, Row, RunResult, Status};
use crate::ClassScores;
use vigie_reading::classify::Label;

/// Between two columns.
const GAP: usize = 2;

struct Column {
    title: &'static str,
    /// The highest goes first where not all fit; those of 0 stay.
    expendable: u8,
    cell: fn(&Row, &RunResult) -> String,
}

const COLUMNS: [Column; 8] = [
    Column { title: "duration", expendable: 0, cell: |_, result| duration(result.seconds) },
    Column { title: "accuracy", expendable: 0, cell: |_, result| percent(result.scores.accuracy) },
    Column { title: "95 %", expendable: 5, cell: |_, result| interval(result.accuracy_interval) },
    Column { title: "macro-F1", expendable: 1, cell: |_, result| share(result.scores.macro_f1) },
    Column { title: "R@P90", expendable: 2, cell: |_, result| maybe(result.scores.negative_recall_at_90_precision) },
    Column { title: "ROC-AUC", expendable: 4, cell: |_, result| maybe(result.scores.roc_auc) },
    Column { title: "features", expendable: 3, cell: |row, _| row.features_seconds.map(duration).unwrap_or_default() },
    Column {
        title: "fit to all",
        expendable: 6,
        cell: |row, result| duration(result.seconds + row.features_seconds.unwrap_or(0.0)),
    },
];

pub(super) fn of(report: &Report, width: usize) -> String {
    let data = &report.data;
    let mut lines = vec![format!(
        "{} to learn from, {} to judge by{}",
        counted(data.train.rows, "post"),
        count(data.test.rows),
        dropped(data.dropped_as_test_text)
    )];
    lines.push(String::new());
    lines.extend(runs(report, width));
    if report.finished().next().is_some() {
        lines.push(String::new());
        lines.push("R@P90: recall of negative at 90 % precision, the threshold chosen on the posts judged".to_owned());
        lines.push("features: what an embedding's runs share, not in their duration".to_owned());
        lines.push(String::new());
        lines.extend(classes(report, width));
        lines.push(String::new());
    }
    lines.push(format::tally(report));
    lines.join("\n")
}

fn dropped(rows: u64) -> String {
    if rows == 0 { String::new() } else { format!("; {} left out, their text being judged by", count(rows)) }
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
        let most = columns.iter().enumerate().max_by_key(|(_, (column, _))| column.expendable);
        match most {
            Some((index, (column, _))) if column.expendable > 0 => drop(columns.remove(index)),
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
        // Why something is not there is the same for all that want it, and is said once below.
        let said = if run.status == Status::NotAvailable { "not available".to_owned() } else { run.excuse() };
        *line += &format!("{:GAP$}{said}", "");
    }
    let unavailable = report.runs.iter().filter(|run| run.status == Status::NotAvailable);
    let reasons: BTreeSet<String> = unavailable.map(Row::excuse).collect();
    if !reasons.is_empty() {
        lines.push(String::new());
        lines.extend(reasons);
    }
    lines
}

/// Precision, recall and F1 of each class: side by side where that fits, else one class below the other.
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
        format!("{} ({})", label.as_str(), counted(support, "post"))
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
