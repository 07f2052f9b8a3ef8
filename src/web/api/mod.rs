//! The HTTP API, one file per resource. Each route names the scope that it needs; [`auth`](super::auth) knows who has it.

mod alerts;
mod api_router;
mod classify;
mod erase;
mod feedback;
mod incidents;
mod list_page;
mod model;
mod openapi;
mod posts;
mod report;
mod silences;
mod sources;
mod status;
mod windows;

use super::Console;
use super::auth::Scope;
use api_router::{Access, ApiRouter};

/// All routes of the API. `docs/api.md` lists them, and each stands in the OpenAPI document.
fn routes() -> ApiRouter {
    let open = Access::Open;
    let [read, feedback, operate, ingest] = Scope::ALL.map(Access::Scope);
    ApiRouter::default()
        .get("/api/v1/openapi.json", open, openapi::serve)
        .get("/api/v1/status", open, status::status)
        .get("/api/v1/live", open, super::live::status)
        .get("/api/v1/posts", read, posts::list)
        .post("/api/v1/posts", ingest, posts::ingest)
        .get("/api/v1/posts/{id}", read, posts::one)
        .post("/api/v1/classify", read, classify::classify)
        .get("/api/v1/feedback", read, feedback::list)
        .post("/api/v1/feedback", feedback, feedback::record)
        .get("/api/v1/report", read, report::page)
        .get("/api/v1/windows", read, windows::windows)
        .get("/api/v1/incidents", read, incidents::list)
        .get("/api/v1/incidents/{id}", read, incidents::one)
        .put("/api/v1/incidents/{id}/acknowledgement", operate, incidents::acknowledge)
        .delete("/api/v1/incidents/{id}/acknowledgement", operate, incidents::unacknowledge)
        .post("/api/v1/incidents/{id}/notes", feedback, incidents::note)
        .get("/api/v1/silences", read, silences::list)
        .post("/api/v1/silences", operate, silences::make)
        .get("/api/v1/silences/{id}", read, silences::one)
        .delete("/api/v1/silences/{id}", operate, silences::end)
        .get("/api/v1/model", read, model::model)
        .get("/api/v1/sources", read, sources::sources)
        .post("/api/v1/alerts", operate, alerts::query)
        .post("/api/v1/forget", operate, erase::erase)
}

/// The routes, as the server mounts them.
pub(super) fn router() -> axum::Router<Console> {
    routes().into_router()
}
