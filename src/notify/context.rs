//! [`Context`]: what every notifier is built from in addition to its own configuration; [`ReceiverError`]: why building
//! fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;

use super::Notification;
use super::address::parse_url;
use super::http::Http;
use super::render::{Message, Templates, render};
use crate::clock::Clock;
use crate::language::Language;
use crate::secret::{Secret, SecretError, SecretKind, SecretSpec};

/// What a notifier is built from, in addition to its own configuration.
pub struct Context<'a> {
    /// The receiver's name.
    pub receiver: &'a str,
    pub language: Language,
    pub templates: Arc<Templates>,
    /// For signatures and expiry times.
    pub clock: Clock,
    /// Reads an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a receiver cannot be built. One line that says what to do, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    #[error("receiver {name:?}: {cause}")]
    Secret { name: String, cause: SecretError },
    #[error("receiver {name:?}: {reason}")]
    InvalidConfig { name: String, reason: String },
}

/// The HTTP settings that integrations share.
pub(super) struct HttpOptions<'a> {
    pub(super) timeout: SignedDuration,
    pub(super) ca_file: Option<&'a Path>,
}

/// Renders notifications in one language.
#[derive(Clone)]
pub(super) struct Renderer {
    language: Language,
    templates: Arc<Templates>,
}

impl Renderer {
    pub(super) fn render(&self, notification: &Notification) -> Message {
        render(notification, self.language, &self.templates)
    }
}

impl Context<'_> {
    pub(super) fn renderer(&self) -> Renderer {
        Renderer { language: self.language, templates: self.templates.clone() }
    }

    pub(super) fn unusable(&self, reason: impl Into<String>) -> ReceiverError {
        ReceiverError::InvalidConfig { name: self.receiver.to_owned(), reason: reason.into() }
    }

    /// The secret `key` of this receiver: `url`, `token`, `password`, ...
    pub(super) fn secret(
        &self,
        what: &str,
        key: &str,
        kind: SecretKind,
        file: Option<&PathBuf>,
    ) -> Result<Secret, ReceiverError> {
        let lookup = secret_lookup(self.receiver, what, key, kind, file);
        Secret::load(&lookup, self.environment)
            .map_err(|cause| ReceiverError::Secret { name: self.receiver.to_owned(), cause })
    }

    /// Like [`Context::secret`], but the secret may be missing.
    pub(super) fn optional_secret(
        &self,
        what: &str,
        key: &str,
        kind: SecretKind,
        file: Option<&PathBuf>,
    ) -> Result<Option<Secret>, ReceiverError> {
        match self.secret(what, key, kind, file) {
            Err(ReceiverError::Secret { cause: SecretError::Missing(_), .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// A URL that is itself a secret.
    pub(super) fn secret_address(
        &self,
        what: &str,
        file: Option<&PathBuf>,
        insecure: bool,
    ) -> Result<(Url, Secret), ReceiverError> {
        let secret = self.secret(what, "url", SecretKind::Token, file)?;
        let url = parse_url(secret.expose(), insecure).map_err(|error| self.unusable(format!("the {what} {error}")))?;
        Ok((url, secret))
    }

    pub(super) fn http(
        &self,
        url: &Url,
        options: &HttpOptions<'_>,
        secrets: &[&Secret],
    ) -> Result<Http, ReceiverError> {
        let timeout = Duration::try_from(options.timeout).unwrap_or_default();
        Http::new(url, timeout, options.ca_file, secrets).map_err(|reason| self.unusable(reason))
    }
}

fn secret_lookup(receiver: &str, what: &str, key: &str, kind: SecretKind, file: Option<&PathBuf>) -> SecretSpec {
    let plain = |other: char| move |c: char| if c.is_ascii_alphanumeric() { c } else { other };
    let name = |other| receiver.chars().map(plain(other)).collect::<String>();
    SecretSpec {
        what: what.to_owned(),
        variable: format!("VIGIE_RECEIVER_{}_{}", name('_'), key).to_ascii_uppercase(),
        credential: format!("receiver-{}-{key}", name('-')),
        key: format!("receiver.{key}_file"),
        file: file.cloned(),
        kind,
    }
}

impl HttpOptions<'_> {
    /// The problems of the settings that all HTTP integrations share.
    pub(super) fn validate(&self) -> Vec<String> {
        timeout_problem(self.timeout).into_iter().chain(self.ca_file.and_then(ca_file_problem)).collect()
    }
}

pub(super) fn timeout_problem(timeout: SignedDuration) -> Option<String> {
    let invalid = timeout < SignedDuration::from_millis(1) || timeout > SignedDuration::from_mins(10);
    invalid.then(|| format!("timeout is {timeout:#}: expected 1ms to 10m"))
}

pub(super) fn ca_file_problem(path: &Path) -> Option<String> {
    (!path.is_file()).then(|| format!("ca_file: file {} not found", path.display()))
}

/// Defaults that integrations share.
pub(super) mod defaults {
    use jiff::SignedDuration;

    pub(in crate::notify) fn timeout() -> SignedDuration {
        SignedDuration::from_secs(30)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receivers_secrets_have_places_of_their_own() {
        let lookup = secret_lookup("crise-équipe 2", "webhook address", "url", SecretKind::Token, None);
        assert_eq!(lookup.variable, "VIGIE_RECEIVER_CRISE__QUIPE_2_URL");
        assert_eq!(lookup.credential, "receiver-crise--quipe-2-url");
        assert_eq!(lookup.key, "receiver.url_file");
        assert!(lookup.to_string().starts_with("no webhook address: set VIGIE_RECEIVER_"), "{lookup}");
    }
}
