//! `GET /api/v1/report`: a report of stored posts as one HTML page, read past the monitor's thread.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use crate::language::Language;
use crate::notify::ReportSpan;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ReportParameters {
    /// From this time on; rounded down to a full hour.
    since: Timestamp,
    /// Before this time; rounded up to a full hour.
    until: Timestamp,
    /// Language; that of the configuration unless set.
    #[param(inline, nullable = false)]
    lang: Option<ReportLanguage>,
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ReportLanguage {
    En,
    Fr,
}

/// A report as one self-contained page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReportPage {
    html: String,
}

/// A report of a time as one HTML page
#[utoipa::path(
    get,
    path = "/api/v1/report",
    operation_id = "getReport",
    tag = "posts",
    params(ReportParameters),
    responses(
        (status = 200, description = "The report", body = ReportPage),
        (status = 400, description = "The times do not fit"),
    )
)]
pub(super) async fn page(
    State(console): State<Console>,
    UrlParameters(parameters): UrlParameters<ReportParameters>,
) -> Result<Json<ReportPage>, Problem> {
    let span = span(&parameters).map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
    let language = parameters.lang.map(|language| match language {
        ReportLanguage::En => Language::English,
        ReportLanguage::Fr => Language::French,
    });
    let daemon = console.daemon.clone();
    let html = blocking::run(move || daemon.report(span, language)).await?;
    Ok(Json(ReportPage { html }))
}

/// In whole hours.
fn span(parameters: &ReportParameters) -> Result<ReportSpan, String> {
    let ReportParameters { since, until, .. } = *parameters;
    let span = ReportSpan { since, until }.in_hours().filter(|span| span.since < span.until);
    span.ok_or_else(|| "until: expected a time after since".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_whole_hours_and_ends_after_it_begins() {
        let of = |since: &str, until: &str| {
            span(&ReportParameters { since: since.parse().unwrap(), until: until.parse().unwrap(), lang: None })
        };
        let day = of("2026-11-28T09:10:00Z", "2026-11-29T09:00:00Z").unwrap();
        assert_eq!(day.since.to_string(), "2026-11-28T09:00:00Z");
        let error = of("2026-11-28T09:00:00Z", "2026-11-27T09:00:00Z").unwrap_err();
        assert_eq!(error, "until: expected a time after since");
    }
}
