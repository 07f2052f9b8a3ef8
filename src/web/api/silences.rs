//! `/api/v1/silences`: silences are listed, made and ended.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::Console;
use super::super::auth::Caller;
use super::super::error::{JsonBody, PathParameter, Problem, UrlParameters};
use super::incidents::{ask, signer, unexpected};
use super::list_page::{self, ListKey};
use crate::notify::{Matcher, Silence};
use crate::pipeline::{AlertQuery, AlertReply};

/// Characters of a comment.
const MAX_COMMENT: usize = 500;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SilenceParameters {
    /// Also those that ended in the last seven days.
    #[serde(default)]
    #[param(default = false)]
    all: bool,
    /// How many.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// After the previous page: its `next`.
    #[param(value_type = Option<String>, nullable = false, pattern = r"^[01]\.[0-9]{1,13}\.[A-Z0-9-]+$")]
    page: Option<ListKey>,
}

/// A page of silences.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SilencePage {
    /// Active ones first, the newest first.
    silences: Vec<Silence>,
    /// Where the next page starts; null after the last.
    next: Option<String>,
}

/// A silence to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewSilence {
    /// All must match, as Alertmanager writes them: `topic="Air Paradis"`, `severity=~"warning|info"`.
    #[schema(value_type = Vec<String>, min_items = 1, example = json!(["topic=\"Air Paradis\""]))]
    matchers: Vec<Matcher>,
    /// How long it lasts, from now on.
    #[schema(minimum = 60, maximum = 34560000)]
    seconds: u64,
    /// A person who is signed in signs as that person, and a token without this under its own name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    by: Option<String>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 500)]
    comment: String,
}

/// Silences
#[utoipa::path(
    get,
    path = "/api/v1/silences",
    operation_id = "listSilences",
    tag = "silences",
    params(SilenceParameters),
    responses((status = 200, description = "Active ones first, the newest first", body = SilencePage))
)]
pub(super) async fn list(
    State(console): State<Console>,
    UrlParameters(parameters): UrlParameters<SilenceParameters>,
) -> Result<Json<SilencePage>, Problem> {
    let limit = list_page::limit(parameters.limit)?;
    let (all, now) = silences(&console).await?;
    let asked = all.into_iter().filter(|silence| parameters.all || silence.ends_at > now);
    let key = |silence: &Silence| ListKey::new(silence.ends_at <= now, silence.starts_at, &silence.id);
    let (silences, next) = list_page::page(asked, key, limit, parameters.page.as_ref());
    Ok(Json(SilencePage { silences, next }))
}

/// A silence
#[utoipa::path(
    get,
    path = "/api/v1/silences/{id}",
    operation_id = "getSilence",
    tag = "silences",
    params(("id" = String, Path, description = "Such as S-7F3K, in upper or lower case")),
    responses(
        (status = 200, description = "The silence", body = Silence),
        (status = 404, description = "No silence of the last seven days has this id"),
    )
)]
pub(super) async fn one(
    State(console): State<Console>,
    PathParameter(id): PathParameter<String>,
) -> Result<Json<Silence>, Problem> {
    let found = silences(&console).await?.0.into_iter().find(|silence| silence.id.eq_ignore_ascii_case(&id));
    found.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no silence of the last seven days has this id"))
}

/// Silence matching alerts: no notifications, except the resolved ones of incidents already sent
#[utoipa::path(
    post,
    path = "/api/v1/silences",
    operation_id = "makeSilence",
    tag = "silences",
    request_body = NewSilence,
    responses(
        (status = 201, description = "The silence", body = Silence,
            headers(("location" = String, description = "The path of the silence"))),
        (status = 400, description = "The body is not JSON, or the silence is too short or too long"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn make(
    State(console): State<Console>,
    Extension(caller): Extension<Caller>,
    JsonBody(new): JsonBody<NewSilence>,
) -> Result<Response, Problem> {
    let NewSilence { matchers, seconds, by, comment } = new;
    let by = signer(&caller, by)?;
    if comment.chars().count() > MAX_COMMENT || comment.chars().any(|c| c.is_control() && c != '\n') {
        let detail = format!("comment: expected at most {MAX_COMMENT} characters, without control characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail));
    }
    match ask(&console, AlertQuery::Silence { matchers, seconds, by, comment }).await? {
        AlertReply::Silence(silence) => {
            let location = HeaderValue::try_from(format!("/api/v1/silences/{}", silence.id)).ok();
            let mut response = (StatusCode::CREATED, Json(silence)).into_response();
            response.headers_mut().extend(location.map(|location| (header::LOCATION, location)));
            Ok(response)
        }
        _ => Err(unexpected()),
    }
}

/// End a silence
#[utoipa::path(
    delete,
    path = "/api/v1/silences/{id}",
    operation_id = "endSilence",
    tag = "silences",
    params(("id" = String, Path, description = "Such as S-7F3K, in upper or lower case")),
    responses(
        (status = 204, description = "It has ended"),
        (status = 404, description = "No such silence is active"),
    )
)]
pub(super) async fn end(
    State(console): State<Console>,
    PathParameter(id): PathParameter<String>,
) -> Result<StatusCode, Problem> {
    ask(&console, AlertQuery::Unsilence { id }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// All silences, and the time of the answer. From the monitor's thread: one that was just made must be in the list.
async fn silences(console: &Console) -> Result<(Vec<Silence>, Timestamp), Problem> {
    match ask(console, AlertQuery::List { all: true }).await? {
        AlertReply::List { silences, now, .. } => Ok((silences, now)),
        _ => Err(unexpected()),
    }
}
