//! [`Problem`]: the one body of every refusal by the API, `application/problem+json` (RFC 9457).

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

use crate::notify::dispatch::AlertQueryError;

/// Why a request was refused. The `type` is `about:blank`: the status says what kind of problem it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    /// One line for a person, without secrets or texts of posts.
    detail: String,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// `detail` is one line for a person, without secrets or texts of posts.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { r#type: "about:blank", title, status: status.as_u16(), detail: detail.into(), headers: Vec::new() }
    }

    /// Adds a header of the response, such as `Retry-After`.
    pub(super) fn with_header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The request shows no token, or a wrong one; `expected` says which one.
    pub(super) fn unauthorized(expected: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            format!("expected the header `Authorization: Bearer TOKEN`, with {expected}"),
        )
        .with_header(header::WWW_AUTHENTICATE, "Bearer")
    }

    /// The daemon cannot answer now, mostly because it is stopping.
    pub(super) fn unavailable(error: &anyhow::Error) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}"))
    }

    pub(super) async fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "there is nothing at this path")
    }

    pub(super) async fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not support this method")
    }
}

impl From<&AlertQueryError> for Problem {
    fn from(error: &AlertQueryError) -> Self {
        let status = match error {
            AlertQueryError::NoIncident(_) | AlertQueryError::NoSilence(_) => StatusCode::NOT_FOUND,
            AlertQueryError::AlreadyResolved(_) => StatusCode::CONFLICT,
            AlertQueryError::NoMatcher
            | AlertQueryError::SilenceLength
            | AlertQueryError::NoteLength(_)
            | AlertQueryError::CommentLength(_) => StatusCode::BAD_REQUEST,
            AlertQueryError::TooManyNotes(_) => StatusCode::CONFLICT,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response.headers_mut().extend(self.headers);
        response
    }
}

/// A JSON body. One that cannot be read is refused as a [`Problem`].
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: JsonRejection| Problem::new(rejection.status(), rejection.body_text());
        <Json<T> as FromRequest<S>>::from_request(request, state).await.map(|Json(body)| Self(body)).map_err(refused)
    }
}

/// A body that may be left out, with its `Content-Type`.
impl<S: Send + Sync, T: DeserializeOwned> OptionalFromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let refused = |rejection: JsonRejection| Problem::new(rejection.status(), rejection.body_text());
        let body = <Json<T> as OptionalFromRequest<S>>::from_request(request, state).await;
        body.map(|body| body.map(|Json(body)| Self(body))).map_err(refused)
    }
}

/// The variable part of a path. One that cannot be read is refused as a [`Problem`].
pub(super) struct PathParameter<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathParameter<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: PathRejection| Problem::new(rejection.status(), rejection.body_text());
        Path::from_request_parts(parts, state).await.map(|Path(parameter)| Self(parameter)).map_err(refused)
    }
}

/// The parameters of a URL. Ones that cannot be read are refused as a [`Problem`].
pub(super) struct UrlParameters<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for UrlParameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let refused = |rejection: QueryRejection| Problem::new(rejection.status(), rejection.body_text());
        Query::from_request_parts(parts, state).await.map(|Query(parameters)| Self(parameters)).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_has_the_members_of_rfc_9457() {
        let response = Problem::unauthorized("the token of the test").into_response();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer");
        let body = axum::body::to_bytes(response.into_body(), 4_096).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let detail = "expected the header `Authorization: Bearer TOKEN`, with the token of the test";
        let expected =
            serde_json::json!({"type": "about:blank", "title": "Unauthorized", "status": 401, "detail": detail});
        assert_eq!(body, expected);
    }
}
