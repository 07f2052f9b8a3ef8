//! [`Context`]: what notifiers are built from beside their own configuration, and [`ReceiverError`], why one cannot be.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use reqwest::Url;

use super::Notification;
use super::address::address;
use super::http::Http;
use super::render::{Message, Templates, render};
use crate::clock::Clock;
use crate::language::Language;
use crate::secret::{Form, Secret, SecretError, Wanted};

/// What a notifier is built from, beside its own configuration.
pub struct Context<'a> {
    /// The receiver's name.
    pub receiver: &'a str,
    pub language: Language,
    pub templates: Arc<Templates>,
    /// For signatures and for ends that are yet to come.
    pub clock: Clock,
    /// Reads an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
}

/// Why a receiver cannot be told anything. One line that says the way out, without secrets.
#[derive(Debug, thiserror::Error)]
pub enum ReceiverError {
    #[error("receiver {name:?}: {cause}")]
    Secret { name: String, cause: SecretError },
    #[error("receiver {name:?}: {reason}")]
    Unusable { name: String, reason: String },
}

/// Where a channel's requests go, as its configuration has it.
pub(super) struct Way<'a> {
    pub(super) timeout: SignedDuration,
    pub(super) ca_file: Option<&'a Path>,
}

/// Turns notifications into words, in one language.
#[derive(Clone)]
pub(super) struct Words {
    language: Language,
    templates: Arc<Templates>,
}

impl Words {
    pub(super) fn of(&self, notification: &Notification) -> Message {
        render(notification, self.language, &self.templates)
    }
}

impl Context<'_> {
    pub(super) fn words(&self) -> Words {
        Words { language: self.language, templates: self.templates.clone() }
    }

    pub(super) fn unusable(&self, reason: impl Into<String>) -> ReceiverError {
        ReceiverError::Unusable { name: self.receiver.to_owned(), reason: reason.into() }
    }

    /// The secret `key` of this receiver: `url`, `token`, `password`, ...
    pub(super) fn secret(
        &self,
        what: &str,
        key: &str,
        form: Form,
        file: Option<&PathBuf>,
    ) -> Result<Secret, ReceiverError> {
        let wanted = wanted(self.receiver, what, key, form, file);
        Secret::find(&wanted, self.environment)
            .map_err(|cause| ReceiverError::Secret { name: self.receiver.to_owned(), cause })
    }

    /// As [`Context::secret`], of one that may be missing.
    pub(super) fn some_secret(
        &self,
        what: &str,
        key: &str,
        form: Form,
        file: Option<&PathBuf>,
    ) -> Result<Option<Secret>, ReceiverError> {
        match self.secret(what, key, form, file) {
            Err(ReceiverError::Secret { cause: SecretError::Missing(_), .. }) => Ok(None),
            found => found.map(Some),
        }
    }

    /// An address that is a secret itself.
    pub(super) fn secret_address(
        &self,
        what: &str,
        file: Option<&PathBuf>,
        insecure: bool,
    ) -> Result<(Url, Secret), ReceiverError> {
        let secret = self.secret(what, "url", Form::Token, file)?;
        let url = address(secret.expose(), insecure).map_err(|fault| self.unusable(format!("the {what} {fault}")))?;
        Ok((url, secret))
    }

    pub(super) fn http(&self, url: &Url, way: &Way<'_>, secrets: &[&Secret]) -> Result<Http, ReceiverError> {
        let timeout = Duration::try_from(way.timeout).unwrap_or_default();
        Http::new(url, timeout, way.ca_file, secrets).map_err(|reason| self.unusable(reason))
    }
}

fn wanted(receiver: &str, what: &str, key: &str, form: Form, file: Option<&PathBuf>) -> Wanted {
    let plain = |other: char| move |c: char| if c.is_ascii_alphanumeric() { c } else { other };
    let name = |other| receiver.chars().map(plain(other)).collect::<String>();
    Wanted {
        what: what.to_owned(),
        variable: format!("VIGIE_RECEIVER_{}_{}", name('_'), key).to_ascii_uppercase(),
        credential: format!("receiver-{}-{key}", name('-')),
        key: format!("receiver.{key}_file"),
        file: file.cloned(),
        form,
    }
}

/// The faults of what all channels that speak HTTP have.
impl Way<'_> {
    pub(super) fn faults(&self) -> Vec<String> {
        timeout_fault(self.timeout).into_iter().chain(self.ca_file.and_then(ca_fault)).collect()
    }
}

pub(super) fn timeout_fault(timeout: SignedDuration) -> Option<String> {
    let wrong = timeout < SignedDuration::from_millis(1) || timeout > SignedDuration::from_mins(10);
    wrong.then(|| format!("timeout is {timeout:#}: wanted from 1ms to 10m"))
}

pub(super) fn ca_fault(path: &Path) -> Option<String> {
    (!path.is_file()).then(|| format!("ca_file: there is no file {}", path.display()))
}

/// Defaults that channels share.
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
        let wanted = wanted("crise-équipe 2", "webhook address", "url", Form::Token, None);
        assert_eq!(wanted.variable, "VIGIE_RECEIVER_CRISE__QUIPE_2_URL");
        assert_eq!(wanted.credential, "receiver-crise--quipe-2-url");
        assert_eq!(wanted.key, "receiver.url_file");
        assert!(wanted.to_string().starts_with("there is no webhook address: set VIGIE_RECEIVER_"), "{wanted}");
    }
}
