//! `POST /api/v1/posts`: posts from outside, as JSON lines. `GET`: stored posts, read past the monitor's thread.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;
use tokio::sync::oneshot;

use super::super::auth::{bearer, refusal};
use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use crate::query::Filter;
use crate::source::TrySendError;
use crate::source::http::{BodyError, parse_body};

/// Seconds after which a sender may try again when the pipeline is full.
const RETRY_AFTER: &str = "5";

/// Posts of a page unless the request says otherwise.
const PAGE: usize = 50;

/// A page of stored posts, the newest first. Parameters are those of [`Filter::set`], `limit` and `page`.
pub(in crate::web) async fn list(
    State(console): State<Console>,
    headers: HeaderMap,
    UrlParameters(parameters): UrlParameters<Vec<(String, String)>>,
) -> Response {
    if let Some(refusal) = refusal(&console, &headers) {
        return refusal.into_response();
    }
    let (mut filter, mut limit, mut page) = (Filter::default(), PAGE, None);
    for (name, value) in &parameters {
        let result = match name.as_str() {
            "limit" => value.parse().map(|number| limit = number).map_err(|_| "limit: expected a number".to_owned()),
            "page" => value.parse().map(|token| page = Some(token)).map_err(|error| format!("page: {error}")),
            name => filter.set(name, value).map_err(|error| error.to_string()),
        };
        if let Err(problem) = result {
            return Problem::new(StatusCode::BAD_REQUEST, problem).into_response();
        }
    }
    let query = console.daemon.query.clone();
    match blocking::run(move || query.page(&filter, limit, page)).await {
        Ok(page) => Json(page).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// Accepts posts; answers once they are on disk.
pub(in crate::web) async fn ingest(State(console): State<Console>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(intake) = console.daemon.http() else {
        return Problem::new(StatusCode::NOT_FOUND, "no source of type \"http\" is configured, or vigie is stopping")
            .into_response();
    };
    if !bearer(&headers).is_some_and(|token| intake.token.matches(token)) {
        return Problem::unauthorized("the token of the source of type \"http\"").into_response();
    }
    let topic = intake.topic.clone();
    // Unpacking and parsing take the processor: other requests must not wait for them.
    let parsed = tokio::task::spawn_blocking(move || parse_body(body.into(), topic.as_deref())).await;
    let parsed = match parsed {
        Ok(Ok(parsed)) => parsed,
        Ok(Err(error @ BodyError::TooLarge)) => {
            return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response();
        }
        Ok(Err(error)) => return Problem::new(StatusCode::BAD_REQUEST, error.to_string()).into_response(),
        Err(error) => return Problem::unavailable(&error.into()).into_response(),
    };
    let (ack, stored) = oneshot::channel();
    let mut batch = parsed.batch;
    let accepted = batch.posts.len();
    batch.ack = Some(ack);
    match intake.out.try_send(batch) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => {
            let detail = "the pipeline is full, and no post of this request was accepted; send them again later";
            return Problem::new(StatusCode::TOO_MANY_REQUESTS, detail)
                .with_header(header::RETRY_AFTER, RETRY_AFTER)
                .into_response();
        }
        Err(TrySendError::Closed(_)) => {
            return Problem::new(StatusCode::SERVICE_UNAVAILABLE, "vigie is stopping").into_response();
        }
    }
    // Not held while waiting: it would keep the queue open when the daemon stops.
    let (received_at, health) = (intake.out.now(), intake.out.health.clone());
    drop(intake);
    if stored.await.is_err() {
        return Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "vigie stopped before the posts were stored; send them again",
        )
        .into_response();
    }
    health.update(|report| report.last_success = Some(received_at));
    let line =
        |(line, reason, detail): (u64, String, String)| json!({"line": line, "reason": reason, "detail": detail});
    let rejected: Vec<_> = parsed.rejected.into_iter().map(line).collect();
    (StatusCode::ACCEPTED, Json(json!({"accepted": accepted, "rejected": rejected}))).into_response()
}
