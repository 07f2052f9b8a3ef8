//! PagerDuty, by its Events API v2: an incident is triggered, acknowledged and resolved with its id as `dedup_key`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::address::parse_public_url;
use super::context::{Context, HttpOptions, ReceiverError, Renderer, defaults};
use super::http::{Http, Request};
use super::render::Message;
use super::{Kind, MessageForm, Notification, Notifier, NotifyError};
use crate::alert::Alert;
use crate::secret::{Secret, SecretKind};

/// The longest summary that PagerDuty accepts, in characters.
const MAX_SUMMARY: usize = 1_024;
/// The longest source.
const MAX_SOURCE: usize = 255;

/// A `[[receiver]]` of `type = "pagerduty"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file with the service's integration key; else the key comes from the environment or a credential.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// `https://events.eu.pagerduty.com` for accounts in the EU.
    #[serde(default = "url")]
    pub url: String,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

fn url() -> String {
    "https://events.pagerduty.com".into()
}

impl Config {
    fn http_options(&self) -> HttpOptions<'_> {
        HttpOptions { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = self.http_options().validate();
        problems.extend(parse_public_url(&self.url, self.insecure).err().map(|error| format!("url {error}")));
        problems
    }
}

/// See the module.
pub(super) struct PagerDuty {
    http: Http,
    url: Url,
    key: Secret,
    renderer: Renderer,
}

impl PagerDuty {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let url = parse_public_url(&config.url, config.insecure);
        let mut url = url.map_err(|error| context.unusable(format!("url {error}")))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["v2", "enqueue"]);
        }
        let key = context.secret("integration key", "key", SecretKind::Token, config.key_file.as_ref())?;
        let http = context.http(&url, &config.http_options(), &[&key])?;
        Ok(Self { http, url, key, renderer: context.renderer() })
    }
}

impl Notifier for PagerDuty {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let event = Event::new(notification, &self.renderer.render(notification), &self.key);
        let body = serde_json::to_vec(&event).unwrap_or_default();
        let request = Request::json(&self.url, body).header("idempotency-key", &notification.key);
        self.http.send(request, notification).map(|_| ()).map_err(|error| match error {
            // PagerDuty answers 400 to a wrong key as well as to a wrong event.
            NotifyError::Rejected { reason } if reason.to_lowercase().contains("routing key") => {
                NotifyError::Permanent { reason: format!("{reason}; check the integration key") }
            }
            error => error,
        })
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
    // What a shorter form leaves out.
    let numbers = worst.filter(|_| notification.form == MessageForm::Full);
    if let Some(Alert { latest, context, explanation, .. }) = numbers {
        custom_details.extend([
            ("posts", json!(latest.posts)),
            ("negative", json!(latest.negative)),
            ("rate", json!(latest.rate)),
            ("normal", json!(latest.normal.map(|normal| normal.value))),
            ("reach", json!(context.reach)),
            ("reasons", json!(context.reasons.iter().map(|reason| &reason.reason).collect::<Vec<_>>())),
            ("why", json!(explanation.numbers.iter().cloned().collect::<BTreeMap<_, _>>())),
        ]);
    }
    Details {
        summary: required(&message.summary, MAX_SUMMARY, "vigie reports an incident"),
        // PagerDuty refuses an event without a source, and an alert about vigie itself has no topic.
        source: required(worst.map_or("", |alert| alert.topic.as_str()), MAX_SOURCE, "vigie"),
        severity: severity(notification),
        timestamp: *at,
        component: worst.and_then(|alert| alert.labels.get("component").cloned()),
        group: notification.group.get("topic").cloned(),
        class: worst.map(|alert| alert.rule.clone()),
        custom_details,
    }
}

/// `text` in at most `most` characters, or `fallback` where it is blank: PagerDuty refuses blank fields.
fn required(text: &str, most: usize, fallback: &str) -> String {
    let text = text.trim();
    if text.is_empty() { fallback.to_owned() } else { text.chars().take(most).collect() }
}

/// The label `severity` in PagerDuty's terms; a test must wake nobody.
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
        let mut notification = sample("duty", SampleKind::Opened, now, None);
        assert_eq!(severity(&notification), "info");
        notification.kind = Kind::Opened;
        for (label, expected) in
            [("critical", "critical"), ("Page", "critical"), ("error", "error"), ("info", "info"), ("odd", "warning")]
        {
            notification.alerts[0].labels.insert("severity".into(), label.into());
            assert_eq!(severity(&notification), expected, "{label}");
        }
        notification.alerts.clear();
        assert_eq!(severity(&notification), "warning");
    }
}
