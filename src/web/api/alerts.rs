//! `POST /api/v1/alerts`: looks at incidents and silences or changes them, for `vigie alerts`. Programs use `/api/v1/incidents` and
//! `/api/v1/silences`.

use axum::extract::State;
use axum::response::Json;

use super::super::Console;
use super::super::error::{JsonBody, Problem};
use super::incidents::ask;
use crate::pipeline::{AlertQuery, AlertReply};

/// Incidents and silences, as `vigie alerts` asks for them
#[utoipa::path(
    post,
    path = "/api/v1/alerts",
    operation_id = "queryAlerts",
    tag = "incidents",
    request_body = AlertQuery,
    responses(
        (status = 200, description = "The reply to the query", body = AlertReply),
        (status = 400, description = "The body is not JSON, or a silence is not valid"),
        (status = 404, description = "Unknown incident or silence"),
        (status = 409, description = "The incident is already resolved"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn query(
    State(console): State<Console>,
    JsonBody(query): JsonBody<AlertQuery>,
) -> Result<Json<AlertReply>, Problem> {
    ask(&console, query).await.map(Json)
}
