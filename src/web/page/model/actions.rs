//! The buttons of the model page: retrain, promote, roll back.

use axum::Form;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::super::super::Console;
use super::super::super::error::Problem;
use super::super::visitor::Visitor;
use super::{Notice, respond};

/// Without a fragment: a browser would not load the page again while a retraining runs, but only scroll.
const PAGE: &str = "/model";

/// The form of a challenger.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct PromoteForm {
    name: String,
    /// The person wants it although it is not known to be better.
    #[serde(default)]
    force: Option<String>,
}

pub(in crate::web) async fn retrain(State(console): State<Console>) -> Response {
    // Two people who press it at once want the same.
    console.models.retrain();
    Redirect::to(PAGE).into_response()
}

pub(in crate::web) async fn promote(
    State(console): State<Console>,
    visitor: Visitor,
    Form(form): Form<PromoteForm>,
) -> Result<Response, Problem> {
    let by = visitor.signer_or_anonymous(None);
    let result = console.models.promote(form.name, by, form.force.is_some()).await;
    show(&console, &visitor, result).await
}

pub(in crate::web) async fn roll_back(State(console): State<Console>, visitor: Visitor) -> Result<Response, Problem> {
    let result = console.models.roll_back(visitor.signer_or_anonymous(None)).await;
    show(&console, &visitor, result).await
}

/// The page again; with the reason, where nothing changed.
async fn show(console: &Console, visitor: &Visitor, result: anyhow::Result<()>) -> Result<Response, Problem> {
    match result {
        Ok(()) => Ok(Redirect::to(PAGE).into_response()),
        Err(error) => respond(console, visitor, Notice { error: Some(format!("{error:#}")) }).await,
    }
}
