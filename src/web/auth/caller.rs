//! [`Caller`]: who calls the API: a program with a token, or a person who is signed in. A middleware finds out who it is, and a
//! layer on each route checks what that caller may do.
//!
//! ```text
//!   request --> identify: token? session? --> audit --> check: scope of the route --> handler
//! ```

use std::collections::BTreeSet;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::super::Console;
use super::super::error::Problem;
use super::super::sign_in::{SignedIn, is_read, shows_form_token};
use super::bearer;
use super::scope::{Scope, list_scopes};

/// Paths of the API.
const PREFIX: &str = "/api/";

/// Who calls.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::web) enum Caller {
    /// Has the token of the file `api-token`: may do everything.
    StateOwner,
    /// Has the token of the source of `type = "http"`: sends posts.
    Source,
    /// Has a token of `vigie token`.
    Token { name: String, scopes: BTreeSet<Scope> },
    /// Is signed in.
    Person(SignedIn),
}

impl Caller {
    fn may(&self, scope: Scope) -> bool {
        match self {
            Self::StateOwner => true,
            Self::Source => scope == Scope::Ingest,
            Self::Token { scopes, .. } => scopes.contains(&scope),
            Self::Person(signed_in) => signed_in.role >= scope.role(),
        }
    }

    /// Who signs what this request changes: a person always under the own name, a program under the name that it gives, or else
    /// that of its token.
    pub(in crate::web) fn signer(&self, given: Option<String>) -> Option<String> {
        match self {
            Self::StateOwner | Self::Source => given,
            Self::Token { name, .. } => given.or_else(|| Some(name.clone())),
            Self::Person(signed_in) => signed_in.user.clone(),
        }
    }

    fn refusal(&self, scope: Scope) -> Problem {
        let detail = match self {
            Self::Token { name, scopes } => {
                format!("this needs a token with the scope {scope}, and {name} has {}", list_scopes(scopes))
            }
            Self::Source => format!("this needs a token with the scope {scope}; that of the source only sends posts"),
            Self::Person(signed_in) => {
                format!("this needs the role {}, and yours is {}", scope.role().as_str(), signed_in.role.as_str())
            }
            Self::StateOwner => format!("this needs the scope {scope}"),
        };
        Problem::new(StatusCode::FORBIDDEN, detail)
    }
}

/// The middleware before the API: finds out who calls. It refuses nobody: some routes are open.
pub(in crate::web) async fn identify(State(console): State<Console>, mut request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    match find(&console, request.headers(), Timestamp::now()) {
        Ok(Some(caller)) => drop(request.extensions_mut().insert(caller)),
        Ok(None) => {}
        Err(problem) => return problem.into_response(),
    }
    next.run(request).await
}

fn find(console: &Console, headers: &HeaderMap, now: Timestamp) -> Result<Option<Caller>, Problem> {
    // A token that is wrong is refused, also where there is a session: the caller meant to use it.
    let Some(given) = bearer(headers) else {
        return Ok(console.gate.person(headers, now).map(Caller::Person));
    };
    if console.credentials.own.matches(given) {
        return Ok(Some(Caller::StateOwner));
    }
    if console.daemon.http().is_some_and(|intake| intake.token.matches(given)) {
        return Ok(Some(Caller::Source));
    }
    match console.credentials.tokens.find(given, now) {
        Ok(found) => Ok(found.map(|token| Caller::Token { name: token.name, scopes: token.scopes })),
        Err(error) => {
            tracing::warn!(%error, "the tokens of the API cannot be read");
            let detail = "the tokens of the state directory cannot be read; the log says why";
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
    }
}

/// The layer of each route that needs a scope.
pub(in crate::web) async fn check(State(scope): State<Scope>, request: Request, next: Next) -> Response {
    match request.extensions().get::<Caller>() {
        // A browser sends the cookie of a session by itself: a change needs what only a page of the session knows.
        Some(Caller::Person(_)) if !is_read(request.method()) && !shows_form_token(request.headers(), b"") => {
            Problem::new(StatusCode::FORBIDDEN, "a session also needs the header `X-Form-Token`, from a form of a page")
                .into_response()
        }
        Some(caller) if caller.may(scope) => next.run(request).await,
        Some(caller) => caller.refusal(scope).into_response(),
        None => Problem::unauthorized(&format!("a token with the scope {scope}")).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::sign_in::Role;
    use super::*;

    #[test]
    fn each_caller_has_its_scopes() {
        let may = |caller: &Caller| Scope::ALL.map(|scope| caller.may(scope));
        let person = |role| Caller::Person(SignedIn { user: Some("ann".into()), role });
        assert_eq!(may(&Caller::StateOwner), [true; 4]);
        assert_eq!(may(&Caller::Source), [false, false, false, true]);
        let token = Caller::Token { name: "bot".into(), scopes: [Scope::Feedback].into() };
        assert_eq!(may(&token), [false, true, false, false], "no scope includes another");
        assert_eq!(may(&person(Role::Viewer)), [true, false, false, false]);
        assert_eq!(may(&person(Role::Analyst)), [true, true, false, false]);
        assert_eq!(may(&person(Role::Operator)), [true; 4]);
    }

    #[test]
    fn a_person_signs_as_nobody_else() {
        let given = || Some("Mallory".to_owned());
        let person = Caller::Person(SignedIn { user: Some("ann".into()), role: Role::Operator });
        assert_eq!(person.signer(given()).as_deref(), Some("ann"));
        let token = Caller::Token { name: "bot".into(), scopes: [Scope::Operate].into() };
        assert_eq!(token.signer(given()).as_deref(), Some("Mallory"));
        assert_eq!(token.signer(None).as_deref(), Some("bot"));
        assert_eq!(Caller::StateOwner.signer(None), None);
    }
}
