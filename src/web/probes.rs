//! Probes for machines: health, readiness, metrics, reload.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Console;

/// The process answers. Nothing else belongs here: a restart would not help.
pub(super) async fn healthy() -> &'static str {
    "vigie is healthy\n"
}

/// Every stage makes progress; otherwise 503 with one reason per line.
pub(super) async fn ready(State(console): State<Console>) -> Response {
    let mut reasons = console.daemon.status().not_ready;
    reasons.extend(console.daemon.stuck());
    if reasons.is_empty() {
        return "vigie is ready\n".into_response();
    }
    let mut body = String::from("vigie is not ready:\n");
    reasons.iter().for_each(|reason| body.extend(["- ", reason, "\n"]));
    (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
}

/// Everything in Prometheus' text format.
pub(super) async fn metrics(State(console): State<Console>) -> Response {
    match console.daemon.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Reloads the configuration, or says why it was rejected.
pub(super) async fn reload(State(console): State<Console>) -> Response {
    match (console.reload)().await {
        Ok(()) => "configuration reloaded\n".into_response(),
        Err(error) => {
            (StatusCode::BAD_REQUEST, format!("configuration not reloaded, the previous one stays in use: {error:#}\n"))
                .into_response()
        }
    }
}
