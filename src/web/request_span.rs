//! The span of a web request, for telemetry: method, route and status. Never the path, the query or the address of the client.

use axum::http::{Method, StatusCode};
use tracing::Span;
use tracing::field::Empty;

use crate::logging::SPANS;

/// Methods that requests have; any other text is the client's own.
const METHODS: [Method; 7] =
    [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::DELETE, Method::OPTIONS, Method::PATCH];

/// Begins the span of a request to `route`, the template that its path matched, or `none`.
pub(super) fn begin(method: &Method, route: &str) -> Span {
    let method = if METHODS.contains(method) { method.as_str() } else { "_OTHER" };
    tracing::trace_span!(
        target: SPANS,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
    )
}

/// Ends it with the status of the response.
pub(super) fn end(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    // A request that is refused is no failure of the server.
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
