//! [`ApiError`]: what may come back from X instead of an answer, sorted by what is to be done about it.

use jiff::Timestamp;
use serde_json::Value;

use crate::secret::Secret;

/// Why X gave no answer. One line each, without token, text or author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    #[error("X does not take the token (HTTP 401: {0})")]
    Unauthorised(Problem),
    #[error("X does not allow this to the token's app (HTTP 403: {0})")]
    Forbidden(Problem),
    /// `until`: when X says it may be asked again.
    #[error("X's rate limit is reached")]
    RateLimited { until: Option<Timestamp> },
    /// The app has as many streams open as it may.
    #[error("X holds another stream of this app for open")]
    TooManyConnections,
    /// The cap of posts or the prepaid credits are used up: asking again changes nothing.
    #[error("X's cap on usage is reached ({0})")]
    UsageCapped(Problem),
    /// The request is wrong, or names what is not there: asking again changes nothing.
    #[error("X refuses the request (HTTP {status}: {problem})")]
    Invalid { status: u16, problem: Problem },
    /// `until`: when X says it may be asked again.
    #[error("X fails (HTTP {status})")]
    Server { status: u16, until: Option<Timestamp> },
    #[error("X cannot be reached: {0}")]
    Network(String),
    #[error("X's answer cannot be read: {0}")]
    Malformed(String),
}

/// What X says about an error: `{title, detail, type}`, with the parameters it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problem {
    pub title: String,
    pub detail: String,
    /// An address such as `https://api.x.com/2/problems/usage-capped`.
    pub kind: String,
    /// Names of the parameters at fault.
    pub parameters: Vec<String>,
    /// Of a cap on usage: `Daily` or `Monthly`.
    pub period: String,
}

/// Characters of X's own words that a message repeats.
const MOST_WORDS: usize = 240;

impl ApiError {
    /// A word for metrics.
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

    /// What an answer that is no success means. `until`: what its headers say.
    pub(super) fn of(status: u16, problem: Problem, until: Option<Timestamp>) -> Self {
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
    /// Reads whatever form the body has; a body of no known form says nothing. The token never comes through.
    pub(super) fn read(body: &Value, token: Option<&Secret>) -> Self {
        let words = |value: Option<&Value>| words(value.and_then(Value::as_str).unwrap_or_default(), token);
        let first = body.get("errors").and_then(|errors| errors.get(0));
        let inner = |key| body.get(key).or_else(|| first.and_then(|first| first.get(key)));
        let message = first.and_then(|first| first.get("message")).or_else(|| body.get("message"));
        let title = words(inner("title"));
        // What the list says is nearer the fault than the detail around it.
        let detail = Some(words(message)).filter(|words| !words.is_empty()).unwrap_or_else(|| words(inner("detail")));
        let title = match words(inner("connection_issue")) {
            issue if issue.is_empty() => title,
            issue => format!("{title} ({issue})"),
        };
        Self { title, detail, kind: words(inner("type")), parameters: parameters(body), period: words(inner("period")) }
    }

    /// Whether the app holds as many streams open as it may.
    fn is_too_many_connections(&self) -> bool {
        [&self.title, &self.detail, &self.kind].iter().any(|said| said.contains("TooManyConnections"))
            || self.kind.ends_with("/streaming-connection")
            || self.detail.contains("maximum allowed connection")
    }
}

/// The parameters that any of the errors names, in either of X's forms.
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

/// X's words in one line of bounded length, without the token should they repeat it.
fn words(said: &str, token: Option<&Secret>) -> String {
    let said = match token {
        Some(token) => said.replace(token.expose(), "…"),
        None => said.to_owned(),
    };
    said.split_whitespace().collect::<Vec<_>>().join(" ").chars().filter(|c| !c.is_control()).take(MOST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_status_is_sorted_by_what_to_do() {
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
        for (status, body, wanted) in cases {
            assert_eq!(ApiError::of(status, Problem::read(&body, None), None).outcome(), wanted, "{status} {body}");
        }
    }

    #[test]
    fn what_x_says_is_one_bounded_line() {
        let body = json!({"errors": [{"parameters": {"since_id": ["1"]}, "message": "'since_id' must be\nlarger"}],
            "title": "Invalid Request", "detail": "One or more parameters", "type": "about:blank"});
        let problem = Problem::read(&body, None);
        assert_eq!(problem.to_string(), "Invalid Request: 'since_id' must be larger");
        assert_eq!(problem.parameters, ["since_id"]);
        let long = Problem::read(&json!({"detail": "x".repeat(10_000)}), None).to_string();
        assert_eq!(long.len(), MOST_WORDS);
        assert_eq!(Problem::read(&json!([1]), None).to_string(), "no reason given");
    }
}
