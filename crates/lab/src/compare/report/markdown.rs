//! The report as Markdown: the tables, the data and the command, to be pasted into an issue or a README.

use super::format;
use super::format::{count, counted, duration, maybe, percent, share};
use super::{Report, Row, RunResult};
use crate::ClassScores;

pub(super) fn of(report: &Report) -> String {
    let mut lines = vec!["# vigie lab compare".to_owned(), String::new()];
    if let Some((row, result)) = report.best() {
        let [low, high] = result.accuracy_interval.map(percent);
        let accuracy = percent(result.scores.accuracy);
        lines.push(format!("Best: **{}**, accuracy {accuracy} (95 %: {low} to {high}).", row.name));
    }
    lines.extend([format!("{}.", format::tally(report)), String::new()]);
    lines.extend(runs(report));
    lines.extend([
        String::new(),
        "Duration is from the first epoch to the last prediction; features are what an embedding's runs share. Negative R@P90 \
         is the recall of negative at 90 % precision, its threshold chosen on the posts judged. ROC-AUC is of negative against \
         the rest."
            .to_owned(),
        String::new(),
    ]);
    lines.extend(classes(report));
    lines.extend(data(report));
    lines.push(String::new());
    lines.join("\n")
}

fn runs(report: &Report) -> Vec<String> {
    let mut lines = vec![
        "| run | duration | accuracy | 95 % interval | macro-F1 | negative R@P90 | ROC-AUC | features |".to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    lines.extend(report.runs.iter().map(|row| match &row.result {
        Some(result) => run(row, result),
        None => format!("| {} | {} |||||||", row.name, row.excuse().replace('|', "\\|").replace('\n', " ")),
    }));
    lines
}

fn run(row: &Row, result: &RunResult) -> String {
    let [low, high] = result.accuracy_interval.map(percent);
    let scores = &result.scores;
    format!(
        "| {} | {} | {} | {low} – {high} | {} | {} | {} | {} |",
        row.name,
        duration(result.seconds),
        percent(scores.accuracy),
        share(scores.macro_f1),
        maybe(scores.negative_recall_at_90_precision),
        maybe(scores.roc_auc),
        row.features_seconds.map(duration).unwrap_or_default(),
    )
}

fn classes(report: &Report) -> Vec<String> {
    let mut lines =
        vec!["| run | class | precision | recall | F1 | support |".to_owned(), "|---|---|--:|--:|--:|--:|".to_owned()];
    for (row, result) in report.finished() {
        for (label, ClassScores { precision, recall, f1, support }) in &result.scores.per_class {
            let (precision, recall, f1) = (share(*precision), share(*recall), share(*f1));
            let cells = format!("{precision} | {recall} | {f1} | {}", count(*support));
            lines.push(format!("| {} | {} | {cells} |", row.name, label.as_str()));
        }
    }
    if lines.len() > 2 { lines } else { Vec::new() }
}

fn data(report: &Report) -> Vec<String> {
    let data = &report.data;
    let mut lines = vec![
        String::new(),
        "## Data".to_owned(),
        String::new(),
        "| file | role | rows | rejected | sha256 |".to_owned(),
        "|---|---|--:|--:|---|".to_owned(),
    ];
    for file in &data.files {
        let path = file.path.replace('|', "\\|");
        let (rows, rejected) = (count(file.rows), count(file.rejected));
        lines.push(format!("| {path} | {} | {rows} | {rejected} | `{}` |", file.role, file.sha256));
    }
    let split = data.split.map(|split| format!(" The dump was split by {}.", split.as_str())).unwrap_or_default();
    let machine = &report.machine;
    let processor = machine.processor.as_deref().map(|processor| format!(", {processor}")).unwrap_or_default();
    lines.extend([
        String::new(),
        format!(
            "{} to learn from ({}), {} to judge by ({}); {} left out of the former, their text being judged by.{split} Word \
             vectors may also learn from {}.",
            counted(data.train.rows, "post"),
            super::html::classes(&data.train),
            count(data.test.rows),
            super::html::classes(&data.test),
            count(data.dropped_as_test_text),
            counted(data.corpus_texts, "further text"),
        ),
        String::new(),
        format!("vigie {}, {}, {}{processor}, seed {}.", report.vigie, machine.system, counted(machine.cores as u64, "core"), report.seed),
        String::new(),
        format!("```sh\n{}\n```", report.command),
    ]);
    lines
}
