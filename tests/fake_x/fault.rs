//! [`Fault`]: failures that a test injects into responses.

use std::time::Duration;

use serde_json::{Value, json};

const PROBLEMS: &str = "https://api.x.com/2/problems";

/// What an endpoint does instead of, or to, its regular response.
#[derive(Debug, Clone)]
pub enum Fault {
    /// This response.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: String },
    /// 429 with `x-rate-limit-reset` this many seconds ahead, and `remaining` 0.
    RateLimited { reset_in: i64 },
    /// The regular response, with `errors` in addition to `data`.
    PartialErrors,
    /// The regular status and headers, with half of the body.
    MalformedJson,
    /// The regular response, whose connection ends in the middle of the body.
    Cut,
    /// The regular response, delayed.
    Slow(Duration),
    /// No response.
    Hang,
    /// 302 to this URL.
    Redirect(String),
}

impl Fault {
    fn problem(status: u16, headers: Vec<(&'static str, String)>, kind: &str, title: &str, detail: &str) -> Self {
        let body = json!({"type": kind, "title": title, "detail": detail, "status": status}).to_string();
        Self::Answer { status, headers, body }
    }

    pub fn bad_request() -> Self {
        Self::problem(
            400,
            vec![],
            &format!("{PROBLEMS}/invalid-request"),
            "Invalid Request",
            "One or more parameters is invalid.",
        )
    }

    pub fn unauthorized() -> Self {
        Self::problem(401, vec![], "about:blank", "Unauthorized", "Unauthorized")
    }

    pub fn forbidden() -> Self {
        let detail = "When authenticating requests to the X API v2 endpoints, you must use keys and tokens from an App attached to a Project.";
        Self::problem(403, vec![], &format!("{PROBLEMS}/client-forbidden"), "Client Forbidden", detail)
    }

    pub fn not_found() -> Self {
        Self::problem(404, vec![], "about:blank", "Not Found", "Not Found")
    }

    pub fn conflict() -> Self {
        let detail = "Rules must be configured before connecting.";
        Self::problem(
            409,
            vec![],
            "https://api.x.com/2/problems/rule-configuration-issue",
            "ConnectionException",
            detail,
        )
    }

    /// 429 with `Retry-After` alone.
    pub fn retry_after(seconds: u64) -> Self {
        let headers = vec![("retry-after", seconds.to_string())];
        Self::problem(429, headers, "about:blank", "Too Many Requests", "Too Many Requests")
    }

    /// 429 without a time.
    pub fn too_many_requests() -> Self {
        Self::problem(429, vec![], "about:blank", "Too Many Requests", "Too Many Requests")
    }

    pub fn usage_capped() -> Self {
        let body = json!({
            "type": format!("{PROBLEMS}/usage-capped"), "title": "UsageCapExceeded", "period": "Monthly",
            "scope": "Product", "account_id": "1", "product_name": "pay-per-use", "status": 429,
            "detail": "Usage cap exceeded: Monthly product cap",
        });
        Self::Answer { status: 429, headers: vec![], body: body.to_string() }
    }

    pub fn too_many_connections() -> Self {
        let body = json!({
            "title": "ConnectionException", "connection_issue": "TooManyConnections", "status": 429,
            "detail": "This stream is currently at the maximum allowed connection limit.",
            "type": format!("{PROBLEMS}/streaming-connection"),
        });
        Self::Answer { status: 429, headers: vec![], body: body.to_string() }
    }

    pub fn server_error() -> Self {
        let kind = format!("{PROBLEMS}/internal-error");
        Self::problem(500, vec![], &kind, "Internal Server Error", "Something is broken.")
    }

    pub fn unavailable() -> Self {
        Self::problem(503, vec![], "about:blank", "Service Unavailable", "Service Unavailable")
    }

    /// The response of a proxy.
    pub fn html(status: u16) -> Self {
        Self::Answer { status, headers: vec![("content-type", "text/html".into())], body: "<html>no</html>".into() }
    }
}

/// An entry of `errors` in a 200: a post that this app may not read.
pub fn partial_error() -> Value {
    json!({
        "type": format!("{PROBLEMS}/not-authorized-for-resource"), "title": "Authorization Error",
        "detail": "Sorry, you are not authorized to see the Post with referenced_tweets.id: [20].",
        "resource_type": "tweet", "resource_id": "20", "parameter": "referenced_tweets.id", "value": "20",
    })
}
