//! `/api/v1/feedback`: labels that people give in place of the model's.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use serde::Deserialize;

use super::super::auth::Caller;
use super::super::error::{JsonBody, Problem, UrlParameters};
use super::super::{Console, blocking};
use super::list_page;
use crate::monitor::{Correction, FeedbackRecord};
use crate::query::FeedbackPage;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FeedbackParameters {
    /// How many.
    #[param(nullable = false, minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// After the previous page: its `next`.
    #[param(nullable = false)]
    page: Option<u64>,
}

/// Record the right label of a post or text
#[utoipa::path(
    post,
    path = "/api/v1/feedback",
    operation_id = "recordFeedback",
    tag = "feedback",
    request_body = Correction,
    responses(
        (status = 200, description = "What was recorded", body = FeedbackRecord),
        (status = 400, description = "The body is not JSON, or the text or the name is empty or too long"),
        (status = 404, description = "No post with this identifier is kept"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The body has not the expected form"),
    )
)]
pub(super) async fn record(
    State(console): State<Console>,
    Extension(caller): Extension<Caller>,
    JsonBody(correction): JsonBody<Correction>,
) -> Result<Json<FeedbackRecord>, Problem> {
    if let Some(problem) = correction.validate() {
        return Err(Problem::new(StatusCode::BAD_REQUEST, problem));
    }
    let correction = Correction { by: caller.signer(correction.by.clone()), ..correction };
    let given = console.daemon.correct(vec![correction]).await.map_err(|error| Problem::unavailable(&error))?;
    let given = given.and_then(|given| given.into_iter().next());
    let detail = "no post with this identifier is kept: give its text instead";
    given.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, detail))
}

/// Feedback, the oldest first
#[utoipa::path(
    get,
    path = "/api/v1/feedback",
    operation_id = "listFeedback",
    tag = "feedback",
    params(FeedbackParameters),
    responses((status = 200, description = "The oldest first", body = FeedbackPage))
)]
pub(super) async fn list(
    State(console): State<Console>,
    UrlParameters(parameters): UrlParameters<FeedbackParameters>,
) -> Result<Json<FeedbackPage>, Problem> {
    let limit = list_page::limit(parameters.limit)?;
    let query = console.daemon.query.clone();
    blocking::run(move || query.feedback(limit, parameters.page)).await.map(Json)
}
