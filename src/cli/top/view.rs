//! What is shown of a [`Status`], as lines of a given width: the screen draws them, `--once` prints them.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::words::Words;
use crate::cli::printable;
use crate::pipeline::status::{AlertStatus, Queue, SourceStatus, Status, TopicStatus};
use crate::source::{SourceState, Spent};

const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Points of the negative rate above normal that are marked; no alert depends on it.
const MARKED: f64 = 0.10;
const GAUGE: usize = 20;

/// A part of the view.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// Stays where the lines are scrolled.
    pub(super) header: Option<Line<'static>>,
    pub(super) lines: Vec<Line<'static>>,
}

/// One frame as text, without colours.
pub(super) fn text(status: &Status, words: Words, width: usize) -> String {
    let mut text = plain(&head(status, words));
    for section in [alerts, topics, sources, queues].map(|section| section(status, words, width)) {
        text += &format!("\n{}\n", section.title);
        text += &plain(&Vec::from_iter(section.header));
        text += &plain(&section.lines);
    }
    text
}

fn plain(lines: &[Line<'_>]) -> String {
    lines.iter().map(|line| format!("{}\n", line.to_string().trim_end())).collect()
}

/// Who it is, whether it is ready, and what became of all posts.
pub(super) fn head(status: &Status, words: Words) -> Vec<Line<'static>> {
    let colour = if status.ready { Color::Green } else { Color::Red };
    let first = format!(
        "vigie {}   {} {}   {} {}   ",
        printable(&status.version, 20),
        words.model(),
        printable(&status.model, 40),
        words.up(),
        words.duration(status.now.duration_since(status.started_at)),
    );
    let ready = Span::styled(words.ready(status.ready), Style::new().fg(colour).add_modifier(Modifier::BOLD));
    let totals = &status.totals;
    let counted = [
        (words.received(), totals.received),
        (words.classified(), totals.classified),
        (words.rejected(), totals.rejected),
        (words.duplicates(), totals.duplicates),
        (words.outbox(), status.outbox),
    ];
    let counted: Vec<String> =
        counted.iter().map(|(word, number)| format!("{word} {}", words.number(*number))).collect();
    let mut lines = vec![Line::from(vec![first.into(), ready]), Line::from(counted.join("   "))];
    lines.extend(status.not_ready.iter().map(|why| warning(&format!("! {}", printable(why, 300)))));
    lines
}

pub(super) fn alerts(status: &Status, words: Words, _width: usize) -> Section {
    let mut lines: Vec<Line<'static>> =
        status.alerts.iter().flat_map(|alert| alert_lines(alert, status, words)).collect();
    if lines.is_empty() {
        lines.push(words.no_alert().into());
    }
    Section { title: words.alerts(), header: None, lines }
}

fn alert_lines(alert: &AlertStatus, status: &Status, words: Words) -> [Line<'static>; 2] {
    let firing = alert.state == "firing";
    let style = Style::new().fg(if firing { Color::Red } else { Color::Yellow });
    let what = format!(
        "{} {}  {}  {}  {}",
        if firing { "▲" } else { "△" },
        printable(&alert.state, 10),
        printable(&alert.rule, 40),
        printable(&alert.topic, 40),
        words.ago(alert.since, status.now)
    );
    [
        Line::styled(what, style.add_modifier(Modifier::BOLD)),
        Line::from(format!("  {}", printable(&alert.summary, 300))),
    ]
}

/// Widths of a topic's name and of its bars: what the numbers leave.
fn topic_columns(width: usize) -> (usize, usize) {
    let name = (width / 4).clamp(8, 28);
    (name, width.saturating_sub(name + 32).min(60))
}

pub(super) fn topics(status: &Status, words: Words, width: usize) -> Section {
    let (name, bars) = topic_columns(width);
    let by_minute = if bars > 0 { words.by_minute() } else { "" };
    let columns = [words.posts(), words.negative(), words.normal()];
    let header = format!("{}{:>9}{:>11}{:>9}   {by_minute}", fit("", name), columns[0], columns[1], columns[2]);
    let lines = status.topics.iter().map(|topic| topic_line(topic, words, name, bars)).collect();
    Section { title: words.topics(), header: Some(dim(header)), lines }
}

fn topic_line(topic: &TopicStatus, words: Words, name: usize, bars: usize) -> Line<'static> {
    let share = |share: Option<f64>| share.map_or_else(|| "–".into(), |share| words.percent(share));
    let high = matches!((topic.rate, topic.normal), (Some(rate), Some(normal)) if rate > normal + MARKED);
    let rate = format!("{:>9} {}", share(topic.rate), if high { "▲" } else { " " });
    let style = if high { Style::new().fg(Color::Red).add_modifier(Modifier::BOLD) } else { Style::new() };
    let mut spans = vec![
        Span::from(fit(&topic.name, name)),
        Span::from(format!("{:>9}", words.number(topic.posts))),
        Span::styled(rate, style),
        Span::from(format!("{:>9}   ", share(topic.normal))),
    ];
    spans.extend(sparkline(&topic.recent, bars));
    Line::from(spans)
}

