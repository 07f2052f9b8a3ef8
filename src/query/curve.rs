//! A topic over time, from the buckets of its last day or from its hours: what charts show.

use serde::Serialize;

use crate::alert::Alert;
use crate::store::{Key, StoreError, Table, View};
use crate::window::{Counts, HourRecord};

const HOUR: i64 = 3_600;

/// A part of a topic's past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurveStep {
    /// Unix seconds.
    pub start: i64,
    pub counts: Counts,
    /// The negative rate that counted as normal, in `[0, 1]`; none while vigie was learning it.
    pub normal: Option<f64>,
}

/// The steps of `step` seconds from `since` up to, and not including, `until` (Unix seconds, multiples of `step`), the oldest
/// first. Steps shorter than an hour are empty where their buckets have expired.
pub(super) fn read(
    view: &View<'_>,
    topic: &str,
    (since, until): (i64, i64),
    step: i64,
) -> Result<Vec<CurveStep>, StoreError> {
    let mut steps: Vec<CurveStep> = (since..until)
        .step_by(usize::try_from(step).unwrap_or(usize::MAX).max(1))
        .map(|start| CurveStep { start, counts: Counts::default(), normal: None })
        .collect();
    let place = |time: i64| usize::try_from((time - since).div_euclid(step)).ok();
    for (start, hour) in hours(view, topic, since, until)? {
        // An hour is what is normal in each of its steps, and the last hour in a longer one.
        let last = if step < HOUR { HOUR - step } else { 0 };
        for time in (start..=start + last).step_by(usize::try_from(step.min(HOUR)).unwrap_or(1)) {
            if let Some(found) = place(time).and_then(|place| steps.get_mut(place)) {
                found.normal = hour.normal.or(found.normal);
            }
        }
        if step >= HOUR
            && let Some(found) = place(start).and_then(|place| steps.get_mut(place))
        {
            found.counts += hour.counts;
        }
    }
    if step < HOUR {
        let prefix = Key::new(Table::Bucket).text(topic);
        let first = since - since.rem_euclid(HOUR);
        for entry in view.range(&prefix.clone().time(first), &prefix.time(until))? {
            let (key, bytes) = entry?;
            let buckets: Vec<(i64, Counts)> = crate::store::decode(&key, &bytes)?;
            for (start, counts) in buckets {
                if let Some(found) = place(start).and_then(|place| steps.get_mut(place)) {
                    found.counts += counts;
                }
            }
        }
    }
    Ok(steps)
}

fn hours(view: &View<'_>, topic: &str, since: i64, until: i64) -> Result<Vec<(i64, HourRecord)>, StoreError> {
    let prefix = Key::new(Table::History).text(topic);
    let found = view.range(&prefix.clone().time(since - since.rem_euclid(HOUR)), &prefix.time(until))?;
    let hours = found.map(|entry| {
        let (key, bytes) = entry?;
        Ok((key.last_time().unwrap_or_default(), crate::store::decode(&key, &bytes)?))
    });
    hours.collect()
}

/// The names of all topics that posts were counted in.
pub(super) fn topics(view: &View<'_>) -> Result<Vec<String>, StoreError> {
    let all = view.range(&Key::new(Table::Topic), &Key::new(Table::OperationalAlert))?;
    all.map(|entry| entry.map(|(key, _)| key.first_text().to_owned())).collect()
}

/// The first hour with posts and the last, in Unix seconds.
pub(super) fn counted_hours(view: &View<'_>, topic: &str) -> Result<Option<(i64, i64)>, StoreError> {
    let (from, until) = crate::monitor::ALWAYS;
    let with_posts = |(start, hour): &(i64, HourRecord)| (hour.counts.posts() > 0).then_some(*start);
    let starts: Vec<i64> = hours(view, topic, from, until)?.iter().filter_map(with_posts).collect();
    Ok(starts.first().copied().zip(starts.last().copied()))
}

/// The resolved alerts of `topic` that fired before `until` and ended after `since` (Unix seconds), the oldest first.
pub(super) fn alerts(view: &View<'_>, topic: &str, (since, until): (i64, i64)) -> Result<Vec<Alert>, StoreError> {
    let prefix = Key::new(Table::Alert).text(topic);
    let mut alerts = Vec::new();
    for entry in view.range(&prefix.clone().time(crate::monitor::ALWAYS.0), &prefix.time(until))? {
        let (key, bytes) = entry?;
        let alert: Alert = crate::store::decode(&key, &bytes)?;
        if alert.ends_at.is_none_or(|end| end.as_second() > since) {
            alerts.push(alert);
        }
    }
    Ok(alerts)
}
