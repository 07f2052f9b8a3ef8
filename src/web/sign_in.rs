//! Who may see and do what on the pages. On loopback nobody signs in. On any other address every page but the sign-in needs a
//! session, and what a user may change depends on the role. Probes, metrics and the API, which has its own tokens, are not
//! concerned.
//!
//! ```text
//!   request --> gate: open path? session? role? --> page          POST /sign-in: name, password --> session cookie
//! ```

mod attempts;
pub(super) mod form_token;
mod sessions;
mod users;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

pub use users::{Role, User, UserError, Users};

use super::cookies;
use super::error::Problem;
use super::server::MAX_BODY_BYTES;
use super::shared_links;
use attempts::Attempts;
use sessions::Sessions;

/// Holds the name of a session.
pub(super) const SESSION_COOKIE: &str = "vigie_session";

/// Why a form without the token of the session is refused.
pub(super) const FOREIGN_FORM: &str =
    "the form is not of a page of this session, or has no `form_token`: reload the page and try again";

/// Sign-ins that may wait for their turn.
const MAX_WAITING: usize = 8;

/// Who is signed in, as the pages see it. On loopback it is an operator without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignedIn {
    pub(super) user: Option<String>,
    pub(super) role: Role,
}

/// Decides about requests. Clones share sessions and failed attempts.
#[derive(Clone)]
pub struct Gate {
    /// None on loopback: everybody who reaches it may do everything.
    inner: Option<Arc<Inner>>,
}

struct Inner {
    /// Where the users are; read again with each sign-in.
    state: PathBuf,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    /// Hashing takes 19 MiB and a processor each time: strangers must not have it done often at once.
    hashing: Mutex<()>,
    /// Who waits for it.
    waiting: AtomicUsize,
}

/// Why nobody was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The name or the password is wrong.
    Wrong,
    /// Too many attempts failed: wait this many seconds.
    Wait(i64),
    /// Nobody was added yet.
    NoUsers,
}

impl Gate {
    /// For a server on `is_loopback`, with its users in the directory `state`.
    pub fn new(is_loopback: bool, state: PathBuf) -> Self {
        let inner = || Inner {
            state,
            sessions: Mutex::default(),
            attempts: Mutex::default(),
            hashing: Mutex::default(),
            waiting: AtomicUsize::new(0),
        };
        Self { inner: (!is_loopback).then(|| Arc::new(inner())) }
    }

    /// Whether anybody has to sign in.
    pub(super) fn is_closed(&self) -> bool {
        self.inner.is_some()
    }

    /// Signs in; returns the session's cookie. Takes some tens of milliseconds of processor time on purpose.
    ///
    /// # Errors
    /// Why not. The outer error, when the users cannot be read.
    pub(super) fn sign_in(
        &self,
        name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<Result<String, Refusal>, UserError> {
        let Some(inner) = &self.inner else { return Ok(Err(Refusal::NoUsers)) };
        // Asked before the password is compared: a guess during the pause says nothing.
        if let Some(wait) = locked(&inner.attempts).pause(name, now) {
            return Ok(Err(Refusal::Wait(wait)));
        }
        let users = Users::load(&inner.state)?;
        if users.is_empty() {
            return Ok(Err(Refusal::NoUsers));
        }
        if inner.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            inner.waiting.fetch_sub(1, Ordering::Relaxed);
            return Ok(Err(Refusal::Wait(1)));
        }
        let one_at_a_time = locked(&inner.hashing);
        let verified = users.verify(name, password);
        drop(one_at_a_time);
        inner.waiting.fetch_sub(1, Ordering::Relaxed);
        let Some(user) = verified else {
            locked(&inner.attempts).record_failure(name, now);
            return Ok(Err(Refusal::Wrong));
        };
        locked(&inner.attempts).forget(name);
        // A new name with each sign-in: one that somebody planted before is worth nothing.
        let session = locked(&inner.sessions).start(&user.name, user.role, now);
        Ok(session.map_or(Err(Refusal::Wrong), |session| Ok(cookie(&session, None))))
    }

