//! `/api/v1/feedback`, for `vigie feedback`: labels that people give in place of the model's.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};

use super::super::Console;
use super::super::auth::refusal;
use super::super::error::{JsonBody, Problem};
use crate::monitor::Correction;

/// Records a correction.
pub(in crate::web) async fn record(
    State(console): State<Console>,
    headers: HeaderMap,
    JsonBody(correction): JsonBody<Correction>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    if let Some(problem) = correction.validate() {
        return Problem::new(StatusCode::BAD_REQUEST, problem).into_response();
    }
    match console.daemon.correct(vec![correction]).await.map(|given| given.and_then(|given| given.into_iter().next())) {
        Ok(Some(feedback)) => Json(feedback).into_response(),
        Ok(None) => Problem::new(StatusCode::NOT_FOUND, "no post with this identifier is kept: give its text instead")
            .into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}

/// All corrections, the oldest first.
pub(in crate::web) async fn list(State(console): State<Console>, headers: HeaderMap) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    match console.daemon.feedback().await {
        Ok(all) => Json(all).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}
