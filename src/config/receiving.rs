//! What is wrong with receivers, routes and what holds for all of them.

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::assemble::{Assembled, Item};
use super::checks::{at, locate};
use super::fault::Fault;
use super::words::wanted;
use crate::notify::Route;

/// Lengths of time longer than this were not meant.
const LONGEST: SignedDuration = SignedDuration::from_hours(31 * 24);

pub(super) fn faults(assembled: &Assembled<'_>) -> Vec<Fault> {
    let notify = &assembled.config.notify;
    let mut told = Vec::new();
    if TimeZone::get(&notify.time_zone).is_err() {
        told.push(format!(
            "notify.time_zone: there is no time zone {:?}; wanted such as \"Europe/Paris\"",
            notify.time_zone
        ));
    }
    let console = notify.console.as_deref().unwrap_or("https://");
    if !(console.starts_with("https://") || console.starts_with("http://")) {
        told.push(format!("notify.console is {console:?}: wanted an address such as \"https://vigie.example.com\""));
    }
    let paces = [
        ("group_wait", notify.group_wait, SignedDuration::ZERO),
        ("group_interval", notify.group_interval, SignedDuration::from_secs(1)),
        ("repeat_interval", notify.repeat_interval, SignedDuration::from_mins(1)),
        ("give_up_after", notify.give_up_after, SignedDuration::from_mins(1)),
    ];
    told.extend(paces.into_iter().filter_map(|(key, value, least)| length(&format!("notify.{key}"), value, least)));
    let known: Vec<String> = match assembled.receivers.is_empty() {
        true => vec!["log".into()],
        false => assembled.receivers.iter().map(|receiver| receiver.value.name.clone()).collect(),
    };
    told.extend(
        notify.receivers.iter().filter_map(|name| Some(format!("notify.receivers: {}", stranger(name, &known)?))),
    );
    let mut faults: Vec<Fault> = told.iter().map(|what| locate(assembled.tree, "", what)).collect();
    for (number, route) in assembled.routes.iter().enumerate() {
        faults.extend(route_faults(route, &known));
        let before = assembled.routes.iter().take(number).find(|before| takes_all(&before.value));
        if let Some(before) = before {
            let what = format!(
                "nothing comes here: {} before it takes every alert; give that one matchers or continue = true",
                before.name
            );
            faults.push(Fault::new(&route.node.at, route.name.clone(), what));
        }
    }
    faults
}

/// Whether no alert passes it.
fn takes_all(route: &Route) -> bool {
    let always = route.outside == crate::notify::Outside::Wait;
    route.matchers.is_empty() && !route.goes_on && always
}

fn route_faults(route: &Item<'_, Route>, known: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |key: &str, what: String| faults.push(at(route.node, &route.name, key, what));
    let value = &route.value;
    if value.receivers.is_empty() {
        fault("receivers", "nobody is named; wanted such as [\"crisis-team\"]".into());
    }
    for name in &value.receivers {
        stranger(name, known).into_iter().for_each(|what| fault("receivers", what));
    }
    if let Some(to) = &value.escalate_to {
        stranger(to, known).into_iter().for_each(|what| fault("escalate_to", what));
    }
    match (&value.escalate_to, value.escalate_after) {
        (Some(_), None) => fault("escalate_after", "missing beside escalate_to; wanted such as \"30m\"".into()),
        (None, Some(_)) => fault("escalate_to", "missing beside escalate_after; wanted the name of a receiver".into()),
        _ => {}
    }
    let paces = [
        ("group_wait", value.group_wait, SignedDuration::ZERO),
        ("group_interval", value.group_interval, SignedDuration::from_secs(1)),
        ("repeat_interval", value.repeat_interval, SignedDuration::from_mins(1)),
        ("escalate_after", value.escalate_after, SignedDuration::from_secs(1)),
    ];
    for (key, value, least) in paces {
        value.and_then(|value| length(key, value, least)).into_iter().for_each(|what| fault(key, what));
    }
    faults
}

fn stranger(name: &str, known: &[String]) -> Option<String> {
    (!known.iter().any(|known| known == name))
        .then(|| format!("there is no receiver {name:?}; {}", wanted(name, known)))
}

fn length(key: &str, value: SignedDuration, least: SignedDuration) -> Option<String> {
    (value < least || value > LONGEST).then(|| format!("{key} is {value:#}: wanted from {least:#} to {LONGEST:#}"))
}
