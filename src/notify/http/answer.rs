//! [`Answer`]: what came back, and what it means for a notification.

use std::time::Duration;

use reqwest::{StatusCode, Url};

use crate::notify::NotifyError;

/// What came back.
#[derive(Debug)]
pub(in crate::notify) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// Where a redirect points to.
    pub(super) location: Option<String>,
    /// As the server sent it, up to a limit: for reading, never for a log.
    pub(in crate::notify) body: String,
    /// The body came to its end.
    pub(in crate::notify) whole: bool,
    /// The body as it may be quoted.
    pub(in crate::notify) words: String,
}

impl Answer {
    /// The answer of a status that says that all is well.
    ///
    /// # Errors
    /// By the status: 408, 425, 429 and 5xx pass, all others do not.
    pub(in crate::notify) fn judge(self) -> Result<Self, NotifyError> {
        let status = self.status.as_u16();
        match status {
            200..=299 => Ok(self),
            408 | 425 | 429 | 500..=599 => {
                Err(NotifyError::Passing { reason: self.reason(""), retry_after: self.retry_after })
            }
            300..=399 if self.location.is_some() => {
                Err(NotifyError::Permanent { reason: self.reason(&self.redirect()) })
            }
            _ => Err(NotifyError::Permanent { reason: self.reason(way_out(status)) }),
        }
    }

    /// As [`Answer::judge`], of what the body says and the status hides.
    pub(in crate::notify) fn passing(&self, what: &str) -> NotifyError {
        NotifyError::Passing { reason: self.reason(what), retry_after: self.retry_after }
    }

    pub(in crate::notify) fn permanent(&self, what: &str) -> NotifyError {
        NotifyError::Permanent { reason: self.reason(what) }
    }

    /// `it answers 404 Not Found: "no_service"; check its address`.
    fn reason(&self, more: &str) -> String {
        let name = self.status.canonical_reason().map(|name| format!(" {name}")).unwrap_or_default();
        let words = if self.words.is_empty() { String::new() } else { format!(": \"{}\"", self.words) };
        let more = if more.is_empty() { String::new() } else { format!("; {more}") };
        format!("it answers {}{name}{words}{more}", self.status.as_u16())
    }

    fn redirect(&self) -> String {
        let to = self.location.as_deref().and_then(|location| Url::parse(location).ok());
        let to = to.as_ref().and_then(|url| Some(format!(" on {}://{}", url.scheme(), url.host_str()?)));
        format!("it points to another address{}, which is not followed: give the final one", to.unwrap_or_default())
    }
}

fn way_out(status: u16) -> &'static str {
    match status {
        401 | 403 => "check its secret and what that may do",
        404 | 410 => "check its address: nothing is there, or not any more",
        405 => "check its address: it takes no POST",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16) -> Result<(), NotifyError> {
        let status = StatusCode::from_u16(status).unwrap();
        let location = Some("https://other.example/secret/path?token=1".into());
        let (body, words) = (String::new(), "so it says".to_owned());
        let retry_after = Some(Duration::from_secs(7));
        Answer { status, retry_after, location, body, whole: true, words }.judge().map(|_| ())
    }

    #[test]
    fn every_status_is_well_or_passes_or_does_not() {
        for status in 100..=999 {
            let told = judged(status);
            let right = match status {
                200..=299 => told.is_ok(),
                408 | 425 | 429 | 500..=599 => {
                    matches!(&told, Err(NotifyError::Passing { retry_after: Some(wait), .. }) if wait.as_secs() == 7)
                }
                _ => matches!(told, Err(NotifyError::Permanent { .. })),
            };
            assert!(right, "{status}: {told:?}");
            if let Err(error) = told {
                assert!(error.to_string().starts_with(&format!("it answers {status}")), "{error}");
                assert!(error.to_string().contains("so it says"), "{error}");
            }
        }
    }

    #[test]
    fn a_redirect_is_named_by_its_host_alone() {
        let told = judged(307).unwrap_err().to_string();
        assert!(told.contains("https://other.example") && told.contains("final"), "{told}");
        assert!(!told.contains("secret") && !told.contains("token"), "{told}");
    }
}
