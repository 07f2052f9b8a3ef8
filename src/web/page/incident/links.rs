//! The links to an incident for people without an account: made and ended on its page, and what they show.

use axum::Extension;
use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::super::super::error::Problem;
use super::super::super::server::Https;
use super::super::super::shared_links::{PREFIX, SharedLinkError};
use super::super::super::{Console, blocking};
use super::super::visitor::Visitor;
use super::{document, not_found, post_mortem, respond};

/// How long a new link works.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct LinkForm {
    days: i64,
}

/// Makes a link. Its address is shown once, in the answer: it is kept nowhere.
pub(in crate::web) async fn make(
    State(console): State<Console>,
    Path(id): Path<String>,
    visitor: Visitor,
    https: Option<Extension<Https>>,
    headers: HeaderMap,
    Form(form): Form<LinkForm>,
) -> Result<Response, Problem> {
    let incident = console.daemon.board().incident(&id).cloned().ok_or_else(|| not_found(&id))?;
    let (links, by) = (console.shared_links.clone(), visitor.signer_or_anonymous(None));
    let made =
        move || Ok::<_, std::convert::Infallible>(links.make(&incident.incident.id, &by, form.days, Timestamp::now()));
    let secret = blocking::run(made).await?;
    let secret = secret.map_err(refused)?;
    let address = format!("{}{PREFIX}{secret}", site(&console, &headers, https.is_some()));
    respond(&console, &visitor, &id, Some(address)).await
}

/// Ends a link.
pub(in crate::web) async fn end(
    State(console): State<Console>,
    Path((id, link)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (links, incident) = (console.shared_links.clone(), id.to_ascii_uppercase());
    blocking::run(move || links.end(&incident, &link, Timestamp::now())).await?;
    Ok(Redirect::to(&format!("/alerts/{id}#links")).into_response())
}

/// What a link shows: the post-mortem of its incident, without a way to anything else.
pub(in crate::web) async fn show(
    State(console): State<Console>,
    Path(secret): Path<String>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let links = console.shared_links.clone();
    let link = blocking::run(move || links.find(&secret, Timestamp::now())).await?.ok_or_else(unknown)?;
    let incident = console.daemon.board().incident(&link.incident).cloned().ok_or_else(unknown)?;
    let values = document(&console, &visitor, incident).await?;
    let shared = minijinja::context! { shared => true, expires_at => link.expires_at.to_string(), ..values };
    let mut response = console.pages.respond(&visitor, (post_mortem::TEMPLATE, &Default::default()), shared);
    let headers = response.headers_mut();
    // The address is the key: no other site may learn it, and no search engine.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));
    Ok(response)
}

/// Only what the visitor can mend is the visitor's fault.
fn refused(error: SharedLinkError) -> Problem {
    match error {
        SharedLinkError::Days(_) => Problem::new(StatusCode::BAD_REQUEST, error.to_string()),
        SharedLinkError::TooMany => Problem::new(StatusCode::CONFLICT, error.to_string()),
        SharedLinkError::File { .. } | SharedLinkError::Random(_) => Problem::unavailable(&error.into()),
    }
}

/// The same for every link that does not work: nobody learns which ever did.
fn unknown() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "this link is not valid, or has expired; ask the person who sent it for a new one",
    )
}

/// How people reach the console: as the configuration says, else as this request did.
fn site(console: &Console, headers: &HeaderMap, https: bool) -> String {
    if let Some(console) = console.daemon.loaded().config.notify.console {
        return console.trim_end_matches('/').to_owned();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let scheme = if https { "https" } else { "http" };
    host.map_or_else(String::new, |host| format!("{scheme}://{host}"))
}
