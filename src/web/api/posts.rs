//! `POST /api/v1/posts`: posts from outside, as JSON lines. Answered once they are on disk.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;
use tokio::sync::oneshot;

use super::super::Console;
use super::super::auth::bearer;
use crate::source::NotTaken;
use crate::source::http::read;

/// Seconds after which a sender may try again when the pipeline is full.
const RETRY_AFTER: &str = "5";

pub(in crate::web) async fn take(State(console): State<Console>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(intake) = console.daemon.http() else {
        return refused(StatusCode::NOT_FOUND, "no source of type \"http\" is configured, or vigie is stopping");
    };
    if !bearer(&headers).is_some_and(|token| intake.token.is(token)) {
        let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
        let why = "wanted: Authorization: Bearer TOKEN, with the token of the source of type \"http\"";
        return (challenge, refused(StatusCode::UNAUTHORIZED, why)).into_response();
    }
    let received = match read(body.into(), intake.topic.as_deref()) {
        Ok(received) => received,
        Err(error) => return refused(StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let (durable, stored) = oneshot::channel();
    let mut delivery = received.delivery;
    let accepted = delivery.posts.len();
    delivery.durable = Some(durable);
    match intake.outlet.try_deliver(delivery) {
        Ok(()) => {}
        Err(NotTaken::Full(_)) => {
            let wait = [(header::RETRY_AFTER, RETRY_AFTER)];
            let why = "more posts are waiting than can be taken; nothing of this request was";
            return (wait, refused(StatusCode::TOO_MANY_REQUESTS, why)).into_response();
        }
        Err(NotTaken::Closed(_)) => return refused(StatusCode::SERVICE_UNAVAILABLE, "vigie is stopping"),
    }
    // Not held while waiting: it would keep the queue open when the daemon stops.
    let (outlet_now, health) = (intake.outlet.now(), intake.outlet.health.clone());
    drop(intake);
    if stored.await.is_err() {
        return refused(StatusCode::SERVICE_UNAVAILABLE, "vigie stopped before the posts were stored; send them again");
    }
    health.update(|report| report.last_success = Some(outlet_now));
    let line =
        |(line, reason, detail): (u64, String, String)| json!({"line": line, "reason": reason, "detail": detail});
    let rejected: Vec<_> = received.rejected.into_iter().map(line).collect();
    (StatusCode::ACCEPTED, Json(json!({"accepted": accepted, "rejected": rejected}))).into_response()
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({"error": why}))).into_response()
}
