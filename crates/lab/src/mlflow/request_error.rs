//! [`RequestError`]: why a request failed, and what it affects: all runs, this run for now, or this run for good.

use std::time::Duration;

/// What an error affects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ErrorScope {
    /// The next request would fail too: the server is down or busy, or the address or the credentials are wrong.
    TrackingServer,
    /// This run only; a later attempt may succeed.
    Run,
    /// This run, permanently: the server understood the request and refused it.
    Permanent,
}

/// Why a request failed. One line, without secrets.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub(super) struct RequestError {
    pub(super) scope: ErrorScope,
    pub(super) reason: String,
    /// MLflow's error code, such as `RESOURCE_DOES_NOT_EXIST`.
    pub(super) code: Option<String>,
    pub(super) retry_after: Option<Duration>,
}

impl RequestError {
    pub(super) fn new(scope: ErrorScope, reason: impl Into<String>) -> Self {
        Self { scope, reason: reason.into(), code: None, retry_after: None }
    }

    pub(super) fn server(reason: impl Into<String>) -> Self {
        Self::new(ErrorScope::TrackingServer, reason)
    }

    pub(super) fn run(reason: impl Into<String>) -> Self {
        Self::new(ErrorScope::Run, reason)
    }

    pub(super) fn permanent(reason: impl Into<String>) -> Self {
        Self::new(ErrorScope::Permanent, reason)
    }

    pub(super) fn exists(&self) -> bool {
        self.code.as_deref() == Some("RESOURCE_ALREADY_EXISTS")
    }

    pub(super) fn is_missing(&self) -> bool {
        self.code.as_deref() == Some("RESOURCE_DOES_NOT_EXIST")
    }

    /// The error for a response with `status`. `code` and `message` are MLflow's, if the body was one of its errors.
    pub(super) fn from_response(
        status: u16,
        code: Option<String>,
        message: &str,
        retry_after: Option<Duration>,
    ) -> Self {
        let scope = match status {
            401 | 403 | 407 | 408 | 425 | 429 | 502..=504 => ErrorScope::TrackingServer,
            500.. => ErrorScope::Run,
            413 => ErrorScope::Permanent,
            // Something missing may appear later: an experiment is restored, a run is created again.
            404 if code.is_some() => ErrorScope::Run,
            400.. if code.is_some() => ErrorScope::Permanent,
            _ => ErrorScope::TrackingServer,
        };
        let name = reqwest::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        let code_text = code.as_deref().map(|code| format!(" ({code})")).unwrap_or_default();
        let message = if message.is_empty() { String::new() } else { format!(": {message}") };
        let hint = match status {
            401 | 403 => "; check MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
            300..=399 => "; redirects are not followed: use the final address",
            404 | 405 if code.is_none() => "; is this an MLflow server? Use the address of its web page",
            _ => "",
        };
        Self { scope, reason: format!("HTTP status {status}{name}{code_text}{message}{hint}"), code, retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_refused_requests_are_permanent_errors() {
        let scope =
            |status, code: Option<&str>| RequestError::from_response(status, code.map(Into::into), "", None).scope;
        for status in [301, 302, 401, 403, 404, 405, 408, 429, 502, 503, 504] {
            assert_eq!(scope(status, None), ErrorScope::TrackingServer, "{status}");
        }
        for status in [500, 501, 599] {
            assert_eq!(scope(status, None), ErrorScope::Run, "{status}");
        }
        assert_eq!(scope(400, None), ErrorScope::TrackingServer, "from a proxy, or not from MLflow");
        assert_eq!(scope(400, Some("INVALID_PARAMETER_VALUE")), ErrorScope::Permanent);
        assert_eq!(scope(413, None), ErrorScope::Permanent);
        assert_eq!(scope(404, Some("RESOURCE_DOES_NOT_EXIST")), ErrorScope::Run);
    }

    #[test]
    fn the_message_has_a_hint() {
        let message = |status| RequestError::from_response(status, None, "no", None).to_string();
        assert!(
            message(401).contains("HTTP status 401 Unauthorized: no; check MLFLOW_TRACKING_USERNAME"),
            "{}",
            message(401)
        );
        assert!(message(307).contains("use the final address") && message(404).contains("is this an MLflow server?"));
    }
}
