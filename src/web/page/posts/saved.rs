//! Saved filters of the posts page: `GET /posts?saved=NAME` leads to one, `POST /posts/filters` saves the filter of an address,
//! `POST /posts/filters/rename` and `/posts/filters/delete` change what is saved.

use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use minijinja::Value;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

use super::super::super::error::Problem;
use super::super::super::saved_filters::{SavedFilter, SavedFilterError, SavedFilters};
use super::super::super::{Console, blocking};
use super::super::visitor::{Visitor, local_path};
use super::parameters::PostsParameters;

/// What the forms send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web) struct SavedForm {
    name: String,
    /// The new name.
    to: String,
    /// Of the page whose filter is saved.
    address: String,
    /// Where to go afterwards.
    back: String,
}

/// A saved filter of the list.
#[derive(Debug, Serialize)]
pub(super) struct SavedView {
    name: String,
    by: Option<String>,
    at: String,
    /// It is the filter of the page.
    chosen: bool,
}

/// What the page shows of the saved filters. Its posts are shown whatever the state of their file.
pub(super) fn values(filters: Result<Vec<SavedFilter>, SavedFilterError>, asked: &PostsParameters) -> Value {
    let query = asked.to_query();
    let (filters, problem) = match filters {
        Ok(filters) => (filters, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let view = |filter: SavedFilter| SavedView {
        chosen: filter.query == query,
        name: filter.name,
        by: filter.by,
        at: filter.at.to_string(),
    };
    let views: Vec<SavedView> = filters.into_iter().map(view).collect();
    // The posts like one are no filter: the post may be gone tomorrow.
    let can_be_saved = !query.is_empty() && asked.similar.is_none() && !views.iter().any(|view| view.chosen);
    minijinja::context! { saved => Serde(&views), saved_problem => problem, can_be_saved }
}

/// Leads to the filter `name`.
pub(super) async fn open(console: &Console, name: String) -> Result<Response, Problem> {
    let filter = run(&console.filters, move |filters| filters.find(&name)).await?;
    Ok(Redirect::to(&format!("/posts?{}", filter.query)).into_response())
}

pub(in crate::web) async fn save(
    State(console): State<Console>,
    visitor: Visitor,
    Form(form): Form<SavedForm>,
) -> Result<Response, Problem> {
    let query = form.address.split_once('?').map_or("", |(_, query)| query);
    let parameters: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let asked = PostsParameters::read(&parameters)
        .map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, format!("address: {problem}")))?;
    let query = asked.to_query();
    if asked.filter.author.is_some() {
        return Err(refusal(&SavedFilterError::Author));
    }
    if query.is_empty() {
        return Err(refusal(&SavedFilterError::Everything));
    }
    let to = format!("/posts?{query}");
    let filter = SavedFilter { name: form.name, query, by: visitor.signer(None), at: Timestamp::now() };
    run(&console.filters, move |filters| filters.save(filter)).await?;
    Ok(Redirect::to(&to).into_response())
}

pub(in crate::web) async fn rename(
    State(console): State<Console>,
    Form(form): Form<SavedForm>,
) -> Result<Response, Problem> {
    let back = back(&form);
    run(&console.filters, move |filters| filters.rename(&form.name, &form.to)).await?;
    Ok(back)
}

pub(in crate::web) async fn delete(
    State(console): State<Console>,
    Form(form): Form<SavedForm>,
) -> Result<Response, Problem> {
    let back = back(&form);
    run(&console.filters, move |filters| filters.delete(&form.name)).await?;
    Ok(back)
}

fn back(form: &SavedForm) -> Response {
    Redirect::to(local_path(&form.back).unwrap_or("/posts")).into_response()
}

/// Reads or changes the file away from other requests.
async fn run<T: Send + 'static>(
    filters: &SavedFilters,
    work: impl FnOnce(&SavedFilters) -> Result<T, SavedFilterError> + Send + 'static,
) -> Result<T, Problem> {
    let filters = filters.clone();
    let done = blocking::run(move || Ok::<_, std::convert::Infallible>(work(&filters))).await?;
    done.map_err(|error| refusal(&error))
}

fn refusal(error: &SavedFilterError) -> Problem {
    let status = match error {
        SavedFilterError::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        SavedFilterError::Unknown(_) => StatusCode::NOT_FOUND,
        SavedFilterError::Taken(_) | SavedFilterError::Full => StatusCode::CONFLICT,
        SavedFilterError::Name(_)
        | SavedFilterError::TooLong
        | SavedFilterError::Everything
        | SavedFilterError::Author => StatusCode::BAD_REQUEST,
    };
    Problem::new(status, error.to_string())
}
