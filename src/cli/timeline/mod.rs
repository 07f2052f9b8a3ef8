//! The timeline that `vigie replay` prints: per topic a chart and its alerts, then a summary. For people, in their language.

mod chart;
pub(super) mod words;

use std::io::{self, Write};

use crate::alert::Alert;
use crate::cli::printable;
use crate::cli::summary::Summary;
use crate::language::Language;
use crate::monitor::{Report, TopicReport};
use crate::rule::Measured;
use crate::window::{Counts, Sample};
use chart::Chart;
use words::Words;

/// Characters of a sample post that are shown.
const SHOWN: usize = 200;

/// Writes `report` and `summary` to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub(super) fn write(out: &mut impl Write, language: Language, report: &Report, summary: &Summary) -> io::Result<()> {
    let words = Words(language);
    for topic in &report.topics {
        write_topic(out, words, topic)?;
    }
    write_summary(out, words, summary)
}

fn write_topic(out: &mut impl Write, words: Words, topic: &TopicReport) -> io::Result<()> {
    let mut counts = Counts::default();
    topic.hours.iter().for_each(|(_, hour)| counts += hour.counts);
    let rate = counts.negative_rate().unwrap_or(0.0);
    let alerts = words.alerts(topic.alerts.len() as u64);
    writeln!(out, "{}", printable(&topic.name, 80))?;
    writeln!(out, "{}, {} {}, {alerts}", words.posts(counts.posts()), words.percent(rate), words.negative())?;
    if let Some(chart) = Chart::new(&topic.hours, &topic.alerts) {
        writeln!(out)?;
        for line in chart.lines(words) {
            writeln!(out, "{line}")?;
        }
    }
    for alert in &topic.alerts {
        writeln!(out)?;
        write_alert(out, words, alert)?;
    }
    writeln!(out)?;
    writeln!(out)
}

fn write_alert(out: &mut impl Write, words: Words, alert: &Alert) -> io::Result<()> {
    let start = words.moment(alert.starts_at);
    let end = match alert.ends_at {
        Some(end) => format!("{} ({})", words.moment(end), words.duration(end.duration_since(alert.starts_at))),
        None => words.still_firing().to_owned(),
    };
    let severity = alert.labels.get("severity").map(|severity| format!(" [{severity}]")).unwrap_or_default();
    writeln!(out, "▲ {}{severity}  {start} → {end}", alert.rule)?;
    let annotation = alert.annotations.get(words.annotation()).or_else(|| alert.annotations.get("summary"));
    if let Some(sentence) = annotation {
        writeln!(out, "  {}", printable(sentence, 400))?;
    }
    // Silence and counted events have no worst moment in numbers of posts.
    if !matches!(alert.explanation.condition.as_str(), "no_data" | "events") {
        let peak = measured(words, &alert.peak, alert.is_rate);
        writeln!(out, "  {} {}{} {peak}", words.peak(), words.moment(alert.peak_at), words.colon())?;
    }
    for sample in &alert.samples {
        write_sample(out, words, sample)?;
    }
    Ok(())
}

/// `94 % of 87 posts negative, at least 88 % for sure; normal 77 %, threshold 87 %`.
pub(super) fn measured(words: Words, measured: &Measured, is_rate: bool) -> String {
    let value = |value: f64| if is_rate { words.percent(value) } else { words.number(value.round() as u64) };
    let counted = match is_rate {
        true => words.rate_of(measured.rate, measured.posts),
        false => words.number_of(measured.negative, measured.posts),
    };
    let mut text = format!("{counted}, {}", words.at_least(&value(measured.lower_bound)));
    let normal = measured.normal.map(|normal| format!("{} {}", words.normal(), value(normal.value)));
    let threshold = measured.threshold.map(|threshold| format!("{} {}", words.threshold(), value(threshold)));
    let known: Vec<String> = [normal, threshold].into_iter().flatten().collect();
    if !known.is_empty() {
        text += &format!("{} {}", words.semicolon(), known.join(", "));
    }
    text
}

fn write_sample(out: &mut impl Write, words: Words, sample: &Sample) -> io::Result<()> {
    let author = sample.author.as_deref().map(|author| format!(" @{}", printable(author, 40))).unwrap_or_default();
    let text = printable(&sample.text, SHOWN);
    writeln!(out, "    «\u{a0}{text}\u{a0}»{author}, {}", words.moment(sample.created_at))
}

fn write_summary(out: &mut impl Write, words: Words, summary: &Summary) -> io::Result<()> {
    let timing = &summary.timing;
    let mut parts = vec![words.posts(summary.posts)];
    let left_out = [
        (summary.duplicates, words.duplicates()),
        (summary.too_late, words.too_late()),
        (summary.unmatched, words.unmatched()),
    ];
    for (number, word) in left_out {
        if number > 0 {
            parts.push(format!("{} {word}", words.number(number)));
        }
    }
    if summary.resumed_after > 0 {
        parts.push(words.resumed(summary.resumed_after));
    }
    let (seconds, speed) = (words.decimal(timing.wall_seconds), words.number(timing.posts_per_second.round() as u64));
    let semicolon = words.semicolon();
    write!(out, "{} {} {seconds} s, {speed} {}", parts.join(", "), words.counted_in(), words.per_second())?;
    writeln!(out, "{semicolon} {} {}", words.model(), summary.model)?;
    let labels = &summary.labels;
    let counted =
        [(labels.negative, words.negative()), (labels.neutral, words.neutral()), (labels.positive, words.positive())];
    let counted: Vec<String> =
        counted.iter().map(|(number, word)| format!("{} {word}", words.number(*number))).collect();
    writeln!(out, "{}{semicolon} {}", counted.join(", "), words.alerts(summary.alerts))?;
    if summary.rejected > 0 {
        write_rejected(out, words, summary)?;
    }
    Ok(())
}

fn write_rejected(out: &mut impl Write, words: Words, summary: &Summary) -> io::Result<()> {
    let reason = |(reason, rows): (&String, &u64)| format!("{} {reason}", words.number(*rows));
    let reasons: Vec<String> = summary.rejected_by_reason.iter().map(reason).collect();
    write!(out, "{}{} {}", words.rejected(summary.rejected), words.colon(), reasons.join(", "))?;
    if let Some(path) = &summary.rejects_file {
        write!(out, "{} {} {path}", words.semicolon(), words.kept_in())?;
    }
    writeln!(out)
}
