//! What a configuration would read, and what that may cost, as sentences.

use anyhow::Context as _;

use crate::config::Config;
use crate::post::Topic;
use crate::source::SourceConfig;
use crate::source::twitter;
use crate::source::twitter::Mode;

/// `Air Paradis: "Air Paradis", @AirParadis`.
pub(super) fn topic(topic: &Topic) -> String {
    let keywords = topic.keywords.iter().map(|keyword| format!("{keyword:?}"));
    let handles = topic.handles.iter().map(|handle| format!("@{}", handle.trim_start_matches('@')));
    let wanted: Vec<String> = keywords.chain(handles).collect();
    let languages =
        if topic.languages.is_empty() { String::new() } else { format!(", in {}", topic.languages.join(", ")) };
    format!("{}: {}{languages}", topic.name, wanted.join(", "))
}

/// What one source reads.
pub(super) fn reads(source: &SourceConfig, config: &Config) -> String {
    match source {
        SourceConfig::Twitter(source) => from_x(source),
        SourceConfig::File(file) => {
            format!("the file {}, as it grows, looked at every {:#}", file.path.display(), file.poll)
        }
        SourceConfig::Http(_) => format!("what is sent to http://{}/api/v1/posts", config.web.listen),
    }
}

fn from_x(source: &twitter::Config) -> String {
    let query =
        source.query.as_ref().map_or_else(|| "a query made from the topics".into(), |query| format!("{query:?}"));
    let polled = format!("every {:#} to {:#}, {} posts a page", source.interval_min, source.interval_max, source.page);
    match source.mode {
        Mode::Search => format!("X's recent search for {query}, {polled}"),
        Mode::Mentions => {
            format!("X's mentions of account {}, {polled}", source.user_id.as_deref().unwrap_or("(not given)"))
        }
        Mode::Stream => format!("X's filtered stream for {query}"),
    }
}

/// What the sources that cost may cost.
pub(super) fn cost(config: &Config) -> Vec<String> {
    if !config.sources.iter().any(|source| matches!(source, SourceConfig::Twitter(_))) {
        return vec!["nothing".into()];
    }
    let budget = &config.x.budget;
    let limits: Vec<String> = [
        budget.dollars_per_day.map(|dollars| format!("{dollars:.2} $ a day")),
        budget.dollars_per_month.map(|dollars| format!("{dollars:.2} $ a month")),
        budget.posts_per_day.map(|posts| format!("{posts} posts a day")),
        budget.posts_per_month.map(|posts| format!("{posts} posts a month")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let price = format!("at {} $ a post and {} $ a mention", budget.price_per_post, budget.price_per_mention);
    let most = if limits.is_empty() {
        "without a limit: set x.budget".to_owned()
    } else {
        format!("at most {}; an alert at 80 %, a stop at 100 %", limits.join(", "))
    };
    vec![most, price]
}

/// Who is told: what leads there, and by which channel.
pub(super) fn receivers(config: &Config) -> Vec<String> {
    let routing = config.routing();
    let mut lines: Vec<String> =
        routing.receivers.iter().map(|receiver| format!("{} ({})", receiver.name, receiver.channel.kind())).collect();
    for route in &routing.routes {
        let matchers: Vec<String> = route.matchers.iter().map(ToString::to_string).collect();
        let when = if matchers.is_empty() { "everything".to_owned() } else { matchers.join(", ") };
        let hours: Vec<String> = route.active_times.iter().map(ToString::to_string).collect();
        let hours = if hours.is_empty() { String::new() } else { format!(", {} only", hours.join(" and ")) };
        let goes_on = if route.goes_on { ", and on" } else { "" };
        let escalates = route.escalate_to.as_ref().zip(route.escalate_after);
        let escalates =
            escalates.map(|(to, after)| format!(", after {after:#} unacknowledged {to}")).unwrap_or_default();
        lines.push(format!("{when} -> {}{hours}{escalates}{goes_on}", route.receivers.join(", ")));
    }
    let rest =
        if config.notify.receivers.is_empty() { "all of them".into() } else { config.notify.receivers.join(", ") };
    lines.push(format!("{} -> {rest}", if routing.routes.is_empty() { "everything" } else { "anything else" }));
    lines
}

/// Where an alert with `labels`, such as `severity=critical,topic=X`, leads at `now`.
pub(super) fn route(config: &Config, labels: &str, now: jiff::Timestamp) -> anyhow::Result<String> {
    let pair = |pair: &str| {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("{pair:?} is no label; wanted such as severity=critical"))?;
        Ok((name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
    };
    let labels = labels.split(',').map(pair).collect::<anyhow::Result<crate::notify::Labels>>()?;
    let destinations = config.routing().destinations(&labels, now);
    let line = |destination: &crate::notify::Destination| {
        let group: Vec<String> = destination.group.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        format!("routed to  {}, grouped by {}", destination.receivers.join(", "), group.join(", "))
    };
    Ok(destinations.iter().map(line).collect::<Vec<_>>().join("\n"))
}