/// A bar a minute, as high as its posts, coloured by the share of negative ones.
fn sparkline(recent: &[(u64, u64)], bars: usize) -> Vec<Span<'static>> {
    let shown = recent.get(recent.len().saturating_sub(bars)..).unwrap_or_default();
    let most = recent.iter().map(|(posts, _)| *posts).max().unwrap_or(0).max(1);
    let bar = |(posts, negative): &(u64, u64)| {
        // Any post shows: the lowest bar is for one of many.
        let height = (u128::from(*posts) * 8).div_ceil(u128::from(most));
        let symbol = usize::try_from(height).ok().and_then(|height| BARS.get(height)).copied().unwrap_or("█");
        let colour = match *negative as f64 / (*posts).max(1) as f64 {
            share if share >= 0.66 => Color::Red,
            share if share >= 0.33 => Color::Yellow,
            _ => Color::Green,
        };
        Span::styled(symbol, Style::new().fg(colour))
    };
    shown.iter().map(bar).collect()
}

pub(super) fn sources(status: &Status, words: Words, width: usize) -> Section {
    let name = (width / 4).clamp(8, 24);
    let header = format!("{}{:<9}{:<10}{:>11}   {}", fit("", name), "", "", words.received(), words.last_success());
    let lines = status.sources.iter().flat_map(|source| source_lines(source, status, words, name)).collect();
    Section { title: words.sources(), header: Some(dim(header)), lines }
}

fn source_lines(source: &SourceStatus, status: &Status, words: Words, name: usize) -> Vec<Line<'static>> {
    let report = &source.report;
    let stalled = report.is_stalled(source.started_at, status.now);
    let (state, colour) = match &report.state {
        SourceState::Blocked { .. } => (words.state(&report.state), Color::Red),
        _ if stalled => (words.stalled(), Color::Red),
        SourceState::Waiting { .. } => (words.state(&report.state), Color::Yellow),
        state => (words.state(state), Color::Reset),
    };
    let last = report.last_success.map_or_else(|| words.never().to_owned(), |last| words.ago(last, status.now));
    let mut lines = vec![Line::from(vec![
        Span::from(fit(&source.name, name)),
        Span::from(fit(&source.kind, 9)),
        Span::styled(fit(state, 10), Style::new().fg(colour)),
        Span::from(format!("{:>11}   {last}", words.number(source.received))),
    ])];
    match &report.state {
        SourceState::Waiting { until, why } => {
            lines.push(format!("  {} {}: {}", words.until(), words.clock(*until), printable(why, 300)).into());
        }
        SourceState::Blocked { why } => lines.push(warning(&format!("  ! {}", printable(why, 300)))),
        _ => {}
    }
    lines.extend(report.problems.iter().map(|(name, what)| {
        let (name, what) = (printable(name, 40), printable(what, 300));
        warning(&format!("  ! {name}: {what}"))
    }));
    lines.extend(report.spent.iter().map(|spent| Line::from(spent_line(spent, words))));
    lines
}

/// `  spent today: 120 posts of 2,000, 0.60 $ of 10.00 $`.
fn spent_line(spent: &Spent, words: Words) -> String {
    let of = |most: Option<String>| most.map(|most| format!(" {} {most}", words.of())).unwrap_or_default();
    let (posts, dollars) = (words.number(spent.posts), words.dollars(spent.dollars));
    let most_posts = of(spent.most_posts.map(|most| words.number(most)));
    let most_dollars = of(spent.most_dollars.map(|most| words.dollars(most)));
    let period = printable(words.period(&spent.period), 20);
    format!("  {} {period}: {posts} {}{most_posts}, {dollars}{most_dollars}", words.spent(), words.posts())
}

pub(super) fn queues(status: &Status, words: Words, width: usize) -> Section {
    let name = (width / 4).clamp(8, 24);
    let lines = status.queues.iter().map(|queue| queue_line(queue, words, name)).collect();
    Section { title: words.queues(), header: None, lines }
}

fn queue_line(queue: &Queue, words: Words, name: usize) -> Line<'static> {
    let filled = u128::from(queue.waiting) * GAUGE as u128;
    let filled = usize::try_from(filled.div_ceil(u128::from(queue.capacity.max(1)))).unwrap_or(GAUGE).min(GAUGE);
    let colour = if filled * 10 >= GAUGE * 8 { Color::Yellow } else { Color::Green };
    Line::from(vec![
        Span::from(fit(&queue.name, name)),
        Span::styled("█".repeat(filled), Style::new().fg(colour)),
        Span::styled("░".repeat(GAUGE - filled), Style::new().add_modifier(Modifier::DIM)),
        Span::from(format!("  {} {} {}", words.number(queue.waiting), words.of(), words.number(queue.capacity))),
    ])
}

pub(super) fn warning(text: &str) -> Line<'static> {
    Line::styled(text.to_owned(), Style::new().fg(Color::Red))
}

fn dim(text: String) -> Line<'static> {
    Line::styled(text, Style::new().add_modifier(Modifier::DIM))
}

/// The text in exactly `width` columns of a terminal, the last of them blank.
fn fit(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    let mut columns = 0;
    for character in printable(text, width).chars() {
        let wide = Span::from(character.to_string()).width();
        if columns + wide >= width {
            break;
        }
        columns += wide;
        fitted.push(character);
    }
    fitted + &" ".repeat(width - columns)
}
