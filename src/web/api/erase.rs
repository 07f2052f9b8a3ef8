//! `POST /api/v1/forget`: erases an author or a post while the daemon runs, for `vigie forget`.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Json, Response};

use super::super::Console;
use super::super::auth::refusal;
use super::super::error::{JsonBody, Problem};
use crate::monitor::Selector;

pub(in crate::web) async fn erase(
    State(console): State<Console>,
    headers: HeaderMap,
    JsonBody(selector): JsonBody<Selector>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    match console.daemon.forget(selector).await {
        Ok(receipt) => Json(receipt).into_response(),
        Err(error) => Problem::unavailable(&error).into_response(),
    }
}
