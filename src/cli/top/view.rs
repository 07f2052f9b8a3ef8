//! Formats a [`Status`] as lines of a given width: `screen` draws them, `--once` prints them.

use super::phrases::Phrases;
use crate::cli::printable;
use crate::cli::terminal::{Colour, Line, Span, Style, columns};
use crate::pipeline::status::{AlertStatus, Queue, SourceStatus, Status, TopicStatus};
use crate::source::{BudgetUsage, SourceState};

const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Rates this far above normal are marked. It has no influence on alerts.
const MARK_MARGIN: f64 = 0.10;
const GAUGE: usize = 20;

/// A part of the view.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// Not scrolled with the lines.
    pub(super) header: Option<Line>,
    pub(super) lines: Vec<Line>,
}

/// One frame as text, without colours.
pub(super) fn text(status: &Status, phrases: Phrases, width: usize) -> String {
    let mut text = plain(&head(status, phrases));
    for section in [alerts, topics, sources, queues].map(|section| section(status, phrases, width)) {
        text += &format!("\n{}\n", section.title);
        text += &plain(&Vec::from_iter(section.header));
        text += &plain(&section.lines);
    }
    text
}

fn plain(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{}\n", line.text().trim_end())).collect()
}

/// Version, model, uptime, readiness, and totals.
pub(super) fn head(status: &Status, phrases: Phrases) -> Vec<Line> {
    let colour = if status.ready { Colour::Green } else { Colour::Red };
    let first = format!(
        "vigie {}   {} {}   {} {}   ",
        printable(&status.version, 20),
        phrases.model(),
        printable(&status.model, 40),
        phrases.up(),
        phrases.duration(status.now.duration_since(status.started_at)),
    );
    let ready = Span::styled(phrases.ready(status.ready), Style::from(colour).bold());
    let totals = &status.totals;
    let counted = [
        (phrases.received(), totals.received),
        (phrases.classified(), totals.classified),
        (phrases.rejected(), totals.rejected),
        (phrases.duplicates(), totals.duplicates),
        (phrases.outbox(), status.outbox),
    ];
    let counted: Vec<String> =
        counted.iter().map(|(word, number)| format!("{word} {}", phrases.number(*number))).collect();
    let mut lines = vec![Line::from(vec![first.into(), ready]), Line::from(counted.join("   "))];
    lines.extend(status.not_ready.iter().map(|why| warning(&format!("! {}", printable(why, 300)))));
    lines
}

pub(super) fn alerts(status: &Status, phrases: Phrases, _width: usize) -> Section {
    let mut lines: Vec<Line> = status.alerts.iter().flat_map(|alert| alert_lines(alert, status, phrases)).collect();
    if lines.is_empty() {
        lines.push(phrases.no_alert().into());
    }
    Section { title: phrases.alerts(), header: None, lines }
}

fn alert_lines(alert: &AlertStatus, status: &Status, phrases: Phrases) -> Vec<Line> {
    let firing = alert.state == "firing";
    let colour = if firing { Colour::Red } else { Colour::Yellow };
    let french = alert.summary_fr.as_deref().filter(|_| phrases.is_french());
    let summary = french.unwrap_or(&alert.summary);
    let title = format!(
        "{} {}  {}  {}  {}",
        if firing { "▲" } else { "△" },
        phrases.alert_state(&printable(&alert.state, 10)),
        printable(&alert.rule, 40),
        printable(&alert.topic, 40),
        phrases.ago(alert.since, status.now)
    );
    let mut lines =
        vec![Line::styled(title, Style::from(colour).bold()), Line::from(format!("  {}", printable(summary, 300)))];
    lines.extend(alert.learned_hours.map(|_| dim(format!("  {}", phrases.learning()))));
    let by = alert.acknowledged_by.as_deref();
    lines.extend(by.map(|by| dim(format!("  {} {}", phrases.acknowledged_by(), printable(by, 60)))));
    lines
}

/// Widths of the topic name and of the bars: the space left by the numbers.
fn topic_columns(width: usize) -> (usize, usize) {
    let name = (width / 4).clamp(8, 28);
    (name, width.saturating_sub(name + 32).min(60))
}

pub(super) fn topics(status: &Status, phrases: Phrases, width: usize) -> Section {
    let (name, bars) = topic_columns(width);
    let by_minute = if bars > 0 { phrases.by_minute() } else { "" };
    let columns = [phrases.posts(), phrases.negative(), phrases.normal()];
    let header = format!("{}{:>9}{:>11}{:>9}   {by_minute}", fit("", name), columns[0], columns[1], columns[2]);
    let lines = status.topics.iter().map(|topic| topic_line(topic, phrases, name, bars)).collect();
    Section { title: phrases.topics(), header: Some(dim(header)), lines }
}

fn topic_line(topic: &TopicStatus, phrases: Phrases, name: usize, bars: usize) -> Line {
    let share = |share: Option<f64>| share.map_or_else(|| "–".into(), |share| phrases.percent(share));
    let high = matches!((topic.rate, topic.normal), (Some(rate), Some(normal)) if rate > normal + MARK_MARGIN);
    let rate = format!("{:>9} {}", share(topic.rate), if high { "▲" } else { " " });
    let style = if high { Style::from(Colour::Red).bold() } else { Style::default() };
    let normal = match topic.normal {
        // Until a day is known: how much of it.
        None if (1..24).contains(&topic.learned_hours) => format!("{}/24 h", topic.learned_hours),
        normal => share(normal),
    };
    let mut spans = vec![
        Span::from(fit(&topic.name, name)),
        Span::from(format!("{:>9}", phrases.number(topic.posts))),
        Span::styled(rate, style),
        Span::from(format!("{normal:>9}   ")),
    ];
    spans.extend(sparkline(&topic.recent, bars));
    Line::from(spans)
}

