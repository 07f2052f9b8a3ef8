//! What machines ask: is it alive, does it do its work, its metrics, and a reload.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Console;

/// The process answers. Restarting on anything else than this would not help.
pub(super) async fn healthy() -> &'static str {
    "vigie is healthy\n"
}

/// It also does its work: else 503 with a reason a line.
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

/// Takes the configuration anew, or says why the old one stays.
pub(super) async fn reload(State(console): State<Console>) -> Response {
    match (console.reload)().await {
        Ok(()) => "the configuration was taken\n".into_response(),
        Err(error) => (StatusCode::BAD_REQUEST, format!("the old configuration stays: {error:#}\n")).into_response(),
    }
}
