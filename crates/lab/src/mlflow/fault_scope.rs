//! [`Fault`]: why a request did not do, and who it stops: nobody else, this run for now, this run for good, or all.

use std::time::Duration;

/// Whom a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Whatever is sent next would fail too: the server is down or busy, or the address or the credentials are wrong.
    Server,
    /// This run, and it may pass.
    Run,
    /// This run, and it will never pass: the server understood and refused.
    Forever,
}

/// Why a request did not do. One line, without secrets.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub(super) struct Fault {
    pub(super) reach: Reach,
    pub(super) reason: String,
    /// MLflow's own name for it, such as `RESOURCE_DOES_NOT_EXIST`.
    pub(super) code: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl Fault {
    pub(super) fn new(reach: Reach, reason: impl Into<String>) -> Self {
        Self { reach, reason: reason.into(), code: None, retry_after: None }
    }

    pub(super) fn server(reason: impl Into<String>) -> Self {
        Self::new(Reach::Server, reason)
    }

    pub(super) fn run(reason: impl Into<String>) -> Self {
        Self::new(Reach::Run, reason)
    }

    pub(super) fn forever(reason: impl Into<String>) -> Self {
        Self::new(Reach::Forever, reason)
    }

    pub(super) fn exists(&self) -> bool {
        self.code.as_deref() == Some("RESOURCE_ALREADY_EXISTS")
    }

    pub(super) fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("RESOURCE_DOES_NOT_EXIST")
    }

    /// What an answer with `status` means. `code` and `words` are MLflow's, where the body was one of its errors.
    pub(super) fn of_answer(status: u16, code: Option<String>, words: &str, retry_after: Option<Duration>) -> Self {
        let reach = match status {
            401 | 403 | 407 | 408 | 425 | 429 | 502..=504 => Reach::Server,
            500.. => Reach::Run,
            413 => Reach::Forever,
            // A thing that is not there may come: an experiment restored, a run created anew.
            404 if code.is_some() => Reach::Run,
            400.. if code.is_some() => Reach::Forever,
            _ => Reach::Server,
        };
        let name = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        let code_words = code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        let way_out = match status {
            401 | 403 => "; check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            300..=399 => "; redirects are not followed: give the final address",
            404 | 405 if code.is_none() => "; is that an MLflow server? Give the address that its web page has",
            _ => "",
        };
        Self { reach, reason: format!("it answers {status}{name}{code_words}{words}{way_out}"), code, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_understood_and_refused_is_given_up() {
        let reach = |status, code: Option<&str>| Fault::of_answer(status, code.map(Into::into), "", None).reach;
        for status in [301, 302, 401, 403, 404, 405, 408, 429, 502, 503, 504] {
            assert_eq!(reach(status, None), Reach::Server, "{status}");
        }
        for status in [500, 501, 599] {
            assert_eq!(reach(status, None), Reach::Run, "{status}");
        }
        assert_eq!(reach(400, None), Reach::Server, "a proxy's, or no MLflow at all");
        assert_eq!(reach(400, Some("INVALID_PARAMETER_VALUE")), Reach::Forever);
        assert_eq!(reach(413, None), Reach::Forever);
        assert_eq!(reach(404, Some("RESOURCE_DOES_NOT_EXIST")), Reach::Run);
    }

    #[test]
    fn the_way_out_is_said() {
        let said = |status| Fault::of_answer(status, None, "no", None).to_string();
        assert!(said(401).contains("it answers 401 Unauthorized: no; check MLFLOW_TRACKING_USERNAME"), "{}", said(401));
        assert!(said(307).contains("give the final address") && said(404).contains("is that an MLflow server?"));
    }
}
