//! PagerDuty, by its Events API v2: an incident triggers, is acknowledged and resolves under its own id as `dedup_key`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::open_address;
use super::context::{Context, ReceiverError, Way, Words, defaults};
use super::http::{Http, Request};
use super::render::Message;
use super::{Kind, Notification, Notifier, NotifyError};
use crate::alert::Alert;
use crate::secret::{Form, Secret};

/// The longest summary that is taken, in characters.
const SUMMARY: usize = 1_024;

/// A `[[receiver]]` of `type = "pagerduty"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The service's integration key; else from the environment or a credential.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// `https://events.eu.pagerduty.com` for accounts in the EU.
    #[serde(default = "url")]
    pub url: String,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Plain http to another machine is meant so.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

fn url() -> String {
    "https://events.pagerduty.com".into()
}

impl Config {
    fn way(&self) -> Way<'_> {
        Way { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.way().faults();
        faults.extend(open_address(&self.url, self.insecure).err().map(|fault| format!("url {fault}")));
        faults
    }
}

/// See the module.
pub(super) struct PagerDuty {
    http: Http,
    url: Url,
    key: Secret,
    words: Words,
}

impl PagerDuty {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let url = open_address(&config.url, config.insecure);
        let mut url = url.map_err(|fault| context.unusable(format!("url {fault}")))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v2", "enqueue"]);
        }
        let key = context.secret("integration key", "key", Form::Token, config.key_file.as_ref())?;
        let http = context.http(&url, &config.way(), &[&key])?;
        Ok(Self { http, url, key, words: context.words() })
    }
}

impl Notifier for PagerDuty {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let event = Event::new(notification, &self.words.of(notification), &self.key);
        let body = serde_json::to_vec(&event).unwrap_or_default();
        let request = Request::json(&self.url, body).header("idempotency-key", &notification.key);
        self.http.send(request, notification).map(|_| ())
    }
}

#[derive(Serialize)]
struct Event<'a> {
    routing_key: &'a str,
    event_action: &'static str,
    dedup_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<Details>,
    client: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_url: Option<String>,
    links: Vec<Value>,
    images: Vec<Value>,
}

#[derive(Serialize)]
struct Details {
    summary: String,
    source: String,
    severity: &'static str,
    timestamp: Timestamp,
    component: Option<String>,
    group: Option<String>,
    class: Option<String>,
    custom_details: BTreeMap<&'static str, Value>,
}

impl<'a> Event<'a> {
    fn new(notification: &'a Notification, message: &Message, key: &'a Secret) -> Self {
        let Notification { incident, acknowledged, .. } = notification;
        let event_action = match (incident.ended_at, acknowledged) {
            (Some(_), _) => "resolve",
            (None, Some(_)) => "acknowledge",
            (None, None) => "trigger",
        };
        let link = |href: &String| json!({ "href": href, "text": message.subject });
        Self {
            routing_key: key.expose(),
            event_action,
            dedup_key: &incident.id,
            payload: (event_action == "trigger").then(|| details(notification, message)),
            client: "vigie",
            client_url: notification.console.clone(),
            links: message.url.iter().map(link).collect(),
            images: Vec::new(),
        }
    }
}

fn details(notification: &Notification, message: &Message) -> Details {
    let Notification { alerts, incident, at, key, .. } = notification;
    let worst = alerts.first();
    let mut custom_details = BTreeMap::from([
        ("key", json!(key)),
        ("incident", json!(incident.id)),
        ("since", json!(incident.started_at)),
        ("alerts", json!(alerts.iter().map(|alert| &alert.rule).collect::<Vec<_>>())),
    ]);
    if let Some(Alert { latest, story, explanation, .. }) = worst {
        custom_details.extend([
            ("posts", json!(latest.posts)),
            ("negative", json!(latest.negative)),
            ("rate", json!(latest.rate)),
            ("normal", json!(latest.normal.map(|normal| normal.value))),
            ("reach", json!(story.reach)),
            ("reasons", json!(story.reasons.iter().map(|reason| &reason.reason).collect::<Vec<_>>())),
            ("why", json!(explanation.numbers.iter().cloned().collect::<BTreeMap<_, _>>())),
        ]);
    }
    Details {
        summary: message.summary.chars().take(SUMMARY).collect(),
        source: worst.map_or_else(|| "vigie".to_owned(), |alert| alert.topic.clone()),
        severity: severity(notification),
        timestamp: *at,
        component: worst.and_then(|alert| alert.labels.get("component").cloned()),
        group: notification.group.get("topic").cloned(),
        class: worst.map(|alert| alert.rule.clone()),
        custom_details,
    }
}

/// The label `severity` in PagerDuty's words; a test wakes nobody.
fn severity(notification: &Notification) -> &'static str {
    if notification.kind == Kind::Test {
        return "info";
    }
    let severity = notification.alerts.first().and_then(|alert| alert.labels.get("severity"));
    match severity.map(|severity| severity.to_ascii_lowercase()).as_deref() {
        Some("critical" | "page" | "emergency" | "fatal") => "critical",
        Some("error" | "major") => "error",
        Some("info" | "notice" | "none") => "info",
        _ => "warning",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample::{SampleKind, sample};

    #[test]
    fn severities_are_put_into_pagerdutys_words() {
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        let mut told = sample("duty", SampleKind::Opened, now, None);
        assert_eq!(severity(&told), "info");
        told.kind = Kind::Opened;
        for (label, wanted) in
            [("critical", "critical"), ("Page", "critical"), ("error", "error"), ("info", "info"), ("odd", "warning")]
        {
            told.alerts[0].labels.insert("severity".into(), label.into());
            assert_eq!(severity(&told), wanted, "{label}");
        }
        told.alerts.clear();
        assert_eq!(severity(&told), "warning");
    }
}
