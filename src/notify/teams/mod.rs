//! Microsoft Teams, by a Workflows webhook: an Adaptive Card in an envelope.

mod shorten;

use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::{Context, ReceiverError, Way, Words, defaults};
use super::http::{Answer, Http, Request};
use super::{Notification, Notifier, NotifyError};
use shorten::fit;

/// The largest message, in bytes of JSON: Teams cuts or drops what is larger.
const MOST_BYTES: usize = 20_000;

/// A `[[receiver]]` of `type = "teams"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file that holds the webhook's address; else from the environment or a credential. Who has it can post.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Plain http to another machine is meant so.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout")]
    pub timeout: SignedDuration,
}

impl Config {
    fn way(&self) -> Way<'_> {
        Way { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every fault, each naming its key; nothing is resolved and no secret read.
    pub fn faults(&self) -> Vec<String> {
        self.way().faults()
    }
}

/// See the module.
pub(super) struct Teams {
    http: Http,
    url: Url,
    words: Words,
}

impl Teams {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let (url, secret) = context.secret_address("webhook address", config.url_file.as_ref(), config.insecure)?;
        let http = context.http(&url, &config.way(), &[&secret])?;
        Ok(Self { http, url, words: context.words() })
    }
}

impl Notifier for Teams {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.words.of(notification);
        let body = envelope(message.card, &message.summary);
        // Teams ignores the key; what stands between may use it.
        let request = Request::json(&self.url, body).header("idempotency-key", &notification.key);
        let answer = self.http.send(request, notification)?;
        hidden(&answer)
    }
}

fn envelope(card: Value, summary: &str) -> Vec<u8> {
    // What stands around the card, with the summary as JSON has it.
    let around = serde_json::to_vec(&wrapped(&Value::Null, summary)).map_or(0, |bytes| bytes.len());
    let card = fit(card, MOST_BYTES.saturating_sub(around));
    serde_json::to_vec(&wrapped(&card, summary)).unwrap_or_default()
}

fn wrapped(card: &Value, summary: &str) -> Value {
    json!({
        "type": "message",
        "summary": summary,
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

/// A 200 may hide that Teams did not take the card, as in `Microsoft Teams endpoint returned HTTP error 429 with
/// ContextId ...`.
fn hidden(answer: &Answer) -> Result<(), NotifyError> {
    if !answer.whole {
        return Err(answer.passing("but not whether Teams took the message, before the answer broke off"));
    }
    match hidden_status(&answer.body) {
        None => Ok(()),
        Some(408 | 425 | 429 | 500..=599) => Err(answer.passing("Teams did not take it yet")),
        Some(_) => Err(answer.permanent("Teams did not take it")),
    }
}

/// The status that an answer's text tells of.
fn hidden_status(body: &str) -> Option<u16> {
    let body = body.to_ascii_lowercase();
    let number = ["http error ", "\"statuscode\":"].iter().find_map(|before| {
        let after = body.split(before).nth(1)?.trim_start();
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    });
    number.filter(|status| !(200..300).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_hidden_in_a_200_is_seen() {
        let throttled = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with \
                         ContextId tcid=0,server=DB3PEPF00000139";
        for (body, wanted) in [
            (throttled, Some(429)),
            ("Microsoft Teams endpoint returned HTTP error 503.", Some(503)),
            ("HTTP error 403", Some(403)),
            (r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 12 seconds."}"#, Some(429)),
            (r#"{"statusCode": 200}"#, None),
            ("1", None),
            ("", None),
            ("HTTP error of some kind", None),
        ] {
            assert_eq!(hidden_status(body), wanted, "{body}");
        }
    }
}
