//! Microsoft Teams, by a Workflows webhook: an Adaptive Card in an envelope.

mod shorten;

use std::path::PathBuf;

use jiff::SignedDuration;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::context::{Context, HttpOptions, ReceiverError, Renderer, defaults};
use super::http::{Http, HttpResponse, Request, StatusFault};
use super::{Notification, Notifier, NotifyError, ReportMessage};
use shorten::fit;

/// The largest message, in bytes of JSON: Teams cuts or drops what is larger.
const MAX_BYTES: usize = 20_000;

/// A `[[receiver]]` of `type = "teams"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A file with the webhook's URL, which is a secret; else the URL comes from the environment or a credential.
    #[serde(default)]
    pub url_file: Option<PathBuf>,
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Allows plain http to another machine.
    #[serde(default)]
    pub insecure: bool,
    #[serde(default = "defaults::timeout", with = "crate::duration")]
    pub timeout: SignedDuration,
}

impl Config {
    fn http_options(&self) -> HttpOptions<'_> {
        HttpOptions { timeout: self.timeout, ca_file: self.ca_file.as_deref() }
    }

    /// Every problem, each naming its key. Nothing is resolved, and no secret is read.
    pub fn validate(&self) -> Vec<String> {
        self.http_options().validate()
    }
}

/// See the module.
pub(super) struct Teams {
    http: Http,
    url: Url,
    renderer: Renderer,
}

impl Teams {
    pub(super) fn new(config: &Config, context: &Context<'_>) -> Result<Self, ReceiverError> {
        let (url, secret) = context.secret_address("webhook URL", config.url_file.as_ref(), config.insecure)?;
        let http = context.http(&url, &config.http_options(), &[&secret])?;
        Ok(Self { http, url, renderer: context.renderer() })
    }
}

impl Notifier for Teams {
    fn notify(&mut self, notification: &Notification) -> Result<(), NotifyError> {
        let message = self.renderer.render(notification);
        let body = envelope(message.card, &message.summary);
        // Teams ignores the key; a proxy may use it.
        let request = Request::json(&self.url, body).header("idempotency-key", &notification.key);
        let answer = self.http.send(request, notification)?;
        check_hidden_status(&answer)
    }

    fn send_report(&mut self, report: &ReportMessage) -> Result<(), NotifyError> {
        let body = envelope(report.card.clone(), &report.summary);
        let request = Request::json(&self.url, body).header("idempotency-key", &report.key);
        let answer = self.http.send(request, report)?;
        check_hidden_status(&answer)
    }
}

fn envelope(card: Value, summary: &str) -> Vec<u8> {
    // The size of the envelope without the card.
    let around = serde_json::to_vec(&wrapped(&Value::Null, summary)).map_or(0, |bytes| bytes.len());
    let card = fit(card, MAX_BYTES.saturating_sub(around));
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

/// Teams may reject a card with status 200, as in `Microsoft Teams endpoint returned HTTP error 429 with
/// ContextId ...`.
fn check_hidden_status(answer: &HttpResponse) -> Result<(), NotifyError> {
    if !answer.complete {
        return Err(answer.transient("but the answer broke off: the message may not have been accepted"));
    }
    match hidden_status(&answer.body) {
        None => Ok(()),
        Some(status) => Err(match StatusFault::of(status) {
            StatusFault::Transient => answer.transient("Teams did not accept it yet"),
            StatusFault::Receiver => answer.permanent("Teams rejects every message"),
            StatusFault::Message => answer.rejected("Teams rejected this message"),
        }),
    }
}

/// The status in the text of an answer.
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
        for (body, expected) in [
            (throttled, Some(429)),
            ("Microsoft Teams endpoint returned HTTP error 503.", Some(503)),
            ("HTTP error 403", Some(403)),
            (r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 12 seconds."}"#, Some(429)),
            (r#"{"statusCode": 200}"#, None),
            ("1", None),
            ("", None),
            ("HTTP error of some kind", None),
        ] {
            assert_eq!(hidden_status(body), expected, "{body}");
        }
    }
}
