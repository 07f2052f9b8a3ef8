//! Handles a request: records it, checks its token and rate limit, applies a fault, and responds.

use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::{Query as AxumQuery, Request, State};
use axum::http::{HeaderValue, Uri};
use axum::response::Response;
use futures_util::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::fault::{Fault, partial_error};
use super::limit::{Endpoint, Window};
use super::params::Query;
use super::world::World;
use super::{account, rules, search, stream};

pub type Shared = Arc<Mutex<World>>;

/// A recorded request.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub endpoint: Endpoint,
    pub method: String,
    pub path: String,
    pub query: Query,
    pub body: String,
    /// Whether it carried the right bearer token.
    pub authorised: bool,
    pub at: Timestamp,
    pub user_agent: Option<String>,
}

impl Recorded {
    pub fn param(&self, key: &str) -> Option<&str> {
        super::params::get(&self.query, key)
    }
}

/// A response that is not a success.
#[derive(Debug)]
pub struct Problem {
    pub status: u16,
    pub body: Value,
}

impl Problem {
    pub fn new(status: u16, kind: &str, title: &str, detail: &str) -> Self {
        Self { status, body: json!({"type": kind, "title": title, "detail": detail, "status": status}) }
    }

    pub fn invalid(detail: &str) -> Self {
        Self::new(400, "https://api.x.com/2/problems/invalid-request", "Invalid Request", detail)
    }

    pub fn parameter(key: &str, problem_text: &str) -> Self {
        let mut problem = Self::invalid(&format!("The parameter `{key}` {problem_text}."));
        problem.body["parameter"] = json!(key);
        problem
    }

    fn of(fault: Fault) -> (u16, Vec<(&'static str, String)>, String) {
        match fault {
            Fault::Answer { status, headers, body } => (status, headers, body),
            _ => (500, vec![], String::new()),
        }
    }
}

/// Handles every request.
pub async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap_or_default();
    let endpoint = Endpoint::of(head.method.as_str(), head.uri.path());
    let query = read_query(&head.uri);
    let (fault, window) = {
        let mut world = shared.lock().unwrap();
        let bearer = format!("Bearer {}", world.settings.token);
        let header = |name| head.headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let authorised = header("authorization") == Some(&bearer);
        let recorded = Recorded {
            endpoint,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: query.clone(),
            body: String::from_utf8_lossy(&body).into_owned(),
            authorised,
            at: world.now(),
            user_agent: header("user-agent").map(str::to_owned),
        };
        world.requests.push(recorded);
        if !authorised {
            return plain(Fault::unauthorized(), None);
        }
        let fault = world.next_fault(endpoint);
        let now = world.now();
        let window = world.window(endpoint);
        let allowed = window.count_request(now);
        let window = *window;
        if !allowed {
            return plain(Fault::too_many_requests(), Some(window));
        }
        (fault, window)
    };
    answer(&shared, endpoint, head.uri.path(), &query, &body, fault, window).await
}

async fn answer(
    shared: &Shared,
    endpoint: Endpoint,
    path: &str,
    query: &Query,
    body: &Bytes,
    fault: Option<Fault>,
    window: Window,
) -> Response {
    match &fault {
        Some(fault @ Fault::Answer { .. }) => return plain(fault.clone(), None),
        Some(Fault::RateLimited { reset_in }) => {
            let reset = shared.lock().unwrap().now() + jiff::SignedDuration::from_secs(*reset_in);
            return plain(Fault::too_many_requests(), Some(Window { remaining: 0, reset, ..window }));
        }
        Some(Fault::Redirect(to)) => {
            let headers = vec![("location", to.clone())];
            return plain(Fault::Answer { status: 302, headers, body: String::new() }, None);
        }
        Some(Fault::Slow(time)) => tokio::time::sleep(*time).await,
        Some(Fault::Hang) => std::future::pending().await,
        _ => {}
    }
    if endpoint == Endpoint::Stream {
        return match stream::connect(shared, query) {
            Ok(body) => finish(200, body, Some(window)),
            Err(problem) => json_answer(problem.status, &problem.body, window),
        };
    }
    let result = respond(&mut shared.lock().unwrap(), endpoint, path, query, body);
    let (status, mut value) = match result {
        Ok(value) => (200, value),
        Err(problem) => (problem.status, problem.body),
    };
    match fault {
        Some(Fault::PartialErrors) => value["errors"] = json!([partial_error()]),
        Some(Fault::MalformedJson) => {
            let text = value.to_string();
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            return finish(status, Body::from(half), Some(window));
        }
        Some(Fault::Cut) => {
            let text = value.to_string().into_bytes();
            let half = Bytes::copy_from_slice(text.get(..text.len() / 2).unwrap_or_default());
            let parts = [Ok(half), Err(std::io::Error::other("cut"))];
            return finish(status, Body::from_stream(futures_util::stream::iter(parts).boxed()), Some(window));
        }
        _ => {}
    }
    json_answer(status, &value, window)
}

fn respond(world: &mut World, endpoint: Endpoint, path: &str, query: &Query, body: &[u8]) -> Result<Value, Problem> {
    match endpoint {
        Endpoint::Search => search::recent(world, query),
        Endpoint::Mentions => search::mentions(world, path, query),
        Endpoint::Rules => rules::list(world, query),
        Endpoint::RulesChange => rules::change(world, query, body),
        Endpoint::Connections => Ok(account::end_connections(world)),
        Endpoint::Usage => account::usage(world, query),
        Endpoint::Stream | Endpoint::Unknown => {
            let Fault::Answer { status, body, .. } = Fault::not_found() else { unreachable!("a complete response") };
            Err(Problem { status, body: serde_json::from_str(&body).unwrap() })
        }
    }
}

fn read_query(uri: &Uri) -> Query {
    AxumQuery::<Query>::try_from_uri(uri).map(|AxumQuery(query)| query).unwrap_or_default()
}

/// A response made from a fault; with `window`, it has rate-limit headers.
fn plain(fault: Fault, window: Option<Window>) -> Response {
    let (status, headers, body) = Problem::of(fault);
    let mut response = finish(status, Body::from(body), window);
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

fn json_answer(status: u16, value: &Value, window: Window) -> Response {
    finish(status, Body::from(value.to_string()), Some(window))
}

fn finish(status: u16, body: Body, window: Option<Window>) -> Response {
    let kind = if status < 400 { "application/json; charset=utf-8" } else { "application/problem+json" };
    let mut response = Response::builder().status(status).header("content-type", kind);
    if let Some(window) = window {
        response = response
            .header("x-rate-limit-limit", window.limit.to_string())
            .header("x-rate-limit-remaining", window.remaining.to_string())
            .header("x-rate-limit-reset", window.reset_second().to_string());
    }
    response.body(body).unwrap()
}
