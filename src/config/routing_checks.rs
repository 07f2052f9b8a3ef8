//! Validation of `[notify]`, receivers and routes.

use std::collections::HashSet;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::assemble::{Assembled, ListEntry};
use super::checks::{at, locate};
use super::problem::ConfigProblem;
use super::serde_message::suggestion;
use crate::notify::{IntegrationConfig, Route};

/// Longer durations are considered errors.
const MAX_LENGTH: SignedDuration = SignedDuration::from_hours(31 * 24);

pub(super) fn problems(assembled: &Assembled<'_>) -> Vec<ConfigProblem> {
    let notify = &assembled.config.notify;
    let mut messages = Vec::new();
    if TimeZone::get(&notify.time_zone).is_err() {
        messages.push(format!(
            "notify.time_zone: unknown time zone {:?}; expected e.g. \"Europe/Paris\"",
            notify.time_zone
        ));
    }
    let console = notify.console.as_deref().unwrap_or("https://");
    if !(console.starts_with("https://") || console.starts_with("http://")) {
        messages.push(format!(
            "notify.console: {console:?} is not valid; expected a URL, e.g. \"https://vigie.example.com\""
        ));
    }
    let paces = [
        ("group_wait", notify.group_wait, SignedDuration::ZERO),
        ("group_interval", notify.group_interval, SignedDuration::from_secs(1)),
        ("repeat_interval", notify.repeat_interval, SignedDuration::from_mins(1)),
        ("reopen_within", notify.reopen_within, SignedDuration::ZERO),
        ("give_up_after", notify.give_up_after, SignedDuration::from_mins(1)),
        ("digest.group_interval", notify.digest.group_interval, SignedDuration::from_secs(1)),
        ("digest.repeat_interval", notify.digest.repeat_interval, SignedDuration::from_mins(1)),
    ];
    messages.extend(paces.into_iter().filter_map(|(key, value, least)| length(&format!("notify.{key}"), value, least)));
    let known: Vec<String> = match assembled.receivers.is_empty() {
        true => vec!["log".into()],
        false => assembled.receivers.iter().map(|receiver| receiver.value.name.clone()).collect(),
    };
    messages.extend(
        notify
            .receivers
            .iter()
            .filter_map(|name| Some(format!("notify.receivers: {}", unknown_receiver(name, &known)?))),
    );
    let mut problems: Vec<ConfigProblem> = messages.iter().map(|message| locate(assembled.tree, "", message)).collect();
    for (number, route) in assembled.routes.iter().enumerate() {
        problems.extend(check_route(route, &known));
        let before = assembled.routes.iter().take(number).find(|before| matches_all(&before.value));
        if let Some(before) = before {
            let message = format!(
                "unreachable route: {} before it matches every alert; add matchers or continue = true to that one",
                before.name
            );
            problems.push(ConfigProblem::new(&route.node.at, route.name.clone(), message));
        }
    }
    problems.extend(check_reports(assembled, &known));
    problems
}

fn check_reports(assembled: &Assembled<'_>, known: &[String]) -> Vec<ConfigProblem> {
    let (mut problems, mut names) = (Vec::new(), HashSet::new());
    let routing = assembled.config.routing();
    for report in &assembled.reports {
        let value = &report.value;
        problems.extend(value.validate().iter().map(|message| locate(report.node, &report.name, message)));
        let mut problem = |key: &str, message: String| problems.push(at(report.node, &report.name, key, message));
        if report.is_named && !names.insert(&value.name) {
            problem("name", format!("duplicate report name {:?}; what was sent is stored by name", value.name));
        }
        for name in &value.receivers {
            unknown_receiver(name, known).into_iter().for_each(|message| problem("receivers", message));
            let receiver = routing.receiver(name).map(|receiver| &receiver.integration);
            if let Some(kind) = receiver.filter(|kind| !kind.takes_reports()).map(IntegrationConfig::kind) {
                problem(
                    "receivers",
                    format!("receiver {name:?} of type \"{kind}\" takes no reports; name one of type email or teams"),
                );
            }
        }
    }
    problems
}

/// Whether no alert continues after this route.
fn matches_all(route: &Route) -> bool {
    let always = route.off_hours == crate::notify::OffHours::Hold;
    route.matchers.is_empty() && !route.continue_matching && always
}

fn check_route(route: &ListEntry<'_, Route>, known: &[String]) -> Vec<ConfigProblem> {
    let mut problems = Vec::new();
    let mut problem = |key: &str, message: String| problems.push(at(route.node, &route.name, key, message));
    let value = &route.value;
    if value.receivers.is_empty() {
        problem("receivers", "it is empty; expected e.g. [\"crisis-team\"]".into());
    }
    for name in &value.receivers {
        unknown_receiver(name, known).into_iter().for_each(|message| problem("receivers", message));
    }
    if let Some(to) = &value.escalate_to {
        unknown_receiver(to, known).into_iter().for_each(|message| problem("escalate_to", message));
    }
    match (&value.escalate_to, value.escalate_after) {
        (Some(_), None) => {
            problem("escalate_after", "missing, required with escalate_to; expected e.g. \"30m\"".into());
        }
        (None, Some(_)) => {
            problem("escalate_to", "missing, required with escalate_after; expected the name of a receiver".into());
        }
        _ => {}
    }
    let paces = [
        ("group_wait", value.group_wait, SignedDuration::ZERO),
        ("group_interval", value.group_interval, SignedDuration::from_secs(1)),
        ("repeat_interval", value.repeat_interval, SignedDuration::from_mins(1)),
        ("escalate_after", value.escalate_after, SignedDuration::from_secs(1)),
    ];
    for (key, value, least) in paces {
        value.and_then(|value| length(key, value, least)).into_iter().for_each(|message| problem(key, message));
    }
    problems
}

fn unknown_receiver(name: &str, known: &[String]) -> Option<String> {
    (!known.iter().any(|known| known == name))
        .then(|| format!("unknown receiver {name:?}; {}", suggestion(name, known)))
}

fn length(key: &str, value: SignedDuration, least: SignedDuration) -> Option<String> {
    (value < least || value > MAX_LENGTH)
        .then(|| format!("{key}: {value:#} is not valid; expected {least:#} to {MAX_LENGTH:#}"))
}
