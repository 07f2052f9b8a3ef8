//! `POST /api/v1/alerts`: looks at incidents and silences or changes them, for `vigie alerts`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Json, Response};

use super::super::Console;
use super::super::auth::refusal;
use super::super::error::{JsonBody, Problem};
use crate::pipeline::AlertQuery;

pub(in crate::web) async fn query(
    State(console): State<Console>,
    headers: HeaderMap,
    JsonBody(query): JsonBody<AlertQuery>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    match console.daemon.alerts(query).await {
        Ok(Ok(reply)) => Json(reply).into_response(),
        Ok(Err(error)) => Problem::from(&error).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}
