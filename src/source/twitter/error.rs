//! [`ApiError`]: failures of requests to X, by what has to be done about them.

use jiff::Timestamp;
use serde_json::Value;

use crate::secret::Secret;

/// Why a request to X failed. One line each, without token, text or author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("X rejects the token (HTTP 401: {0})")]
    Unauthorised(Problem),
    #[error("X denies access to the app of the token (HTTP 403: {0})")]
    Forbidden(Problem),
    /// `until`: when X accepts requests again, if it says so.
    #[error("rate limit of X reached")]
    RateLimited { until: Option<Timestamp> },
    /// The app has as many open streams as X allows.
    #[error("X reports another open stream of this app")]
    TooManyConnections,
    /// The cap on posts or the prepaid credits are used up: a retry does not help.
    #[error("usage cap of X reached ({0})")]
    UsageCapped(Problem),
    /// The request is wrong or names something that does not exist: a retry does not help.
    #[error("X rejects the request (HTTP {status}: {problem})")]
    Invalid { status: u16, problem: Problem },
    /// `until`: when X accepts requests again, if it says so.
    #[error("X failed (HTTP {status})")]
    Server { status: u16, until: Option<Timestamp> },
    #[error("X cannot be reached: {0}")]
    Network(String),
    #[error("cannot parse the response of X: {0}")]
    Malformed(String),
}

/// X's description of an error: `{title, detail, type}`, with the parameters it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    pub title: String,
    pub detail: String,
    /// A URL such as `https://api.x.com/2/problems/usage-capped`.
    pub kind: String,
    /// Names of the invalid parameters.
    pub parameters: Vec<String>,
    /// Of a cap on usage: `Daily` or `Monthly`.
    pub period: String,
}

/// Characters of X's message that an error repeats.
const MAX_MESSAGE_CHARS: usize = 240;

impl ApiError {
    /// Value of the metric label `outcome`.
    pub fn outcome(&self) -> &'static str {
        match self {
            Self::Unauthorised(_) => "unauthorised",
            Self::Forbidden(_) => "forbidden",
            Self::RateLimited { .. } => "rate_limited",
            Self::TooManyConnections => "too_many_connections",
            Self::UsageCapped(_) => "usage_capped",
            Self::Invalid { .. } => "invalid",
            Self::Server { .. } => "server_error",
            Self::Network(_) => "network",
            Self::Malformed(_) => "malformed",
        }
    }

    /// Classifies a response that is not a success. `until`: the time in its headers.
    pub(super) fn from_status(status: u16, problem: Problem, until: Option<Timestamp>) -> Self {
        match status {
            401 => Self::Unauthorised(problem),
            402 => Self::UsageCapped(problem),
            _ if problem.kind.contains("usage-capped") => Self::UsageCapped(problem),
            403 => Self::Forbidden(problem),
            429 if problem.is_too_many_connections() => Self::TooManyConnections,
            420 | 429 => Self::RateLimited { until },
            408 | 425 | 500.. => Self::Server { status, until },
            _ => Self::Invalid { status, problem },
        }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.title.as_str(), self.detail.as_str()) {
            ("", "") => f.write_str("no reason given"),
            (title, "") => f.write_str(title),
            ("", detail) => f.write_str(detail),
            (title, detail) => write!(f, "{title}: {detail}"),
        }
    }
}

impl Problem {
    /// Parses a body of any known form; for other bodies the problem is empty. Masks the token.
    pub(super) fn read(body: &Value, token: Option<&Secret>) -> Self {
        let text = |value: Option<&Value>| clean_text(value.and_then(Value::as_str).unwrap_or_default(), token);
        let first = body.get("errors").and_then(|errors| errors.get(0));
        let inner = |key| body.get(key).or_else(|| first.and_then(|first| first.get(key)));
        let message = first.and_then(|first| first.get("message")).or_else(|| body.get("message"));
        let title = text(inner("title"));
        // An entry of the list is more specific than the detail around it.
        let detail = Some(text(message)).filter(|text| !text.is_empty()).unwrap_or_else(|| text(inner("detail")));
        let title = match text(inner("connection_issue")) {
            issue if issue.is_empty() => title,
            issue => format!("{title} ({issue})"),
        };
        Self { title, detail, kind: text(inner("type")), parameters: parameters(body), period: text(inner("period")) }
    }

    /// Whether the app has as many open streams as X allows.
    fn is_too_many_connections(&self) -> bool {
        [&self.title, &self.detail, &self.kind].iter().any(|text| text.contains("TooManyConnections"))
            || self.kind.ends_with("/streaming-connection")
            || self.detail.contains("maximum allowed connection")
    }
}

/// The parameters that the errors name, in either form of X.
fn parameters(body: &Value) -> Vec<String> {
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = Vec::new();
    for error in std::iter::once(body).chain(errors) {
        names.extend(error.get("parameter").and_then(Value::as_str).map(str::to_owned));
        names
            .extend(error.get("parameters").and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()));
    }
    names
}

/// X's text in one line of bounded length, with the token masked.
fn clean_text(text: &str, token: Option<&Secret>) -> String {
    let text = match token {
        Some(token) => text.replace(token.expose(), "…"),
        None => text.to_owned(),
    };
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_MESSAGE_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_status_is_classified() {
        let capped = json!({"title": "UsageCapExceeded", "detail": "Usage cap exceeded: Monthly product cap",
            "type": "https://api.x.com/2/problems/usage-capped", "period": "Monthly", "scope": "Product"});
        let cases = [
            (401, json!({}), "unauthorised"),
            (402, json!({"title": "CreditsDepleted"}), "usage_capped"),
            (403, json!({}), "forbidden"),
            (403, capped.clone(), "usage_capped"),
            (404, json!({}), "invalid"),
            (409, json!({}), "invalid"),
            (429, json!({"title": "Too Many Requests"}), "rate_limited"),
            (429, capped, "usage_capped"),
            (
                429,
                json!({"title": "ConnectionException", "connection_issue": "TooManyConnections"}),
                "too_many_connections",
            ),
            (429, json!({"type": "https://api.x.com/2/problems/streaming-connection"}), "too_many_connections"),
            (500, json!({}), "server_error"),
            (503, json!({}), "server_error"),
            (301, json!({}), "invalid"),
        ];
        for (status, body, expected) in cases {
            assert_eq!(
                ApiError::from_status(status, Problem::read(&body, None), None).outcome(),
                expected,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn a_problem_is_one_bounded_line() {
        let body = json!({"errors": [{"parameters": {"since_id": ["1"]}, "message": "'since_id' must be\nlarger"}],
            "title": "Invalid Request", "detail": "One or more parameters", "type": "about:blank"});
        let problem = Problem::read(&body, None);
        assert_eq!(problem.to_string(), "Invalid Request: 'since_id' must be larger");
        assert_eq!(problem.parameters, ["since_id"]);
        let long = Problem::read(&json!({"detail": "x".repeat(10_000)}), None).to_string();
        assert_eq!(long.len(), MAX_MESSAGE_CHARS);
        assert_eq!(Problem::read(&json!([1]), None).to_string(), "no reason given");
    }
}
