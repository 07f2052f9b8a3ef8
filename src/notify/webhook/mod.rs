//! The generic webhook: posts the notification as signed JSON.

mod payload;
mod signature;

use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::address::parse_public_url;
use super::context::{Context, HttpOptions, ReceiverError, Renderer, defaults};
use super::http::{Http, Request};
use super::{Notification, Notifier, NotifyError};
use crate::clock::Clock;
use crate::secret::SecretKind;
pub(super) use payload::{Payload, status};
use signature::Key;

/// A `[[receiver]]` of `type = "webhook"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The URL. One that is a secret comes from `url_file`, the environment or a credential instead.
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Whether requests are signed, with the key from `secret_file`, the environment or a credential.
    #[serde(default = "signed")]
    pub sign: bool,
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

fn signed() -> bool {
    true
}

impl Config {
    fn http_options(&self) -> HttpOptions<'_> {
        HttpOptions { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        let mut problems = self.http_options().validate();
        if let Some(url) = &self.url {
            problems.extend(parse_public_url(url, self.insecure).err().map(|error| format!("url {error}")));
        }
        if self.url.is_some() && self.url_file.is_some() {
            problems.push("url_file: set either url or url_file, not both".into());
        }
        if !self.sign && self.secret_file.is_some() {
            problems.push("secret_file: unused with sign = false".into());
        }
        problems
    }
}

/// See the module.
pub(super) struct Webhook {
    http: Http,
    url: Url,
    key: Option<Key>,
    renderer: Renderer,
    clock: Clock,
}

impl Webhook {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let (url, address) = match &config.url {
            Some(url) => {
                let url = parse_public_url(url, config.insecure);
                (url.map_err(|error| context.unusable(format!("url {error}")))?, None)
            }
            None => {
                let found = context.secret_address("webhook URL", config.url_file.as_ref(), config.insecure)?;
                (found.0, Some(found.1))
            }
        };
        let secret = match config.sign {
            true => Some(context.secret("signing key", "secret", SecretKind::Token, config.secret_file.as_ref())?),
            false => None,
        };
        let key = secret.as_ref().map(Key::new).transpose();
        let key = key.map_err(|error| context.unusable(format!("the signing key {error}")))?;
        let secrets: Vec<_> = address.iter().chain(&secret).collect();
        let http = context.http(&url, &config.http_options(), &secrets)?;
        Ok(Self { http, url, key, renderer: context.renderer(), clock: context.clock.clone() })
    }
}

impl Notifier for Webhook {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let body = Payload::new(notification, &self.renderer.render(notification)).to_json();
        let (id, timestamp) = (&notification.key, (self.clock)().as_second());
        let signature = self.key.as_ref().map(|key| key.sign(id, timestamp, &body));
        let mut request =
            Request::json(&self.url, body).header("webhook-id", id).header("webhook-timestamp", &timestamp.to_string());
        if let Some(signature) = signature {
            request = request.header("webhook-signature", &signature);
        }
        self.http.send(request, notification).map(|_| ())
    }
}
