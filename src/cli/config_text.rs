//! Describes a configuration: topics, sources, costs and routes, for `vigie check-config` and the log.

use anyhow::Context as _;

use crate::config::Config;
use crate::post::Topic;
use crate::source::SourceConfig;
use crate::source::twitter;
use crate::source::twitter::Mode;

/// `Air Paradis: "Air Paradis", @AirParadis`.
pub(super) fn describe_topic(topic: &Topic) -> String {
    let keywords = topic.keywords.iter().map(|keyword| format!("{keyword:?}"));
    let handles = topic.handles.iter().map(|handle| format!("@{}", handle.trim_start_matches('@')));
    let terms: Vec<String> = keywords.chain(handles).collect();
    let languages =
        if topic.languages.is_empty() { String::new() } else { format!(", in {}", topic.languages.join(", ")) };
    format!("{}: {}{languages}", topic.name, terms.join(", "))
}

/// The first of `names`, and how many more there are: one short line for a log.
pub(super) fn some_of(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// What a source reads.
pub(super) fn describe_source(source: &SourceConfig, config: &Config) -> String {
    match source {
        SourceConfig::Twitter(source) => describe_twitter(source),
        SourceConfig::File(file) => {
            format!("new lines of the file {}, polled every {:#}", file.path.display(), file.poll)
        }
        SourceConfig::Http(_) => format!("posts sent to http://{}/api/v1/posts", config.web.listen),
    }
}

fn describe_twitter(source: &twitter::Config) -> String {
    let query =
        source.query.as_ref().map_or_else(|| "a query built from the topics".into(), |query| format!("{query:?}"));
    let polled =
        format!("every {:#} to {:#}, {} posts per page", source.interval_min, source.interval_max, source.page);
    match source.mode {
        Mode::Search => format!("X's recent search for {query}, {polled}"),
        Mode::Mentions => {
            format!("X's mentions of account {}, {polled}", source.user_id.as_deref().unwrap_or("(not set)"))
        }
        Mode::Stream => format!("X's filtered stream for {query}"),
    }
}

/// The maximum cost of the sources.
pub(super) fn describe_cost(config: &Config) -> Vec<String> {
    if !config.sources.iter().any(|source| matches!(source, SourceConfig::Twitter(_))) {
        return vec!["nothing".into()];
    }
    let budget = &config.x.budget;
    let limits: Vec<String> = [
        budget.dollars_per_day.map(|dollars| format!("${dollars:.2} per day")),
        budget.dollars_per_month.map(|dollars| format!("${dollars:.2} per month")),
        budget.posts_per_day.map(|posts| format!("{posts} posts per day")),
        budget.posts_per_month.map(|posts| format!("{posts} posts per month")),
    ]
    .into_iter()
    .flatten()
    .collect();
    let price = format!("at ${} per post and ${} per mention", budget.price_per_post, budget.price_per_mention);
    let most = if limits.is_empty() {
        "no limit: set x.budget".to_owned()
    } else {
        format!("at most {}; alert at 80%, stop at 100%", limits.join(", "))
    };
    vec![most, price]
}

/// Receivers with their types, and the routes that lead to them.
pub(super) fn describe_receivers(config: &Config) -> Vec<String> {
    let routing = config.routing();
    let mut lines: Vec<String> = routing
        .receivers
        .iter()
        .map(|receiver| format!("{} ({})", receiver.name, receiver.integration.kind()))
        .collect();
    for route in &routing.routes {
        let matchers: Vec<String> = route.matchers.iter().map(ToString::to_string).collect();
        let when = if matchers.is_empty() { "all alerts".to_owned() } else { matchers.join(", ") };
        let hours: Vec<String> = route.active_times.iter().map(ToString::to_string).collect();
        let hours = if hours.is_empty() { String::new() } else { format!(", {} only", hours.join(" and ")) };
        let continues = if route.continue_matching { ", and continues" } else { "" };
        let escalates = route.escalate_to.as_ref().zip(route.escalate_after);
        let escalates =
            escalates.map(|(to, after)| format!(", after {after:#} unacknowledged {to}")).unwrap_or_default();
        lines.push(format!("{when} -> {}{hours}{escalates}{continues}", route.receivers.join(", ")));
    }
    let rest =
        if config.notify.receivers.is_empty() { "all receivers".into() } else { config.notify.receivers.join(", ") };
    lines.push(format!("{} -> {rest}", if routing.routes.is_empty() { "all alerts" } else { "other alerts" }));
    let times: Vec<String> = config.notify.digest.active_times.iter().map(ToString::to_string).collect();
    if !times.is_empty() {
        lines.push(format!("severity=info -> in a digest, {} only", times.join(" and ")));
    }
    for report in &config.reports {
        let next = report.next_due(jiff::Timestamp::now(), routing.zone());
        let next = next.map_or_else(String::new, |due| {
            format!(", next on {}", due.at.to_zoned_datetime(routing.zone().clone()).strftime("%Y-%m-%d at %H:%M"))
        });
        lines.push(format!("report {} -> {}{next}", report.name, report.receivers.join(", ")));
    }
    lines
}

/// Where telemetry is sent, and what of it.
pub(super) fn describe_telemetry(config: &Config) -> String {
    let telemetry = &config.telemetry;
    let Some(endpoint) = &telemetry.endpoint else {
        return "off, unless OTEL_EXPORTER_OTLP_ENDPOINT is set".into();
    };
    let signals = [("logs", telemetry.logs), ("metrics", telemetry.metrics), ("traces", telemetry.traces)];
    let sent: Vec<&str> = signals.into_iter().filter_map(|(name, is_on)| is_on.then_some(name)).collect();
    let texts = match (telemetry.include_texts, telemetry.include_x_texts) {
        (false, _) => "without texts",
        (true, false) => "with texts, except those of X",
        (true, true) => "with texts, also of X",
    };
    format!("{endpoint}: {}; corrections {texts}", if sent.is_empty() { "nothing".into() } else { sent.join(", ") })
}

/// The receivers of an alert with `labels`, such as `severity=critical,topic=X`, at `now`.
pub(super) fn describe_route(config: &Config, labels: &str, now: jiff::Timestamp) -> anyhow::Result<String> {
    let pair = |pair: &str| {
        let (name, value) = pair
            .split_once('=')
            .with_context(|| format!("{pair:?} is not a label; expected e.g. severity=critical"))?;
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
