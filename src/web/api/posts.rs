//! `POST /api/v1/posts`: posts from outside, as JSON lines. `GET`: stored posts, read past the monitor's thread.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::super::error::{PathParameter, Problem, UrlParameters};
use super::super::{Console, blocking};
use super::list_page;
use crate::monitor::StoredPost;
use crate::query::{Filter, Page};
use crate::source::TrySendError;
use crate::source::http::{BodyError, parse_body};

/// Seconds after which a sender may try again when the pipeline is full.
const RETRY_AFTER: &str = "5";

/// The parameters of a list of posts, for the OpenAPI document: [`Filter::set`] reads them.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only describes")]
struct PostParameters {
    /// Of one of these topics.
    #[param(nullable = false)]
    topic: Option<Vec<String>>,
    /// With one of these labels: negative, neutral or positive.
    #[param(inline, nullable = false)]
    label: Option<Vec<PostLabel>>,
    #[param(nullable = false)]
    source: Option<String>,
    /// BCP 47; `fr` includes `fr-CA`.
    #[param(nullable = false)]
    language: Option<String>,
    /// Handle or identifier.
    #[param(nullable = false)]
    author: Option<String>,
    /// A post with its retweets, quotes and copies: the `cascade` of a post.
    #[param(pattern = "^[0-9a-f]{16}$")]
    cascade: Option<String>,
    /// From this time on.
    since: Option<Timestamp>,
    /// Before this time.
    until: Option<Timestamp>,
    /// Whose text contains this, in any case; all of them where it is repeated.
    #[param(nullable = false)]
    text: Option<Vec<String>>,
    /// Why the post is negative, such as `late_flight`.
    reason: Option<String>,
    /// Whether a person gave it another label than the model.
    corrected: Option<bool>,
    /// How many.
    #[param(minimum = 1, maximum = 1000, default = 50)]
    limit: Option<usize>,
    /// After the previous page: its `next`.
    page: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum PostLabel {
    Negative,
    Neutral,
    Positive,
}

/// A post to be sent. What X and other tools write is understood too.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only describes")]
struct PlainPost {
    id: String,
    created_at: Timestamp,
    text: String,
    /// Handle, with or without `@`.
    author: Option<String>,
    /// BCP 47.
    lang: Option<String>,
}

/// The outcome of posts that were sent.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IngestAnswer {
    /// Posts that are on disk.
    accepted: usize,
    rejected: Vec<RejectedLine>,
}

/// A line that is not a post.
#[derive(Debug, Serialize, ToSchema)]
struct RejectedLine {
    line: u64,
    reason: String,
    detail: String,
}

/// Stored posts, the newest first
#[utoipa::path(
    get,
    path = "/api/v1/posts",
    operation_id = "listPosts",
    tag = "posts",
    params(PostParameters),
    responses(
        (status = 200, description = "A page; it may be short or empty and still have a next one", body = Page),
        (status = 400, description = "A parameter is not known or not valid"),
    )
)]
pub(super) async fn list(
    State(console): State<Console>,
    UrlParameters(parameters): UrlParameters<Vec<(String, String)>>,
) -> Result<Json<Page>, Problem> {
    let (mut filter, mut limit, mut page) = (Filter::default(), None, None);
    for (name, value) in &parameters {
        let result = match name.as_str() {
            "limit" => {
                value.parse().map(|number| limit = Some(number)).map_err(|_| "limit: expected a number".to_owned())
            }
            "page" => value.parse().map(|token| page = Some(token)).map_err(|error| format!("page: {error}")),
            name => filter.set(name, value).map_err(|error| error.to_string()),
        };
        result.map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
    }
    let limit = list_page::limit(limit)?;
    let query = console.daemon.query.clone();
    blocking::run(move || query.page(&filter, limit, page)).await.map(Json)
}

/// A stored post
#[utoipa::path(
    get,
    path = "/api/v1/posts/{id}",
    operation_id = "getPost",
    tag = "posts",
    params(("id" = String, Path, description = "The source's own identifier")),
    responses(
        (status = 200, description = "The post", body = StoredPost),
        (status = 404, description = "No post with this identifier is kept"),
    )
)]
pub(super) async fn one(
    State(console): State<Console>,
    PathParameter(id): PathParameter<String>,
) -> Result<Json<StoredPost>, Problem> {
    let query = console.daemon.query.clone();
    let found = blocking::run(move || query.post(&id)).await?;
    found.map(Json).ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "no post with this identifier is kept"))
}

/// Send posts
///
/// JSON, best one object a line, at most 512 posts. The answer comes once they are on disk. A post that is sent twice counts once.
#[utoipa::path(
    post,
    path = "/api/v1/posts",
    operation_id = "sendPosts",
    tag = "posts",
    request_body(content = PlainPost, description = "One post, or one a line"),
    responses(
        (status = 202, description = "The posts are on disk", body = IngestAnswer),
        (status = 400, description = "The body is empty or has too many posts"),
        (status = 404, description = "No source of type \"http\" is configured"),
        (status = 429, description = "The queue is full: nothing was accepted",
            headers(("retry-after" = u64, description = "Seconds to wait"))),
    )
)]
pub(super) async fn ingest(
    State(console): State<Console>,
    body: Bytes,
) -> Result<(StatusCode, Json<IngestAnswer>), Problem> {
    let Some(intake) = console.daemon.http() else {
        let detail = "no source of type \"http\" is configured, or vigie is stopping";
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let topic = intake.topic.clone();
    // Unpacking and parsing take the processor: other requests must not wait for them.
    let parsed = tokio::task::spawn_blocking(move || parse_body(body.into(), topic.as_deref())).await;
    let parsed = match parsed {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(error @ BodyError::TooLarge)) => {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()));
        }
        Ok(Err(error)) => return Err(Problem::new(StatusCode::BAD_REQUEST, error.to_string())),
        Err(error) => return Err(Problem::unavailable(&error.into())),
    };
    let (ack, stored) = oneshot::channel();
    let mut batch = parsed.batch;
    let accepted = batch.posts.len();
    batch.ack = Some(ack);
    match intake.out.try_send(batch) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => {
            let detail = "the pipeline is full, and no post of this request was accepted; send them again later";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, detail);
            return Err(problem.with_header(header::RETRY_AFTER, RETRY_AFTER));
        }
        Err(TrySendError::Closed(_)) => {
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "vigie is stopping"));
        }
    }
    // Not held while waiting: it would keep the queue open when the daemon stops.
    let (received_at, health) = (intake.out.now(), intake.out.health.clone());
    drop(intake);
    if stored.await.is_err() {
        let detail = "vigie stopped before the posts were stored; send them again";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail));
    }
    health.update(|report| report.last_success = Some(received_at));
    let line = |(line, reason, detail): (u64, String, String)| RejectedLine { line, reason, detail };
    let rejected = parsed.rejected.into_iter().map(line).collect();
    Ok((StatusCode::ACCEPTED, Json(IngestAnswer { accepted, rejected })))
}
