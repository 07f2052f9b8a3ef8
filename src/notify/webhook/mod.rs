//! The generic webhook: the notification as JSON, signed, for programs of one's own.

mod payload;
mod signature;

use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::address::open_address;
use super::context::{Context, ReceiverError, Way, Words, defaults};
use super::http::{Http, Request};
use super::{Notification, Notifier, NotifyError};
use crate::clock::Clock;
use crate::secret::Form;
pub(super) use payload::{Payload, status};
use signature::Key;

/// A `[[receiver]]` of `type = "webhook"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to; one that is a secret itself comes from `url_file`, the environment or a credential instead.
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    /// Whether each request is signed, with the key of `secret_file`, the environment or a credential.
    #[serde(default = "signed")]
    pub sign: bool,
    #[serde(default)]
    pub secret_file: Option<PathBuf>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Plain http to another machine is meant so.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

fn signed() -> bool {
    true
}

impl Config {
    fn way(&self) -> Way<'_> {
        Way { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.way().faults();
        if let Some(url) = &self.url {
            faults.extend(open_address(url, self.insecure).err().map(|fault| format!("url {fault}")));
        }
        if self.url.is_some() && self.url_file.is_some() {
            faults.push("url_file: there is a url beside it, and only one of them can be".into());
        }
        if !self.sign && self.secret_file.is_some() {
            faults.push("secret_file: with sign = false nothing is signed".into());
        }
        faults
    }
}

/// See the module.
pub(super) struct Webhook {
    http: Http,
    url: Url,
    key: Option<Key>,
    words: Words,
    clock: Clock,
}

impl Webhook {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let (url, address) = match &config.url {
            Some(url) => {
                let url = open_address(url, config.insecure);
                (url.map_err(|fault| context.unusable(format!("url {fault}")))?, None)
            }
            None => {
                let found = context.secret_address("webhook address", config.url_file.as_ref(), config.insecure)?;
                (found.0, Some(found.1))
            }
        };
        let secret = match config.sign {
            true => Some(context.secret("signing key", "secret", Form::Token, config.secret_file.as_ref())?),
            false => None,
        };
        let key = secret.as_ref().map(Key::new).transpose();
        let key = key.map_err(|fault| context.unusable(format!("the signing key {fault}")))?;
        let secrets: Vec<_> = address.iter().chain(&secret).collect();
        let http = context.http(&url, &config.way(), &secrets)?;
        Ok(Self { http, url, key, words: context.words(), clock: context.clock.clone() })
    }
}

impl Notifier for Webhook {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let body = Payload::new(notification, &self.words.of(notification)).to_json();
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
