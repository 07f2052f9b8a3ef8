//! [`HttpResponse`]: a receiver's answer, and what it means for a notification.

use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::notify::NotifyError;

/// What a status says about a message that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::notify) enum StatusFault {
    /// The server accepts nothing now.
    Transient,
    /// The address or the permission: no message is accepted.
    Receiver,
    /// This message.
    Message,
}

impl StatusFault {
    /// For any status but a success.
    pub(in crate::notify) fn of(status: u16) -> Self {
        match status {
            408 | 425 | 429 | 500..=599 => Self::Transient,
            0..=399 | 401..=405 | 407 | 410 | 421 | 451 | 600.. => Self::Receiver,
            _ => Self::Message,
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(in crate::notify) struct HttpResponse {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// The target of a redirect.
    pub(super) location: Option<String>,
    /// The body as sent, up to a limit: for parsing, never for a log.
    pub(in crate::notify) body: String,
    /// Whether the answer is a page for people.
    pub(super) is_page: bool,
    /// Whether the body is complete.
    pub(in crate::notify) complete: bool,
    /// The body without secrets, fit for a log.
    pub(in crate::notify) redacted: String,
}

impl HttpResponse {
    /// The response, if its status is a success.
    ///
    /// # Errors
    /// 408, 425, 429 and 5xx are transient; redirects and statuses about the address or the permission are permanent; all other
    /// statuses refuse this message.
    pub(in crate::notify) fn check_status(self) -> Result<Self, NotifyError> {
        let status = self.status.as_u16();
        match status {
            // A login page, a proxy or a captive portal took the message; no integration answers with a page.
            200..=299 if self.is_page => Err(NotifyError::Permanent { reason: self.page_reason() }),
            200..=299 => Ok(self),
            300..=399 if self.location.is_some() => Err(self.permanent(&self.redirect())),
            _ => Err(match StatusFault::of(status) {
                StatusFault::Transient => self.transient(""),
                StatusFault::Receiver => self.permanent(hint(status)),
                StatusFault::Message => self.rejected(""),
            }),
        }
    }

    /// A refusal of the message that the body reports in spite of the status.
    pub(in crate::notify) fn rejected(&self, what: &str) -> NotifyError {
        NotifyError::Rejected { reason: self.reason(what) }
    }

    /// A transient error that the body reports in spite of the status.
    pub(in crate::notify) fn transient(&self, what: &str) -> NotifyError {
        NotifyError::Transient { reason: self.reason(what), retry_after: self.retry_after }
    }

    pub(in crate::notify) fn permanent(&self, what: &str) -> NotifyError {
        NotifyError::Permanent { reason: self.reason(what) }
    }

    /// `it answers 404 Not Found: "no_service"; check the URL: nothing is there`.
    fn reason(&self, more: &str) -> String {
        let name = self.status.canonical_reason().map(|name| format!(" {name}")).unwrap_or_default();
        let words = if self.redacted.is_empty() { String::new() } else { format!(": \"{}\"", self.redacted) };
        let more = if more.is_empty() { String::new() } else { format!("; {more}") };
        format!("it answers {}{name}{words}{more}", self.status.as_u16())
    }

    /// The page itself says nothing about the message.
    fn page_reason(&self) -> String {
        format!(
            "it answers {} with an HTML page, so the message was not accepted; check the URL, and for a proxy or a login page \
             in front of it",
            self.status.as_u16()
        )
    }

    fn redirect(&self) -> String {
        let to = self.location.as_deref().and_then(|location| Url::parse(location).ok());
        let to = to.as_ref().and_then(|url| Some(format!(" to {}://{}", url.scheme(), url.host_str()?)));
        format!("it redirects{}, and redirects are not followed: use the final URL", to.unwrap_or_default())
    }
}

/// Whether a body is a page for people. Slack answers `ok` as `text/html`: only a body with markup is a page.
pub(super) fn is_page(media_type: Option<&str>, body: &str) -> bool {
    let starts_with = |text: &str, prefix: &str| {
        text.trim_start().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_html = media_type.is_some_and(|media_type| starts_with(media_type, "text/html"));
    starts_with(body, "<!doctype html") || starts_with(body, "<html") || (is_html && starts_with(body, "<"))
}

fn hint(status: u16) -> &'static str {
    match status {
        401 | 403 => "check the secret and its permissions",
        404 | 410 => "check the URL: nothing is there",
        405 => "check the URL: it does not accept POST",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_markup() {
        for (media_type, body, expected) in [
            (None, "<!DOCTYPE html><title>Sign in</title>", true),
            (None, "\n <HTML>", true),
            (Some("text/html; charset=utf-8"), "\n<p>Sign in", true),
            (Some("text/html"), "ok", false),
            (Some("text/html"), "", false),
            (Some("application/xml"), "<ok/>", false),
            (None, "é<html>", false),
        ] {
            assert_eq!(is_page(media_type, body), expected, "{media_type:?} {body:?}");
        }
    }

    fn judged(status: u16) -> Result<(), NotifyError> {
        let status = StatusCode::from_u16(status).unwrap();
        let location = Some("https://other.example/secret/path?token=1".into());
        let (body, redacted) = (String::new(), "so it says".to_owned());
        let retry_after = Some(Duration::from_secs(7));
        HttpResponse { status, retry_after, location, body, is_page: false, complete: true, redacted }
            .check_status()
            .map(|_| ())
    }

    #[test]
    fn every_status_is_a_success_or_a_fault_of_the_server_the_receiver_or_the_message() {
        for status in 100..=999 {
            let result = judged(status);
            let right = match status {
                200..=299 => result.is_ok(),
                408 | 425 | 429 | 500..=599 => {
                    matches!(&result, Err(NotifyError::Transient { retry_after: Some(wait), .. }) if wait.as_secs() == 7)
                }
                400 | 406 | 409 | 411..=420 | 422..=424 | 426..=428 | 430..=450 | 452..=499 => {
                    matches!(result, Err(NotifyError::Rejected { .. }))
                }
                _ => matches!(result, Err(NotifyError::Permanent { .. })),
            };
            assert!(right, "{status}: {result:?}");
            if let Err(error) = result {
                assert!(error.to_string().starts_with(&format!("it answers {status}")), "{error}");
                assert!(error.to_string().contains("so it says"), "{error}");
            }
        }
    }

    #[test]
    fn a_redirect_is_named_by_its_host_alone() {
        let result = judged(307).unwrap_err().to_string();
        assert!(result.contains("https://other.example") && result.contains("final"), "{result}");
        assert!(!result.contains("secret") && !result.contains("token"), "{result}");
    }
}
