//! `POST /api/v1/forget`: erases an author or a post while the daemon runs, for `vigie forget`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;

use super::super::Console;
use super::super::error::{JsonBody, Problem};
use crate::monitor::{Receipt, Selector};

/// Erase a post or an author everywhere
#[utoipa::path(
    post,
    path = "/api/v1/forget",
    operation_id = "forget",
    tag = "posts",
    request_body = Selector,
    responses(
        (status = 200, description = "What was removed", body = Receipt),
        (status = 400, description = "The body is not JSON"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn erase(
    State(console): State<Console>,
    JsonBody(selector): JsonBody<Selector>,
) -> Result<Json<Receipt>, Problem> {
    // The monitor would take it for a failure of the store, and try it again for ever.
    if selector.is_empty() {
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "the name or identifier to forget is empty"));
    }
    console.daemon.forget(selector).await.map(Json).map_err(|error| Problem::unavailable(&error))
}
