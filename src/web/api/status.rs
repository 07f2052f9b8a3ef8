//! `GET /api/v1/status`: the state of the daemon. It holds no text and no author of a post, and needs no token.

use axum::extract::State;
use axum::response::Json;

use super::super::Console;
use crate::pipeline::status::Status;

/// The state of the daemon
#[utoipa::path(
    get,
    path = "/api/v1/status",
    operation_id = "getStatus",
    tag = "daemon",
    responses((status = 200, description = "The last published state", body = Status))
)]
pub(super) async fn status(State(console): State<Console>) -> Json<Status> {
    Json(console.daemon.status())
}
