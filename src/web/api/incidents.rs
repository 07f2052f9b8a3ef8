//! `/api/v1/incidents`: incidents of the last seven days, and who takes care of them. Lists are read from the board, past the
//! monitor's thread.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Console;
use super::super::auth::Caller;
use super::super::error::{JsonBody, PathParameter, Problem, UrlParameters};
use super::list_page::{self, ListKey};
use crate::notify::dispatch::IncidentView;
use crate::pipeline::{AlertQuery, AlertReply};

/// Signs what nobody has signed.
pub(super) const ANONYMOUS: &str = "api";
/// Characters of a name.
pub(super) const MAX_NAME: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum IncidentState {
    Firing,
    Resolved,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct IncidentParameters {
    /// Only these.
    #[param(inline, nullable = false)]
    state: Option<IncidentState>,
    /// How many.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// After the previous page: its `next`.
    #[param(value_type = Option<String>, nullable = false, pattern = r"^[01]\.[0-9]{1,13}\.[A-Z0-9-]+$")]
    page: Option<ListKey>,
}

/// A page of incidents.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IncidentPage {
    /// Firing ones first, the newest first.
    incidents: Vec<IncidentView>,
    /// Where the next page starts; null after the last.
    next: Option<String>,
}

/// Who takes care of an incident.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledgement {
    /// A person who is signed in signs as that person, and a token without this under its own name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    by: Option<String>,
    /// What the others should know; stands in messages.
    #[serde(default)]
    #[schema(max_length = 300)]
    comment: String,
}

/// A note of a person or a program.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncidentNote {
    #[schema(min_length = 1, max_length = 4000, pattern = r"\S")]
    text: String,
    /// A person who is signed in signs as that person, and a token without this under its own name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    by: Option<String>,
}

/// Incidents of the last seven days
#[utoipa::path(
    get,
    path = "/api/v1/incidents",
    operation_id = "listIncidents",
    tag = "incidents",
    params(IncidentParameters),
    responses((status = 200, description = "Firing ones first, the newest first", body = IncidentPage))
)]
pub(super) async fn list(
    State(console): State<Console>,
    UrlParameters(parameters): UrlParameters<IncidentParameters>,
) -> Result<Json<IncidentPage>, Problem> {
    let limit = list_page::limit(parameters.limit)?;
    let board = console.daemon.board();
    let is_asked = |view: &&IncidentView| match parameters.state {
        None => true,
        Some(state) => view.is_firing() == (state == IncidentState::Firing),
    };
    let key = |view: &&IncidentView| ListKey::new(!view.is_firing(), view.incident.started_at, &view.incident.id);
    let asked = board.incidents.iter().filter(is_asked);
    let (incidents, next) = list_page::page(asked, key, limit, parameters.page.as_ref());
    Ok(Json(IncidentPage { incidents: incidents.into_iter().cloned().collect(), next }))
}

/// An incident
#[utoipa::path(
    get,
    path = "/api/v1/incidents/{id}",
    operation_id = "getIncident",
    tag = "incidents",
    params(("id" = String, Path, description = "Such as AIRP-7F3K, in upper or lower case")),
    responses(
        (status = 200, description = "The incident with its alerts and deliveries", body = IncidentView),
        (status = 404, description = "No incident of the last seven days has this id"),
    )
)]
pub(super) async fn one(
    State(console): State<Console>,
    PathParameter(id): PathParameter<String>,
) -> Result<Json<IncidentView>, Problem> {
    show(&console, id).await
}

