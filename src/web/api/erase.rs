//! `POST /api/v1/forget`: erases an author or a post while the daemon runs, for `vigie forget`.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Json, Response};

use super::super::Console;
use super::super::auth::refusal;
use crate::monitor::Selector;

pub(in crate::web) async fn forget(
    State(console): State<Console>,
    headers: HeaderMap,
    Json(who): Json<Selector>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal;
    }
    match console.daemon.forget(who).await {
        Ok(receipt) => Json(receipt).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}\n")).into_response(),
    }
}
