//! Alertmanager, by its API v2: each alert of the incident as an alert of its own, with its labels, so that Alertmanager's
//! routes and silences apply. It forgets what is not said again: the dispatcher sends a firing incident every `resend`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::address::open_address;
use super::context::{Context, ReceiverError, Way, Words, defaults};
use super::http::{Http, Request};
use super::{Kind, Notification, Notifier, NotifyError};
use crate::alert::Alert;
use crate::clock::Clock;
use crate::secret::{Form, Secret};

/// A firing alert is over when it was not said again for so many times `resend`, as with Prometheus.
const RESENDS_TO_LIVE: i32 = 4;
const PATH: [&str; 3] = ["api", "v2", "alerts"];

/// A `[[receiver]]` of `type = "alertmanager"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Such as `http://127.0.0.1:9093`, without `/api/v2/alerts`.
    pub url: String,
    /// A firing alert is said again as often.
    #[serde(default = "resend")]
    pub resend: SignedDuration,
    /// A bearer token for the proxy before it; may be left out.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Plain http to another machine is meant so.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

fn resend() -> SignedDuration {
    SignedDuration::from_mins(1)
}

impl Config {
    fn way(&self) -> Way<'_> {
        Way { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.way().faults();
        faults.extend(open_address(&self.url, self.insecure).err().map(|fault| format!("url {fault}")));
        if self.resend < SignedDuration::from_secs(5) || self.resend > SignedDuration::from_hours(1) {
            faults.push(format!("resend is {:#}: wanted from 5s to 1h", self.resend));
        }
        faults
    }
}

/// See the module.
pub(super) struct Alertmanager {
    http: Http,
    url: Url,
    token: Option<Secret>,
    resend: SignedDuration,
    words: Words,
    clock: Clock,
}

impl Alertmanager {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let url = open_address(&config.url, config.insecure);
        let mut url = url.map_err(|fault| context.unusable(format!("url {fault}")))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(PATH);
        }
        let token = context.some_secret("bearer token", "token", Form::Token, config.token_file.as_ref())?;
        let http = context.http(&url, &config.way(), &token.iter().collect::<Vec<_>>())?;
        Ok(Self { http, url, token, resend: config.resend, words: context.words(), clock: context.clock.clone() })
    }
}

impl Notifier for Alertmanager {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.words.of(notification);
        let alive_until = (self.clock)().checked_add(self.resend * RESENDS_TO_LIVE).unwrap_or(Timestamp::MAX);
        let posted: Vec<Posted<'_>> = notification
            .alerts
            .iter()
            .map(|alert| Posted::new(alert, notification, &message.summary, alive_until, message.url.as_deref()))
            .collect();
        let body = serde_json::to_vec(&posted).unwrap_or_default();
        let mut request = Request::json(&self.url, body).header("idempotency-key", &notification.key);
        if let Some(token) = &self.token {
            request = request.bearer(token);
        }
        self.http.send(request, notification).map(|_| ())
    }
}

/// `postableAlert` of the API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Posted<'a> {
    labels: BTreeMap<String, &'a str>,
    annotations: BTreeMap<String, &'a str>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

impl<'a> Posted<'a> {
    fn new(
        alert: &'a Alert,
        notification: &'a Notification,
        summary: &'a str,
        alive_until: Timestamp,
        url: Option<&'a str>,
    ) -> Self {
        let mut labels = named(&alert.labels);
        labels.entry("alertname".into()).or_insert(&alert.rule);
        if notification.kind == Kind::Test {
            labels.insert("test".into(), "true");
        }
        let mut annotations = named(&alert.annotations);
        annotations.entry("summary".into()).or_insert(summary);
        annotations.insert("incident".into(), &notification.incident.id);
        Self {
            labels,
            annotations,
            // As Prometheus has it: not when the condition began to hold.
            starts_at: alert.fired_at,
            // An end before the start is refused.
            ends_at: alert.ends_at.unwrap_or(alive_until).max(alert.fired_at),
            generator_url: url,
        }
    }
}

/// Under names that Alertmanager takes, and without what is empty, which it takes for absent.
fn named(pairs: &BTreeMap<String, String>) -> BTreeMap<String, &str> {
    let known = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name = |name: &str| {
        let name: String = name.chars().map(known).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
    };
    let pairs = pairs.iter().filter(|(key, value)| !key.is_empty() && !value.is_empty());
    pairs.map(|(key, value)| (name(key), value.as_str())).collect()
}