/// One bar per minute: its height shows the number of posts, its colour the share of negative ones.
fn sparkline(recent: &[(u64, u64)], bars: usize) -> Vec<Span> {
    let shown = recent.get(recent.len().saturating_sub(bars)..).unwrap_or_default();
    let most = recent.iter().map(|(posts, _)| *posts).max().unwrap_or(0).max(1);
    let bar = |(posts, negative): &(u64, u64)| {
        // Rounded up: a single post is visible.
        let height = (u128::from(*posts) * 8).div_ceil(u128::from(most));
        let symbol = usize::try_from(height).ok().and_then(|height| BARS.get(height)).copied().unwrap_or("█");
        let colour = match *negative as f64 / (*posts).max(1) as f64 {
            share if share >= 0.66 => Colour::Red,
            share if share >= 0.33 => Colour::Yellow,
            _ => Colour::Green,
        };
        Span::styled(symbol, colour)
    };
    shown.iter().map(bar).collect()
}

pub(super) fn sources(status: &Status, phrases: Phrases, width: usize) -> Section {
    let name = (width / 4).clamp(8, 24);
    let header = format!("{}{:<9}{:<10}{:>11}   {}", fit("", name), "", "", phrases.received(), phrases.last_success());
    let lines = status.sources.iter().flat_map(|source| source_lines(source, status, phrases, name)).collect();
    Section { title: phrases.sources(), header: Some(dim(header)), lines }
}

fn source_lines(source: &SourceStatus, status: &Status, phrases: Phrases, name: usize) -> Vec<Line> {
    let report = &source.report;
    let stalled = report.is_stalled(source.started_at, status.now);
    let (state, colour) = match &report.state {
        SourceState::Blocked { .. } => (phrases.state(&report.state), Colour::Red),
        _ if stalled => (phrases.stalled(), Colour::Red),
        SourceState::Waiting { .. } => (phrases.state(&report.state), Colour::Yellow),
        state => (phrases.state(state), Colour::Default),
    };
    let last = report.last_success.map_or_else(|| phrases.never().to_owned(), |last| phrases.ago(last, status.now));
    let mut lines = vec![Line::from(vec![
        Span::from(fit(&source.name, name)),
        Span::from(fit(&source.kind, 9)),
        Span::styled(fit(state, 10), colour),
        Span::from(format!("{:>11}   {last}", phrases.number(source.received))),
    ])];
    match &report.state {
        SourceState::Waiting { until, why } => {
            let (until, colon) = (phrases.clock(*until), phrases.colon());
            lines.push(format!("  {} {until}{colon} {}", phrases.until(), printable(why, 300)).into());
        }
        SourceState::Blocked { why } => lines.push(warning(&format!("  ! {}", printable(why, 300)))),
        _ => {}
    }
    lines.extend(report.problems.iter().map(|(name, what)| {
        let (name, what) = (printable(name, 40), printable(what, 300));
        warning(&format!("  ! {name}{} {what}", phrases.colon()))
    }));
    lines.extend(report.spent.iter().map(|spent| Line::from(spent_line(spent, phrases))));
    lines
}

/// `  spent today: 120 posts of 2,000, $0.60 of $10.00`.
fn spent_line(spent: &BudgetUsage, phrases: Phrases) -> String {
    let of = |most: Option<String>| most.map(|most| format!(" {} {most}", phrases.of())).unwrap_or_default();
    let (posts, dollars) = (phrases.number(spent.posts), phrases.dollars(spent.dollars));
    let max_posts = of(spent.max_posts.map(|most| phrases.number(most)));
    let max_dollars = of(spent.max_dollars.map(|most| phrases.dollars(most)));
    let period = printable(phrases.period(&spent.period), 20);
    let (spent, colon) = (phrases.spent(), phrases.colon());
    format!("  {spent} {period}{colon} {posts} {}{max_posts}, {dollars}{max_dollars}", phrases.posts())
}

pub(super) fn queues(status: &Status, phrases: Phrases, width: usize) -> Section {
    let name = (width / 4).clamp(8, 24);
    let lines = status.queues.iter().map(|queue| queue_line(queue, phrases, name)).collect();
    Section { title: phrases.queues(), header: None, lines }
}

fn queue_line(queue: &Queue, phrases: Phrases, name: usize) -> Line {
    let filled = u128::from(queue.waiting) * GAUGE as u128;
    let filled = usize::try_from(filled.div_ceil(u128::from(queue.capacity.max(1)))).unwrap_or(GAUGE).min(GAUGE);
    let colour = if filled * 10 >= GAUGE * 8 { Colour::Yellow } else { Colour::Green };
    Line::from(vec![
        Span::from(fit(&queue.name, name)),
        Span::styled("█".repeat(filled), colour),
        Span::styled("░".repeat(GAUGE - filled), Style::DIM),
        Span::from(format!("  {} {} {}", phrases.number(queue.waiting), phrases.of(), phrases.number(queue.capacity))),
    ])
}

pub(super) fn warning(text: &str) -> Line {
    Line::styled(text.to_owned(), Colour::Red)
}

fn dim(text: String) -> Line {
    Line::styled(text, Style::DIM)
}

/// The text padded or cut to `width` terminal columns; the last column is blank.
fn fit(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    let mut taken = 0;
    for character in printable(text, width).chars() {
        let wide = columns(character);
        if taken + wide >= width {
            break;
        }
        taken += wide;
        fitted.push(character);
    }
    fitted + &" ".repeat(width - taken)
}
