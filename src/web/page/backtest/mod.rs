//! The backtest of one rule: a form with its values, and the rule with other values beside the one in use, on stored posts. Everything
//! is in the address, so that a result can be sent to a colleague.
//!
//! ```text
//!   address --> form --> settings: the changed rule --> pipeline::backtest on a thread apart --> comparison, rule as TOML
//! ```

mod comparison;
mod field;
mod form;
mod rule_text;
mod settings;
mod wording;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use minijinja::Value;
use minijinja::value::Serde;

use super::super::error::Problem;
use super::super::sign_in::{Role, SignedIn};
use super::super::{Console, blocking};
use super::templates::Frame;
use super::visitor::Visitor;
use crate::pipeline::backtest::{MAX_POSTS, MAX_SECONDS, StoredBacktest, StoredBacktestResult};
use crate::query::{Filter, Query};
use crate::store::StoreError;
use comparison::Comparison;
use form::{Asked, BacktestForm, Surroundings};

/// What a browser waits for before it asks again, in seconds.
const RETRY_AFTER: &str = "10";

/// Why a sound form gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Another backtest runs.
    Busy,
    /// The role of the person does not allow it.
    Role,
}

/// The stored posts that there are to choose from.
type Stored = (Vec<String>, Option<(jiff::Timestamp, jiff::Timestamp)>);

pub(in crate::web) async fn page(
    State(console): State<Console>,
    Extension(signed_in): Extension<SignedIn>,
    visitor: Visitor,
    RawQuery(address): RawQuery,
) -> Result<Response, Problem> {
    let parameters: Vec<(String, String)> =
        form_urlencoded::parse(address.unwrap_or_default().as_bytes()).into_owned().collect();
    let (loaded, query) = (console.daemon.loaded(), console.daemon.query.clone());
    let (topics, stored) = blocking::run(move || stored(&query)).await?;
    let (zone, language) = (console.pages.zone(), visitor.language);
    let now = console.daemon.status().now;
    let around = Surroundings { loaded: &loaded, topics, stored, now, zone, language };
    let unwritable = |error: toml::ser::Error| Problem::unavailable(&error.into());
    let form = BacktestForm::read(&parameters, &around).map_err(unwritable)?;
    let has_rules = !form.rules.is_empty();
    let Some(asked) = form.asked.clone() else {
        let status = if has_rules { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
        return Ok(respond(&console, &visitor, &form, (None, None), status));
    };
    if !form.is_run {
        return Ok(respond(&console, &visitor, &form, (None, None), StatusCode::OK));
    }
    if signed_in.role < Role::Analyst {
        return Ok(respond(&console, &visitor, &form, (None, Some(Refusal::Role)), StatusCode::FORBIDDEN));
    }
    let Some(result) = run(&console, &asked).await? else {
        let busy = (None, Some(Refusal::Busy));
        let mut response = respond(&console, &visitor, &form, busy, StatusCode::SERVICE_UNAVAILABLE);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER));
        return Ok(response);
    };
    let toml = rule_text::write(&asked.changed).map_err(unwritable)?;
    let comparison = Comparison::new(&result, &asked, toml, zone, language);
    Ok(respond(&console, &visitor, &form, (Some(&comparison), None), StatusCode::OK))
}

fn stored(query: &Query) -> Result<Stored, StoreError> {
    let newest = query.page(&Filter::default(), 1, None)?.posts.first().map(|post| post.created_at);
    Ok((query.topics()?, query.oldest_post()?.zip(newest)))
}

/// Runs the backtest on a thread for such work; none while another one runs.
async fn run(console: &Console, asked: &Asked) -> Result<Option<StoredBacktestResult>, Problem> {
    let Ok(permit) = console.pages.backtests.clone().try_acquire_owned() else { return Ok(None) };
    let Asked { changed, topic, since, until } = asked.clone();
    let (loaded, model) = (console.daemon.loaded(), console.daemon.model());
    let backtest = StoredBacktest { loaded, changed, topic, since, until, model };
    let (query, stop) = (console.daemon.query.clone(), console.stop.clone());
    let work = move || {
        // Held here and not by the request: who closes the page does not end the work.
        let _permit = permit;
        backtest.run(&query, &|| stop.is_cancelled())
    };
    blocking::run(work).await.map(Some)
}

fn respond(
    console: &Console,
    visitor: &Visitor,
    form: &BacktestForm,
    (comparison, refusal): (Option<&Comparison>, Option<Refusal>),
    status: StatusCode,
) -> Response {
    let frame = Frame { place: "backtest", open: console.daemon.board().open() };
    let now = console.daemon.status().now;
    let values = context(form, comparison, refusal, now);
    let mut response = console.pages.respond(visitor, ("backtest.html", &frame), values);
    // A template that fails has its own status.
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

fn context(
    form: &BacktestForm,
    comparison: Option<&Comparison>,
    refusal: Option<Refusal>,
    now: jiff::Timestamp,
) -> Value {
    let settings = form.settings.as_ref();
    minijinja::context! {
        rules => &form.rules,
        rule => Serde(&form.rule),
        topics => &form.topics,
        topic => Serde(&form.topic),
        since => Serde(&form.since),
        until => Serde(&form.until),
        groups => Serde(settings.map(|settings| &settings.groups)),
        rule_error => settings.and_then(|settings| settings.error.as_ref()),
        is_changed => settings.is_some_and(settings::RuleForm::is_changed),
        c => Serde(comparison),
        is_busy => refusal == Some(Refusal::Busy),
        is_not_allowed => refusal == Some(Refusal::Role),
        max_posts => MAX_POSTS,
        max_seconds => MAX_SECONDS,
        now => now.to_string(),
        live => false,
    }
}

#[cfg(test)]
mod tests;
