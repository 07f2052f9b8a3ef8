//! The findings as text: a paragraph a rule with its alerts, or a table of the values tried.

use std::io::{self, Write};

use super::{Findings, Tried, Words};
use crate::cli::printable;
use crate::cli::timeline::measured;
use crate::pipeline::backtest::{Judged, Judgement};

pub(super) fn write(out: &mut impl Write, words: Words, findings: &Findings) -> io::Result<()> {
    write_head(out, words, findings)?;
    match (&findings.sweep, findings.tried.as_slice()) {
        (Some(sweep), tried) => write_sweep(out, words, &sweep.key, tried, findings.outcome.weeks()),
        (None, tried) => tried
            .iter()
            .flat_map(|tried| &tried.judgements)
            .try_for_each(|judgement| write_rule(out, words, judgement, findings.outcome.weeks())),
    }
}

fn write_head(out: &mut impl Write, words: Words, findings: &Findings) -> io::Result<()> {
    let outcome = &findings.outcome;
    let (from, to) = (words.moment(outcome.span.0), words.moment(outcome.span.1));
    let (posts, weeks, blocks) =
        (words.posts(outcome.posts), words.weeks(outcome.weeks()), words.blocks(outcome.blocks));
    let (model, semicolon) = (words.model(), words.semicolon());
    writeln!(out, "{posts}, {from} → {to} ({weeks}), {blocks}{semicolon} {model} {}", outcome.model)?;
    writeln!(out, "{}", words.judged_by(&findings.basis))?;
    let rejected: u64 = outcome.rejected.values().sum();
    if rejected > 0 {
        let kept =
            outcome.rejects_file.as_ref().map(|path| format!("{semicolon} {} {}", words.kept_in(), path.display()));
        writeln!(out, "{}{}", words.rejected(rejected), kept.unwrap_or_default())?;
    }
    Ok(())
}

fn write_rule(out: &mut impl Write, words: Words, judgement: &Judgement, weeks: f64) -> io::Result<()> {
    let mut told = vec![words.would_have_fired(judgement.alerts.len())];
    if let Some(number) = judgement.false_alarms() {
        let a_week = per_week(number, weeks).map(|rate| format!(" ({})", words.a_week(rate))).unwrap_or_default();
        told.push(format!("{}{a_week}", words.false_alarms(number)));
    }
    told.extend(judgement.precision().map(|share| format!("{} {}", words.precision(), words.percent(share))));
    if let Some(incidents) = judgement.incidents {
        told.push(words.found(judgement.delays.len(), incidents));
        told.extend(judgement.median_delay().map(|delay| words.median_delay(delay)));
    }
    writeln!(out, "\n{}", judgement.rule)?;
    writeln!(out, "  {}", told.join(&format!("{} ", words.semicolon())))?;
    judgement.alerts.iter().try_for_each(|judged| write_alert(out, words, judged))
}

fn write_alert(out: &mut impl Write, words: Words, judged: &Judged) -> io::Result<()> {
    let alert = &judged.alert;
    let end = match alert.ends_at {
        Some(end) => format!("{} ({})", words.moment(end), words.duration(end.duration_since(alert.starts_at))),
        None => words.still_firing().to_owned(),
    };
    let mark = match judged.is_false {
        Some(true) => '✗',
        Some(false) => '✓',
        None => '▲',
    };
    let mut verdict: Vec<String> = vec![words.verdict(judged.is_false).to_owned()];
    verdict.extend(judged.delay.map(|delay| words.after(delay)));
    verdict.retain(|part| !part.is_empty());
    let verdict = if verdict.is_empty() { String::new() } else { format!("  {}", verdict.join(", ")) };
    writeln!(out, "  {mark} {}  {} → {end}{verdict}", printable(&alert.topic, 40), words.moment(alert.starts_at))?;
    let peak = measured(words, &alert.peak, alert.is_rate);
    writeln!(out, "      {} {}{} {peak}", words.peak(), words.moment(alert.peak_at), words.colon())
}

fn write_sweep(out: &mut impl Write, words: Words, key: &str, tried: &[Tried], weeks: f64) -> io::Result<()> {
    let mut lines = vec![std::iter::once(key).chain(words.columns()).map(str::to_owned).collect::<Vec<_>>()];
    for tried in tried {
        let value = tried.value.clone().unwrap_or_default();
        lines.extend(tried.judgements.iter().map(|judgement| cells(words, &value, judgement, weeks)));
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

fn cells(words: Words, value: &str, judgement: &Judgement, weeks: f64) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    let rate = judgement.false_alarms().and_then(|number| per_week(number, weeks));
    let found = judgement.incidents.map(|incidents| format!("{}/{incidents}", judgement.delays.len()));
    vec![
        value.to_owned(),
        judgement.rule.clone(),
        words.number(judgement.alerts.len() as u64),
        or_dash(rate.map(|rate| words.decimal(rate))),
        or_dash(judgement.precision().map(|share| words.percent(share))),
        or_dash(found),
        or_dash(judgement.median_delay().map(|delay| words.duration(delay))),
    ]
}

/// None where history is too short to speak of weeks: of a single moment.
pub(super) fn per_week(number: usize, weeks: f64) -> Option<f64> {
    (weeks > 0.0).then(|| number as f64 / weeks)
}
