//! The timeline that `vigie replay` prints: a chart and the alerts of each topic, then a summary.

mod chart;
pub(super) mod phrases;

use std::io::{self, Write};

use crate::alert::Alert;
use crate::cli::printable;
use crate::cli::summary::Summary;
use crate::language::Language;
use crate::monitor::{MonitorReport, TopicReport};
use crate::rule::Measurement;
use crate::window::{Counts, Sample};
use chart::Chart;
use phrases::Phrases;

/// Maximum number of characters shown of a sample post.
const MAX_SAMPLE_CHARS: usize = 200;

/// Writes `report` and `summary` to `out`.
///
/// # Errors
/// When `out` cannot be written.
pub(super) fn write(
    out: &mut impl Write,
    language: Language,
    report: &MonitorReport,
    summary: &Summary,
) -> io::Result<()> {
    let phrases = Phrases(language);
    for topic in &report.topics {
        write_topic(out, phrases, topic)?;
    }
    write_summary(out, phrases, summary)
}

fn write_topic(out: &mut impl Write, phrases: Phrases, topic: &TopicReport) -> io::Result<()> {
    let mut counts = Counts::default();
    topic.hours.iter().for_each(|(_, hour)| counts += hour.counts);
    let rate = counts.negative_rate().unwrap_or(0.0);
    let alerts = phrases.alerts(topic.alerts.len() as u64);
    writeln!(out, "{}", printable(&topic.name, 80))?;
    writeln!(out, "{}, {} {}, {alerts}", phrases.posts(counts.posts()), phrases.percent(rate), phrases.negative())?;
    if let Some(chart) = Chart::new(&topic.hours, &topic.alerts) {
        writeln!(out)?;
        for line in chart.lines(phrases) {
            writeln!(out, "{line}")?;
        }
    }
    for alert in &topic.alerts {
        writeln!(out)?;
        write_alert(out, phrases, alert)?;
    }
    writeln!(out)?;
    writeln!(out)
}

fn write_alert(out: &mut impl Write, phrases: Phrases, alert: &Alert) -> io::Result<()> {
    let start = phrases.moment(alert.starts_at);
    let end = match alert.ends_at {
        Some(end) => format!("{} ({})", phrases.moment(end), phrases.duration(end.duration_since(alert.starts_at))),
        None => phrases.still_firing().to_owned(),
    };
    let severity = alert.labels.get("severity").map(|severity| format!(" [{severity}]")).unwrap_or_default();
    writeln!(out, "▲ {}{severity}  {start} → {end}", alert.rule)?;
    let annotation = alert.annotations.get(phrases.annotation()).or_else(|| alert.annotations.get("summary"));
    if let Some(sentence) = annotation {
        writeln!(out, "  {}", printable(sentence, 400))?;
    }
    // Silence and events have no peak in numbers of posts.
    if !matches!(alert.explanation.condition.as_str(), "no_data" | "events") {
        let peak = measured(phrases, &alert.peak, alert.is_rate);
        writeln!(out, "  {} {}{} {peak}", phrases.peak(), phrases.moment(alert.peak_at), phrases.colon())?;
    }
    for sample in &alert.samples {
        write_sample(out, phrases, sample)?;
    }
    Ok(())
}

/// `94% of 87 posts negative, lower bound 88%; normal 77%, threshold 87%`.
pub(super) fn measured(phrases: Phrases, measured: &Measurement, is_rate: bool) -> String {
    let value = |value: f64| if is_rate { phrases.percent(value) } else { phrases.number(value.round() as u64) };
    let counted = match is_rate {
        true => phrases.rate_of(measured.rate, measured.posts),
        false => phrases.number_of(measured.negative, measured.posts),
    };
    let mut text = format!("{counted}, {}", phrases.lower_bound(&value(measured.lower_bound)));
    let normal = measured.normal.map(|normal| format!("{} {}", phrases.normal(), value(normal.value)));
    let threshold = measured.threshold.map(|threshold| format!("{} {}", phrases.threshold(), value(threshold)));
    let known: Vec<String> = [normal, threshold].into_iter().flatten().collect();
    if !known.is_empty() {
        text += &format!("{} {}", phrases.semicolon(), known.join(", "));
    }
    text
}

fn write_sample(out: &mut impl Write, phrases: Phrases, sample: &Sample) -> io::Result<()> {
    let author = sample.author.as_deref().map(|author| format!(" @{}", printable(author, 40))).unwrap_or_default();
    let text = printable(&sample.text, MAX_SAMPLE_CHARS);
    writeln!(out, "    «\u{a0}{text}\u{a0}»{author}, {}", phrases.moment(sample.created_at))
}

fn write_summary(out: &mut impl Write, phrases: Phrases, summary: &Summary) -> io::Result<()> {
    let timing = &summary.timing;
    let mut parts = vec![phrases.posts(summary.posts)];
    let left_out = [
        (summary.duplicates, phrases.duplicates()),
        (summary.too_late, phrases.too_late()),
        (summary.unmatched, phrases.unmatched()),
    ];
    for (number, word) in left_out {
        if number > 0 {
            parts.push(format!("{} {word}", phrases.number(number)));
        }
    }
    if summary.resumed_after > 0 {
        parts.push(phrases.resumed(summary.resumed_after));
    }
    let (seconds, speed) =
        (phrases.decimal(timing.wall_seconds), phrases.number(timing.posts_per_second.round() as u64));
    let semicolon = phrases.semicolon();
    write!(out, "{} {} {seconds} s, {speed} {}", parts.join(", "), phrases.counted_in(), phrases.per_second())?;
    writeln!(out, "{semicolon} {} {}", phrases.model(), summary.model)?;
    let labels = &summary.labels;
    let counted = [
        (labels.negative, phrases.negative()),
        (labels.neutral, phrases.neutral()),
        (labels.positive, phrases.positive()),
    ];
    let counted: Vec<String> =
        counted.iter().map(|(number, word)| format!("{} {word}", phrases.number(*number))).collect();
    writeln!(out, "{}{semicolon} {}", counted.join(", "), phrases.alerts(summary.alerts))?;
    if summary.rejected > 0 {
        write_rejected(out, phrases, summary)?;
    }
    Ok(())
}

fn write_rejected(out: &mut impl Write, phrases: Phrases, summary: &Summary) -> io::Result<()> {
    let reason = |(reason, rows): (&String, &u64)| format!("{} {reason}", phrases.number(*rows));
    let reasons: Vec<String> = summary.rejected_by_reason.iter().map(reason).collect();
    write!(out, "{}{} {}", phrases.rejected(summary.rejected), phrases.colon(), reasons.join(", "))?;
    if let Some(path) = &summary.rejects_file {
        write!(out, "{} {} {path}", phrases.semicolon(), phrases.kept_in())?;
    }
    writeln!(out)
}