    /// Ends the session of these headers; returns the cookie that removes it.
    pub(super) fn sign_out(&self, headers: &HeaderMap) -> String {
        if let (Some(inner), Some(session)) = (&self.inner, session(headers)) {
            locked(&inner.sessions).end(session);
        }
        cookie("", Some(0))
    }

    /// The person with the session of these headers; none on loopback, where there are no sessions.
    pub(super) fn person(&self, headers: &HeaderMap, now: Timestamp) -> Option<SignedIn> {
        self.is_closed().then(|| self.who(headers, now)).flatten()
    }

    fn who(&self, headers: &HeaderMap, now: Timestamp) -> Option<SignedIn> {
        let Some(inner) = &self.inner else { return Some(SignedIn { user: None, role: Role::Operator }) };
        let name = session(headers)?;
        let signed_in = locked(&inner.sessions).find(name, now)?;
        // Who was removed, or got another role, must not wait for the end of the session.
        let users = Users::load(&inner.state).unwrap_or_default();
        let role = users.role_of(signed_in.user.as_deref()?);
        if role.is_none() {
            locked(&inner.sessions).end(name);
        }
        Some(SignedIn { role: role?, ..signed_in })
    }
}

/// The middleware before all pages.
pub(super) async fn guard(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if is_open(path) {
        return next.run(request).await;
    }
    let Some(signed_in) = gate.who(request.headers(), Timestamp::now()) else {
        let is_page = request.method() == Method::GET && path != "/live";
        return if is_page {
            let address = request.uri().path_and_query().map_or("/", |address| address.as_str());
            let to: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
            Redirect::to(&format!("/sign-in?to={to}")).into_response()
        } else {
            Problem::new(StatusCode::UNAUTHORIZED, "sign in first").into_response()
        };
    };
    let needed = needed_role(request.method(), path);
    if signed_in.role < needed {
        let detail = format!("this needs the role {}, and yours is {}", needed.as_str(), signed_in.role.as_str());
        return Problem::new(StatusCode::FORBIDDEN, detail).into_response();
    }
    request.extensions_mut().insert(signed_in);
    if !gate.is_closed() || is_read(request.method()) {
        return next.run(request).await;
    }
    // The body is in memory already: `server::receive_body` has received and limited it.
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, MAX_BODY_BYTES).await {
        Ok(body) => body,
        Err(error) => return Problem::new(StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    if !shows_form_token(&parts.headers, &body) {
        return Problem::new(StatusCode::FORBIDDEN, FOREIGN_FORM).into_response();
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// Methods that change nothing.
pub(super) fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether a request with a session shows the token of the session's forms.
pub(super) fn shows_form_token(headers: &HeaderMap, body: &[u8]) -> bool {
    session(headers).is_some_and(|session| form_token::is_shown(session, headers, body))
}

/// Paths that need no session: they show nothing of a post, or have their own tokens or secrets.
fn is_open(path: &str) -> bool {
    // The secret of a shared link is its own key.
    let prefixes = ["/-/", "/api/", "/assets/", shared_links::PREFIX];
    matches!(path, "/metrics" | "/sign-in") || prefixes.iter().any(|prefix| path.starts_with(prefix))
}

/// Reading is for every role; corrections and notes are an analyst's work, everything else an operator's.
fn needed_role(method: &Method, path: &str) -> Role {
    match path {
        _ if method == Method::GET || method == Method::HEAD => Role::Viewer,
        "/sign-out" => Role::Viewer,
        "/posts/labels" | "/posts/filters" | "/posts/filters/rename" | "/posts/filters/delete" | "/analyse" => {
            Role::Analyst
        }
        _ if path.starts_with("/alerts/") && path.ends_with("/notes") => Role::Analyst,
        _ => Role::Operator,
    }
}

pub(super) fn session(headers: &HeaderMap) -> Option<&str> {
    cookies::find(headers, SESSION_COOKIE)
}

fn cookie(session: &str, max_age: Option<u32>) -> String {
    let age = max_age.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    format!("{SESSION_COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict{age}")
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
