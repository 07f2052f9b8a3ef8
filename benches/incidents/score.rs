//! Scores alerts against the truth.

use jiff::{SignedDuration, Timestamp};
use vigie::alert::Alert;

use crate::hours::Hours;
use crate::truth::{Incident, Severity};

/// An alert may begin this long before an incident does: the first hour of an incident is not known to the minute.
const EARLY: SignedDuration = SignedDuration::from_hours(2);
/// What begins again within this time is the same incident (`notify.reopen_within`).
const REOPEN: SignedDuration = SignedDuration::from_hours(12);
/// Reminders while an alert fires (`notify.repeat_interval`).
const REPEAT: SignedDuration = SignedDuration::from_hours(12);

/// The results of one set of rules.
pub(crate) struct Score {
    incidents: usize,
    /// Of the incidents that were found, shortest first.
    delays: Vec<SignedDuration>,
    /// Alerts where nothing happened.
    false_alarms: usize,
    /// Ends of an alert more than an hour before the end of its incident.
    wrong_ends: usize,
    /// Times that alerts stayed open after the true end, shortest first.
    open_after: Vec<SignedDuration>,
    reopenings: usize,
    /// Notifications for each incident of the rules and day that it was open.
    notifications: f64,
}

impl Score {
    pub(crate) fn of(truth: &[Incident], fired: &[Alert], end: Timestamp) -> Self {
        let fired: Vec<&Alert> = fired.iter().filter(|alert| is_about_people(alert)).collect();
        let warnings: Vec<&Incident> = truth.iter().filter(|it| it.severity == Severity::Warning).collect();
        let mut delays = Vec::new();
        let mut open_after = Vec::new();
        for incident in &warnings {
            let found = fired.iter().filter(|alert| concerns(alert, incident, end));
            if let Some(first) = found.clone().map(|alert| alert.fired_at).min() {
                delays.push(first.duration_since(incident.begins).max(SignedDuration::ZERO));
            }
            let last = found.map(|alert| alert.ends_at.unwrap_or(end)).max();
            open_after.extend(last.map(|last| last.duration_since(incident.ends).max(SignedDuration::ZERO)));
        }
        delays.sort_unstable();
        open_after.sort_unstable();
        let is_false = |alert: &&&Alert| !truth.iter().any(|incident| concerns(alert, incident, end));
        let ends_early = |alert: &&&Alert| {
            let hour = SignedDuration::from_hours(1);
            alert.ends_at.is_some_and(|at| warnings.iter().any(|it| concerns(alert, it, end) && at + hour < it.ends))
        };
        let reopens = |alert: &&&Alert| {
            let before = |other: &&&Alert| {
                let since = other.ends_at.map(|ended| alert.fired_at.duration_since(ended));
                other.topic == alert.topic && since.is_some_and(|since| !since.is_negative() && since < REOPEN)
            };
            fired.iter().any(|other| before(&other))
        };
        let days: f64 = fired.iter().map(|alert| open(alert, end).as_secs_f64() / 86_400.0).sum();
        let sent: f64 = fired.iter().map(|alert| notifications(alert, end)).sum();
        Self {
            incidents: warnings.len(),
            delays,
            false_alarms: fired.iter().filter(is_false).count(),
            wrong_ends: fired.iter().filter(ends_early).count(),
            open_after,
            reopenings: fired.iter().filter(reopens).count(),
            notifications: if fired.is_empty() { 0.0 } else { sent / days.max(fired.len() as f64) },
        }
    }

    pub(crate) fn print(&self, name: &str) {
        // Few enough to be listed: a median of four would hide the worst.
        let list = |times: &[SignedDuration]| times.iter().map(minutes).collect::<Vec<_>>().join(", ");
        println!(
            "| {name} | {} of {} | {} | {} | {} | {} | {} | {:.1} |",
            self.delays.len(),
            self.incidents,
            list(&self.delays),
            self.false_alarms,
            self.wrong_ends,
            list(&self.open_after),
            self.reopenings,
            self.notifications,
        );
    }
}

pub(crate) fn print_head() {
    println!(
        "| rules | found | delays, min | false | ended early | open after the end, min | reopened | messages a day |"
    );
    println!("|---|---|---|--:|--:|---|--:|--:|");
}

/// Each alert with what it is about.
pub(crate) fn print_alerts(truth: &[Incident], fired: &[Alert], end: Timestamp) {
    println!();
    for alert in fired.iter().filter(|alert| is_about_people(alert)) {
        let about = truth.iter().find(|incident| concerns(alert, incident, end));
        let verdict =
            about.map_or("FALSE".into(), |it| format!("{:?} {} to {}", it.severity, hour(it.begins), hour(it.ends)));
        let ended = alert.ends_at.map_or("still firing".into(), hour);
        println!("- {} {} to {ended}: {verdict}", alert.topic, hour(alert.fired_at));
    }
}

/// Whether the alert is about posts, and not about their absence or about vigie, and more than information.
fn is_about_people(alert: &Alert) -> bool {
    !alert.topic.is_empty() && alert.rule != "NoPosts" && !is_info(alert)
}

fn is_info(alert: &Alert) -> bool {
    alert.labels.get("severity").is_some_and(|severity| severity == "info")
}

/// Alerts that are only information, each with the people of its busiest hour, and of the same hour of the other days.
pub(crate) fn print_crowds(hours: &Hours, fired: &[Alert], end: Timestamp) {
    for alert in fired.iter().filter(|alert| is_info(alert)) {
        let over = alert.ends_at.unwrap_or(end);
        let (at, (posts, people)) = hours.busiest(&alert.topic, alert.starts_at - SignedDuration::from_hours(1), over);
        let usual: Vec<String> =
            hours.other_days(&alert.topic, at).map(|(posts, people)| format!("{posts} by {people}")).collect();
        let (fired, ended) = (hour(alert.fired_at), alert.ends_at.map_or("still firing".into(), hour));
        println!(
            "- {} ({}) {fired} to {ended}: {posts} posts by {people} people in the hour of {}; the same hour of other days: {}",
            alert.topic,
            alert.rule,
            hour(at),
            usual.join(", "),
        );
    }
}

fn concerns(alert: &Alert, incident: &Incident, end: Timestamp) -> bool {
    let (fired, over) = (alert.fired_at, alert.ends_at.unwrap_or(end));
    alert.topic == incident.topic && fired < incident.ends && over > incident.begins && fired >= incident.begins - EARLY
}

fn open(alert: &Alert, end: Timestamp) -> SignedDuration {
    alert.ends_at.unwrap_or(end).duration_since(alert.fired_at)
}

/// The first message, the last, and reminders between them.
fn notifications(alert: &Alert, end: Timestamp) -> f64 {
    1.0 + f64::from(u8::from(alert.ends_at.is_some())) + (open(alert, end).as_secs_f64() / REPEAT.as_secs_f64()).floor()
}

fn minutes(time: &SignedDuration) -> String {
    (time.as_secs() / 60).to_string()
}

fn hour(time: Timestamp) -> String {
    time.strftime("%d %b %H:%M").to_string()
}
