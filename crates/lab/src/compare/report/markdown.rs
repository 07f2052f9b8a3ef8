//! The report as Markdown: tables, data and command, to paste into an issue or a README.

use super::format;
use super::format::{count, count_of, duration, percent, share, share_or_dash};
use super::{Report, ReportRow, RunResult};
use crate::ClassScores;

pub(super) fn render(report: &Report) -> String {
    let mut lines = vec!["# vigie lab compare".to_owned(), String::new()];
    if let (Some((_, result)), Some(headline)) = (report.best(), report.headline()) {
        let [low, high] = result.accuracy_interval.map(percent);
        let accuracy = percent(result.scores.accuracy);
        lines.push(format!("**{headline}**: accuracy {accuracy} (95% interval: {low} to {high})."));
    }
    lines.extend([format!("{}.", format::tally(report)), String::new()]);
    lines.extend(runs(report));
    lines.extend([
        String::new(),
        "Duration is from the first epoch to the last prediction; features are shared by the runs of a featurizer. Negative R@P90 \
         is the recall of negative at 90% precision, its threshold chosen on the test posts. ROC-AUC is of negative against \
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
        "| run | duration | accuracy | 95% interval | macro-F1 | negative R@P90 | ROC-AUC | features |".to_owned(),
        "|---|--:|--:|--:|--:|--:|--:|--:|".to_owned(),
    ];
    lines.extend(report.runs.iter().map(|row| match &row.result {
        Some(result) => run(row, result),
        None => format!("| {} | {} |||||||", row.name, row.reason_text().replace('|', "\\|").replace('\n', " ")),
    }));
    lines
}

fn run(row: &ReportRow, result: &RunResult) -> String {
    let [low, high] = result.accuracy_interval.map(percent);
    let scores = &result.scores;
    format!(
        "| {} | {} | {} | {low} – {high} | {} | {} | {} | {} |",
        row.name,
        duration(result.seconds),
        percent(scores.accuracy),
        share(scores.macro_f1),
        share_or_dash(scores.negative_recall_at_90_precision),
        share_or_dash(scores.roc_auc),
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
        "## ComparisonData".to_owned(),
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
            "Training: {} ({}). Test: {} ({}). {} dropped from training because their text is in the test set.{split} Word \
             vectors may also learn from {}.",
            count_of(data.train.rows, "post"),
            super::html::classes(&data.train),
            count_of(data.test.rows, "post"),
            super::html::classes(&data.test),
            count_of(data.dropped_as_test_text, "row"),
            count_of(data.corpus_texts, "further text"),
        ),
        String::new(),
        format!("vigie {}, {}, {}{processor}, seed {}.", report.vigie, machine.system, count_of(machine.cores as u64, "core"), report.seed),
        String::new(),
        format!("```sh\n{}\n```", report.command),
    ]);
    lines
}