/// Take care of an incident: no reminders and no escalation from now on
///
/// The first acknowledgement stands.
#[utoipa::path(
    put,
    path = "/api/v1/incidents/{id}/acknowledgement",
    operation_id = "acknowledgeIncident",
    tag = "incidents",
    params(("id" = String, Path, description = "Such as AIRP-7F3K, in upper or lower case")),
    request_body(content = Option<Acknowledgement>, description = "May be left out"),
    responses(
        (status = 200, description = "The incident", body = IncidentView),
        (status = 400, description = "The comment is too long"),
        (status = 404, description = "No incident of the last seven days has this id"),
        (status = 409, description = "The incident is already resolved"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn acknowledge(
    State(console): State<Console>,
    Extension(caller): Extension<Caller>,
    PathParameter(id): PathParameter<String>,
    body: Option<JsonBody<Acknowledgement>>,
) -> Result<Json<IncidentView>, Problem> {
    let (given, comment) = body.map_or_else(Default::default, |JsonBody(body)| (body.by, body.comment));
    let by = signer(&caller, given)?;
    ask(&console, AlertQuery::Acknowledge { id: id.clone(), by, comment }).await?;
    show(&console, id).await
}

/// Add a note to an incident
#[utoipa::path(
    post,
    path = "/api/v1/incidents/{id}/notes",
    operation_id = "noteIncident",
    tag = "incidents",
    params(("id" = String, Path, description = "Such as AIRP-7F3K, in upper or lower case")),
    request_body = IncidentNote,
    responses(
        (status = 201, description = "The incident", body = IncidentView),
        (status = 400, description = "The text is empty or too long"),
        (status = 404, description = "No incident of the last seven days has this id"),
        (status = 409, description = "The incident has 200 notes already"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn note(
    State(console): State<Console>,
    Extension(caller): Extension<Caller>,
    PathParameter(id): PathParameter<String>,
    JsonBody(note): JsonBody<IncidentNote>,
) -> Result<(StatusCode, Json<IncidentView>), Problem> {
    let by = signer(&caller, note.by)?;
    ask(&console, AlertQuery::Note { id: id.clone(), by, text: note.text }).await?;
    Ok((StatusCode::CREATED, show(&console, id).await?))
}

/// Withdraw the acknowledgement of an incident
#[utoipa::path(
    delete,
    path = "/api/v1/incidents/{id}/acknowledgement",
    operation_id = "unacknowledgeIncident",
    tag = "incidents",
    params(("id" = String, Path, description = "Such as AIRP-7F3K, in upper or lower case")),
    responses(
        (status = 200, description = "The incident", body = IncidentView),
        (status = 404, description = "No incident of the last seven days has this id"),
    )
)]
pub(super) async fn unacknowledge(
    State(console): State<Console>,
    Extension(caller): Extension<Caller>,
    PathParameter(id): PathParameter<String>,
) -> Result<Json<IncidentView>, Problem> {
    let by = Some(signer(&caller, None)?);
    ask(&console, AlertQuery::Unacknowledge { id: id.clone(), by }).await?;
    show(&console, id).await
}

async fn show(console: &Console, id: String) -> Result<Json<IncidentView>, Problem> {
    match ask(console, AlertQuery::Show { id }).await? {
        AlertReply::Incident(view) => Ok(Json(*view)),
        _ => Err(unexpected()),
    }
}

/// Asks the monitor's thread.
pub(super) async fn ask(console: &Console, query: AlertQuery) -> Result<AlertReply, Problem> {
    match console.daemon.alerts(query).await {
        Ok(reply) => reply.map_err(|error| Problem::from(&error)),
        Err(error) => Err(Problem::unavailable(&error)),
    }
}

/// The reply is not one to the question: a fault of vigie.
pub(super) fn unexpected() -> Problem {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "unexpected reply of the daemon")
}

/// Who signs what `caller` changes.
///
/// # Errors
/// When the name that is given is empty or too long, or has control characters.
pub(super) fn signer(caller: &Caller, given: Option<String>) -> Result<String, Problem> {
    let is_valid = |name: &String| {
        let length = name.chars().count();
        (1..=MAX_NAME).contains(&length) && !name.trim().is_empty() && !name.chars().any(char::is_control)
    };
    if given.as_ref().is_some_and(|name| !is_valid(name)) {
        let detail = format!("by: expected a name of 1 to {MAX_NAME} characters, without control characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    Ok(caller.signer(given).unwrap_or_else(|| ANONYMOUS.to_owned()))
}
