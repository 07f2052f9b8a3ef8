//! The results of a backtest as text: one paragraph per rule with its alerts, or a table of the swept values.

use std::io::{self, Write};

use super::{Findings, Phrases, VariantResult};
use crate::cli::printable;
use crate::cli::timeline::measured;
use crate::pipeline::backtest::{Judged, Judgement};

pub(super) fn write(out: &mut impl Write, phrases: Phrases, findings: &Findings) -> io::Result<()> {
    write_head(out, phrases, findings)?;
    match (&findings.sweep, findings.results.as_slice()) {
        (Some(sweep), results) => write_sweep(out, phrases, &sweep.key, results, findings.outcome.weeks()),
        (None, results) => results
            .iter()
            .flat_map(|results| &results.judgements)
            .try_for_each(|judgement| write_rule(out, phrases, judgement, findings.outcome.weeks())),
    }
}

fn write_head(out: &mut impl Write, phrases: Phrases, findings: &Findings) -> io::Result<()> {
    let outcome = &findings.outcome;
    let (from, to) = (phrases.moment(outcome.span.0), phrases.moment(outcome.span.1));
    let (posts, weeks, blocks) =
        (phrases.posts(outcome.posts), phrases.weeks(outcome.weeks()), phrases.blocks(outcome.blocks));
    let (model, semicolon) = (phrases.model(), phrases.semicolon());
    writeln!(out, "{posts}, {from} → {to} ({weeks}), {blocks}{semicolon} {model} {}", outcome.model)?;
    writeln!(out, "{}", phrases.judged_by(&findings.basis))?;
    let rejected: u64 = outcome.rejected.values().sum();
    if rejected > 0 {
        let kept =
            outcome.rejects_file.as_ref().map(|path| format!("{semicolon} {} {}", phrases.kept_in(), path.display()));
        writeln!(out, "{}{}", phrases.rejected(rejected), kept.unwrap_or_default())?;
    }
    Ok(())
}

fn write_rule(out: &mut impl Write, phrases: Phrases, judgement: &Judgement, weeks: f64) -> io::Result<()> {
    let mut parts = vec![phrases.would_have_fired(judgement.alerts.len())];
    if let Some(number) = judgement.false_alarms() {
        let a_week = per_week(number, weeks).map(|rate| format!(" ({})", phrases.per_week(rate))).unwrap_or_default();
        parts.push(format!("{}{a_week}", phrases.false_alarms(number)));
    }
    parts.extend(judgement.precision().map(|share| format!("{} {}", phrases.precision(), phrases.percent(share))));
    if let Some(incidents) = judgement.incidents {
        parts.push(phrases.found(judgement.delays.len(), incidents));
        parts.extend(judgement.median_delay().map(|delay| phrases.median_delay(delay)));
    }
    writeln!(out, "\n{}", judgement.rule)?;
    writeln!(out, "  {}", parts.join(&format!("{} ", phrases.semicolon())))?;
    judgement.alerts.iter().try_for_each(|judged| write_alert(out, phrases, judged))
}

fn write_alert(out: &mut impl Write, phrases: Phrases, judged: &Judged) -> io::Result<()> {
    let alert = &judged.alert;
    let end = match alert.ends_at {
        Some(end) => format!("{} ({})", phrases.moment(end), phrases.duration(end.duration_since(alert.starts_at))),
        None => phrases.still_firing().to_owned(),
    };
    let mark = match judged.is_false {
        Some(true) => '✗',
        Some(false) => '✓',
        None => '▲',
    };
    let mut verdict: Vec<String> = vec![phrases.verdict(judged.is_false).to_owned()];
    verdict.extend(judged.delay.map(|delay| phrases.after(delay)));
    verdict.retain(|part| !part.is_empty());
    let verdict = if verdict.is_empty() { String::new() } else { format!("  {}", verdict.join(", ")) };
    writeln!(out, "  {mark} {}  {} → {end}{verdict}", printable(&alert.topic, 40), phrases.moment(alert.starts_at))?;
    if alert.explanation.condition == "no_data" {
        // Silence has no peak in numbers of posts.
        let expected = alert.peak.normal.map(|normal| normal.value.round() as u64);
        return writeln!(out, "      {}", phrases.silent_until(alert.peak_at, expected));
    }
    let peak = measured(phrases, &alert.peak, alert.is_rate);
    writeln!(out, "      {} {}{} {peak}", phrases.peak(), phrases.moment(alert.peak_at), phrases.colon())
}

fn write_sweep(
    out: &mut impl Write,
    phrases: Phrases,
    key: &str,
    results: &[VariantResult],
    weeks: f64,
) -> io::Result<()> {
    let mut lines = vec![std::iter::once(key).chain(phrases.columns()).map(str::to_owned).collect::<Vec<_>>()];
    for results in results {
        let value = results.value.clone().unwrap_or_default();
        lines.extend(results.judgements.iter().map(|judgement| cells(phrases, &value, judgement, weeks)));
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..lines[0].len()).map(width).collect();
    writeln!(out)?;
    for line in &lines {
        let padded: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", padded.join("  ").trim_end())?;
    }
    Ok(())
}

fn cells(phrases: Phrases, value: &str, judgement: &Judgement, weeks: f64) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    let rate = judgement.false_alarms().and_then(|number| per_week(number, weeks));
    let found = judgement.incidents.map(|incidents| format!("{}/{incidents}", judgement.delays.len()));
    vec![
        value.to_owned(),
        judgement.rule.clone(),
        phrases.number(judgement.alerts.len() as u64),
        or_dash(rate.map(|rate| phrases.decimal(rate))),
        or_dash(judgement.precision().map(|share| phrases.percent(share))),
        or_dash(found),
        or_dash(judgement.median_delay().map(|delay| phrases.duration(delay))),
    ]
}

/// The number per week; `None` for a history of a single moment.
pub(super) fn per_week(number: usize, weeks: f64) -> Option<f64> {
    (weeks > 0.0).then(|| number as f64 / weeks)
}
