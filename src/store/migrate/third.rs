//! Layout version 2 becomes 3: counts tell copies and reach, alerts why they fired and what surrounds them.

use serde::{Deserialize, Serialize};

use super::change;
use super::second::{Alert, AlertState, Counts, Normal, RestOfTotals, Sample, Status, Totals, Tracked, Transition};
use crate::store::{Key, StoreError, Table};

#[derive(Serialize, Deserialize)]
struct Counts3 {
    negative: u64,
    neutral: u64,
    positive: u64,
    copies: u64,
    reach: u64,
}

impl From<Counts> for Counts3 {
    fn from(Counts { negative, neutral, positive }: Counts) -> Self {
        Self { negative, neutral, positive, copies: 0, reach: 0 }
    }
}

#[derive(Serialize, Deserialize)]
struct Hour<C> {
    counts: C,
    normal: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Totals3 {
    posts: u64,
    labels: Counts3,
    received: u64,
    rejected: u64,
    rest: RestOfTotals,
}

#[derive(Default, Serialize, Deserialize)]
struct Explanation {
    condition: String,
    holds: bool,
    numbers: Vec<(String, f64)>,
    parts: Vec<Explanation>,
}

#[derive(Default, Serialize, Deserialize)]
struct Story {
    copies: u64,
    reach: u64,
    words: Vec<(String, u64, f64)>,
    reasons: Vec<(String, u64, f64)>,
    trend: Vec<(String, u64, u64, Option<f64>)>,
}

#[derive(Serialize, Deserialize)]
struct Alert3 {
    alert: Alert<Sample>,
    explanation: Explanation,
    story: Story,
}

#[derive(Serialize, Deserialize)]
struct Transition3 {
    status: Status,
    at: String,
    alert: Alert3,
}

#[derive(Serialize, Deserialize)]
struct Tracked3 {
    state: AlertState,
    alert: Option<Alert3>,
    frozen: Option<Normal>,
}

/// The value of version 2 under `key`, as version 3 has it.
pub(super) fn from_second(key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    match key.table() {
        Some(Table::Bucket) => change(key, value, |buckets: Vec<(i64, Counts)>| {
            buckets.into_iter().map(|(start, counts)| (start, counts.into())).collect::<Vec<(i64, Counts3)>>()
        }),
        Some(Table::History) => {
            change(key, value, |hour: Hour<Counts>| Hour::<Counts3> { counts: hour.counts.into(), normal: hour.normal })
        }
        Some(Table::Totals) => change(key, value, |totals: Totals| Totals3 {
            posts: totals.posts,
            labels: totals.labels.into(),
            received: totals.received,
            rejected: totals.rejected,
            rest: totals.rest,
        }),
        Some(Table::Alert | Table::Problem) => change(key, value, alert),
        Some(Table::Outbox) => change(key, value, |told: Transition<Sample>| Transition3 {
            status: told.status,
            at: told.at,
            alert: alert(told.alert),
        }),
        Some(Table::Tracker) => change(key, value, |tracked: Tracked<Sample>| Tracked3 {
            state: tracked.state,
            alert: tracked.alert.map(alert),
            frozen: tracked.frozen,
        }),
        _ => Ok(value.to_vec()),
    }
}

fn alert(alert: Alert<Sample>) -> Alert3 {
    Alert3 { alert, explanation: Explanation::default(), story: Story::default() }
}
