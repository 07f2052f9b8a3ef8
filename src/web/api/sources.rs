//! `GET /api/v1/sources`: how each source is doing.

use axum::extract::State;
use axum::response::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::Console;
use crate::pipeline::status::SourceStatus;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourceList {
    sources: Vec<SourceStatus>,
}

/// Sources: state, last error, cost so far
#[utoipa::path(
    get,
    path = "/api/v1/sources",
    operation_id = "listSources",
    tag = "daemon",
    responses((status = 200, description = "All sources of the configuration", body = SourceList))
)]
pub(super) async fn sources(State(console): State<Console>) -> Json<SourceList> {
    Json(SourceList { sources: console.daemon.status().sources })
}
