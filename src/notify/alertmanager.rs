//! Alertmanager, by its API v2: each alert of the incident is posted with its labels, so that Alertmanager's routes and
//! silences apply. Alertmanager drops alerts that are not resent: the dispatcher resends firing incidents every
//! `resend`, all due ones in one request.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::address::parse_public_url;
use super::context::{Context, HttpOptions, ReceiverError, Renderer, defaults};
use super::http::{Http, Request};
use super::{Kind, MessageForm, Notification, Notifier, NotifyError};
use crate::alert::Alert;
use crate::clock::Clock;
use crate::secret::{Secret, SecretKind};

/// A firing alert expires after so many missed resends, as with Prometheus.
const RESENDS_TO_LIVE: i32 = 4;
const PATH: [&str; 3] = ["api", "v2", "alerts"];

/// A `[[receiver]]` of `type = "alertmanager"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The base URL, such as `http://127.0.0.1:9093`.
    pub url: String,
    /// How often a firing alert is resent.
    #[serde(default = "resend", with = "crate::duration")]
    pub resend: SignedDuration,
    /// A file with a bearer token for a proxy; optional.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

fn resend() -> SignedDuration {
    SignedDuration::from_mins(1)
}

impl Config {
    fn http_options(&self) -> HttpOptions<'_> {
        HttpOptions { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = self.http_options().validate();
        problems.extend(parse_public_url(&self.url, self.insecure).err().map(|error| format!("url {error}")));
        if self.resend < SignedDuration::from_secs(5) || self.resend > SignedDuration::from_hours(1) {
            problems.push(format!("resend is {:#}: expected 5s to 1h", self.resend));
        }
        problems
    }
}

/// See the module.
pub(super) struct Alertmanager {
    http: Http,
    url: Url,
    token: Option<Secret>,
    resend: SignedDuration,
    renderer: Renderer,
    clock: Clock,
}

impl Alertmanager {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let url = parse_public_url(&config.url, config.insecure);
        let mut url = url.map_err(|error| context.unusable(format!("url {error}")))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(PATH);
        }
        let token = context.optional_secret("bearer token", "token", SecretKind::Token, config.token_file.as_ref())?;
        let http = context.http(&url, &config.http_options(), &token.iter().collect::<Vec<_>>())?;
        Ok(Self { http, url, token, resend: config.resend, renderer: context.renderer(), clock: context.clock.clone() })
    }
}

impl Notifier for Alertmanager {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        self.notify_batch(std::slice::from_ref(notification))
    }

    fn notify_batch(&mut self, batch: &[Notification]) -> Result<(), NotifyError> {
        let Some(first) = batch.first() else { return Ok(()) };
        let rendered: Vec<_> = batch.iter().map(|notification| self.renderer.render(notification)).collect();
        let mut postable = Vec::new();
        for (notification, message) in batch.iter().zip(&rendered) {
            // With many incidents the rate limit decides how long a repetition takes.
            let resend = notification.resent_within.unwrap_or(self.resend).max(self.resend);
            let alive_until = (self.clock)().checked_add(resend * RESENDS_TO_LIVE).unwrap_or(Timestamp::MAX);
            let postable_alert =
                |alert| PostableAlert::new(alert, notification, &message.summary, alive_until, message.url.as_deref());
            postable.extend(notification.alerts.iter().map(postable_alert));
        }
        let body = serde_json::to_vec(&postable).unwrap_or_default();
        let mut request = Request::json(&self.url, body).header("idempotency-key", &first.key);
        if let Some(token) = &self.token {
            request = request.bearer(token);
        }
        self.http.send(request, first).map(|_| ())
    }
}

/// `postableAlert` of the API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PostableAlert<'a> {
    labels: BTreeMap<String, &'a str>,
    annotations: BTreeMap<String, &'a str>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<&'a str>,
}

impl<'a> PostableAlert<'a> {
    fn new(
        alert: &'a Alert,
        notification: &'a Notification,
        summary: &'a str,
        alive_until: Timestamp,
        url: Option<&'a str>,
    ) -> Self {
        let mut labels = sanitize_names(&alert.labels);
        labels.entry("alertname".into()).or_insert(&alert.rule);
        if notification.kind == Kind::Test {
            labels.insert("test".into(), "true");
        }
        // What a smaller form leaves out: templates and texts.
        let mut annotations = match notification.form {
            MessageForm::Full => sanitize_names(&alert.annotations),
            MessageForm::Short | MessageForm::Plain => BTreeMap::new(),
        };
        annotations.entry("summary".into()).or_insert(summary);
        annotations.insert("incident".into(), &notification.incident.id);
        Self {
            labels,
            annotations,
            // As in Prometheus: when it fired, not when its condition began to hold.
            starts_at: alert.fired_at,
            // Alertmanager rejects an end before the start.
            ends_at: alert.ends_at.unwrap_or(alive_until).max(alert.fired_at),
            generator_url: url,
        }
    }
}

/// Replaces characters that Alertmanager rejects in names, and drops empty values, which it treats as absent.
fn sanitize_names(pairs: &BTreeMap<String, String>) -> BTreeMap<String, &str> {
    let known = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' };
    let name = |name: &str| {
        let name: String = name.chars().map(known).collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
    };
    let pairs = pairs.iter().filter(|(key, value)| !key.is_empty() && !value.is_empty());
    pairs.map(|(key, value)| (name(key), value.as_str())).collect()
}
