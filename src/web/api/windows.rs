//! `GET /api/v1/windows`: a topic over time, counted in equal windows. Read from the store, past the monitor's thread.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::super::error::{Problem, UrlParameters};
use super::super::{Console, blocking};
use crate::query::CurveStep;

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
/// Lengths of a window, in seconds.
const STEPS: [i64; 9] = [60, 300, 600, 1_800, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY];
/// Windows of an answer at most.
const MAX_WINDOWS: i64 = 1_000;
/// Windows of an answer at most where the request does not say how long they are.
const USUAL_WINDOWS: i64 = 200;
/// How long counts of less than an hour are kept, in seconds.
const FINE: i64 = DAY;

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct WindowParameters {
    /// Name of the topic.
    topic: String,
    /// From this time on; a day before `until` unless set.
    #[param(nullable = false)]
    since: Option<Timestamp>,
    /// Before this time; now unless set.
    #[param(nullable = false)]
    until: Option<Timestamp>,
    /// Length of a window in seconds. Those of less than an hour are kept for a day.
    #[param(schema_with = step_schema)]
    step: Option<i64>,
}

/// A topic over time.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct WindowList {
    topic: String,
    /// Length of a window in seconds.
    step: i64,
    /// The oldest first, without a gap.
    windows: Vec<WindowCounts>,
}

/// The posts of a window. A post with its retweets, quotes and copies counts once.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct WindowCounts {
    start: Timestamp,
    posts: u64,
    negative: u64,
    neutral: u64,
    positive: u64,
    /// Posts that repeat a counted post, not included in `posts`.
    copies: u64,
    /// Share of negative posts, in `[0, 1]`; null without posts.
    rate: Option<f64>,
    /// The negative rate that counted as normal, in `[0, 1]`; null while it is being learned.
    usual: Option<f64>,
}

fn step_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::Integer).enum_values(Some(STEPS)).build()
}

/// A topic over time: posts by label, negative rate, and what is usual
#[utoipa::path(
    get,
    path = "/api/v1/windows",
    operation_id = "listWindows",
    tag = "posts",
    params(WindowParameters),
    responses(
        (status = 200, description = "At most 1,000 windows, the oldest first", body = WindowList),
        (status = 400, description = "The times or the step do not fit"),
        (status = 404, description = "Unknown topic"),
    )
)]
pub(super) async fn windows(
    State(console): State<Console>,
    UrlParameters(parameters): UrlParameters<WindowParameters>,
) -> Result<Json<WindowList>, Problem> {
    let status = console.daemon.status();
    let (topic, loaded) = (parameters.topic.clone(), console.daemon.loaded());
    // A topic of the configuration is known before its first post.
    let configured = loaded.config.topics.iter().map(|topic| &topic.name);
    if !configured.chain(status.topics.iter().map(|topic| &topic.name)).any(|known| *known == topic) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "topic: unknown topic; /api/v1/status lists all"));
    }
    let bucket = loaded.config.window.bucket.as_secs();
    let (since, until, step) =
        range(&parameters, status.now, bucket).map_err(|problem| Problem::new(StatusCode::BAD_REQUEST, problem))?;
    let query = console.daemon.query.clone();
    let name = topic.clone();
    let curve = blocking::run(move || query.curve(&name, since, until, step)).await?;
    Ok(Json(WindowList { topic, step, windows: curve.iter().filter_map(WindowCounts::new).collect() }))
}

/// From, until (not included) and step, in Unix seconds, whole steps. `bucket` is the finest that is counted, in seconds.
fn range(parameters: &WindowParameters, now: Timestamp, bucket: i64) -> Result<(i64, i64, i64), String> {
    let now = now.as_second();
    let until = parameters.until.map_or(now + 1, Timestamp::as_second);
    let since = parameters.since.map_or(until - DAY, Timestamp::as_second);
    if until <= since {
        return Err("until: expected a time after `since`".into());
    }
    let is_kept = |step: i64| step >= HOUR || (step >= bucket && since >= now - FINE - HOUR);
    let count = |step: i64| (until - since) / step;
    let step = match parameters.step {
        Some(step) if !STEPS.contains(&step) => return Err(format!("step: expected one of {STEPS:?}")),
        Some(step) if step < bucket => return Err(format!("step: expected {bucket} or more, as `window.bucket` is")),
        Some(step) if !is_kept(step) => {
            return Err(format!(
                "step: expected {HOUR} or more for times of more than a day ago: shorter counts are gone"
            ));
        }
        Some(step) => step,
        None => STEPS.into_iter().find(|step| is_kept(*step) && count(*step) <= USUAL_WINDOWS).unwrap_or(DAY),
    };
    if count(step) >= MAX_WINDOWS {
        return Err(format!(
            "step: {step} makes more than {MAX_WINDOWS} windows; choose a longer one or a shorter time"
        ));
    }
    Ok((since.div_euclid(step) * step, -(-until).div_euclid(step) * step, step))
}

impl WindowCounts {
    /// None for a time that cannot be written.
    fn new(step: &CurveStep) -> Option<Self> {
        let counts = step.counts;
        Some(Self {
            start: Timestamp::from_second(step.start).ok()?,
            posts: counts.posts(),
            negative: counts.negative,
            neutral: counts.neutral,
            positive: counts.positive,
            copies: counts.copies,
            rate: counts.negative_rate(),
            usual: step.normal,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn asked(since: Option<&str>, until: Option<&str>, step: Option<i64>) -> Result<(i64, i64, i64), String> {
        let parameters = WindowParameters { topic: "a".into(), since: since.map(at), until: until.map(at), step };
        range(&parameters, at("2026-11-29T14:07:30Z"), 60)
    }

    #[test]
    fn a_range_is_in_whole_windows() {
        let (since, until, step) = asked(None, None, None).unwrap();
        assert_eq!((step, (until - since) / step), (600, 145), "the day before now, and the window of now");
        assert_eq!(until, at("2026-11-29T14:10:00Z").as_second());
        let whole = asked(Some("2026-11-01T00:00:00Z"), Some("2026-11-02T00:00:00Z"), Some(HOUR)).unwrap();
        assert_eq!((whole.1 - whole.0) / whole.2, 24);
        assert_eq!(asked(Some("2026-11-01T00:30:00Z"), Some("2026-11-02T00:00:00Z"), None).unwrap().2, HOUR);
    }

    #[test]
    fn what_is_not_counted_is_refused() {
        for (since, until, step, expected) in [
            (Some("2026-11-29T14:00:00Z"), Some("2026-11-29T14:00:00Z"), None, "after `since`"),
            (None, None, Some(61), "one of"),
            (Some("2026-11-01T00:00:00Z"), None, Some(600), "more than a day ago"),
            (Some("2020-01-01T00:00:00Z"), None, Some(HOUR), "more than 1000 windows"),
            (Some("-009998-01-01T00:00:00Z"), Some("9999-12-29T00:00:00Z"), None, "more than 1000"),
        ] {
            let problem = asked(since, until, step).unwrap_err();
            assert!(problem.contains(expected), "{problem}");
        }
        let parameters = WindowParameters { topic: "a".into(), since: None, until: None, step: Some(60) };
        assert!(range(&parameters, at("2026-11-29T14:07:30Z"), 300).unwrap_err().contains("window.bucket"));
    }
}
