//! `/api/v1/feedback`, for `vigie feedback` beside a running daemon: labels that people give in place of the model's.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};

use super::super::Console;
use super::super::auth::refusal;
use crate::monitor::Correction;

pub(in crate::web) async fn take(
    State(console): State<Console>,
    headers: HeaderMap,
    Json(correction): Json<Correction>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal;
    }
    if let Some(fault) = correction.fault() {
        return (StatusCode::BAD_REQUEST, format!("{fault}\n")).into_response();
    }
    match console.daemon.correct(correction).await {
        Ok(Some(given)) => Json(given).into_response(),
        Ok(None) => {
            let why = "no post of that identifier is kept: give its text instead\n";
            (StatusCode::NOT_FOUND, why).into_response()
        }
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response(),
    }
}

pub(in crate::web) async fn list(State(console): State<Console>, headers: HeaderMap) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal;
    }
    match console.daemon.feedback().await {
        Ok(all) => Json(all).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response(),
    }
}
