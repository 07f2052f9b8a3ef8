//! The sign-in, where the daemon listens on more than loopback.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::super::error::{Problem, UrlParameters};
use super::super::sign_in::Refusal;
use super::super::{Console, blocking};
use super::templates::Frame;
use super::visitor::{Visitor, local_path};

/// Where to go afterwards.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct Target {
    to: String,
}

#[derive(Deserialize)]
pub(in crate::web) struct SignInForm {
    name: String,
    password: String,
    #[serde(default)]
    to: String,
}

pub(in crate::web) async fn page(
    State(console): State<Console>,
    visitor: Visitor,
    UrlParameters(target): UrlParameters<Target>,
) -> Response {
    // Nobody signs in on loopback.
    if !console.gate.is_closed() {
        return Redirect::to("/").into_response();
    }
    respond(&console, &visitor, &target.to, "", None)
}

pub(in crate::web) async fn submit(
    State(console): State<Console>,
    visitor: Visitor,
    headers: HeaderMap,
    Form(form): Form<SignInForm>,
) -> Result<Response, Problem> {
    let SignInForm { name, password, to } = form;
    let (gate, given) = (console.gate.clone(), name.clone());
    match blocking::run(move || gate.sign_in(&given, &password, Timestamp::now())).await? {
        Ok(cookie) => {
            // The browser forgets the session before, so that nobody can use it any more.
            drop(console.gate.sign_out(&headers));
            let mut response = Redirect::to(local_path(&to).unwrap_or("/")).into_response();
            response
                .headers_mut()
                .extend(HeaderValue::try_from(cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
            Ok(response)
        }
        Err(refusal) => Ok(respond(&console, &visitor, &to, &name, Some(refusal))),
    }
}

pub(in crate::web) async fn sign_out(State(console): State<Console>, headers: HeaderMap) -> Response {
    let cookie = console.gate.sign_out(&headers);
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().extend(HeaderValue::try_from(cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

fn respond(console: &Console, visitor: &Visitor, to: &str, name: &str, refusal: Option<Refusal>) -> Response {
    let (kind, wait) = match refusal {
        None => ("", 0),
        Some(Refusal::Wrong) => ("wrong", 0),
        Some(Refusal::Wait(seconds)) => ("wait", seconds),
        Some(Refusal::NoUsers) => ("no_users", 0),
    };
    let values = minijinja::context! {
        to => local_path(to).unwrap_or("/"), name, refusal => kind, wait, live => false, now => Timestamp::now().to_string(),
    };
    let mut response = console.pages.respond(visitor, ("sign_in.html", &Frame { place: "sign_in", open: 0 }), values);
    if refusal.is_some() {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
    }
    response
}
