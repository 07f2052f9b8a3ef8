//! Layout version 2 becomes 3: counts tell copies and reach; alerts tell why they fired, the rate corrected for the
//! classifier's error, and what surrounds them; rules have a memory;
//! receipts tell of feedback.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change;
use super::second::{Alert, AlertState, Counts, Measured, RestOfTotals, Sample, Status, Totals, Tracked, Transition};
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
struct Measured3 {
    measured: Measured,
    corrected: Option<f64>,
}

#[derive(Serialize, Deserialize)]
struct Alert3 {
    fingerprint: String,
    rule: String,
    topic: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    fired_at: String,
    ends_at: Option<String>,
    fired_on: Measured3,
    peak: Measured3,
    peak_at: String,
    latest: Measured3,
    samples: Vec<Sample>,
    is_rate: bool,
    explanation: Explanation,
    story: Story,
}

#[derive(Serialize, Deserialize)]
enum What {
    Post,
    Author,
}

#[derive(Serialize, Deserialize)]
struct Removed {
    samples: u64,
    alert_samples: u64,
    outbox_samples: u64,
    set_aside: u64,
}

#[derive(Serialize, Deserialize)]
struct Receipt<R> {
    at: String,
    what: What,
    key: String,
    removed: R,
    rewritten: bool,
    copies: Vec<String>,
}

/// What conditions keep: nothing yet. What was normal when an alert began to fire was kept here before, apart from the
/// condition, which now learns it anew; the alert itself goes on.
#[derive(Serialize, Deserialize)]
enum Memory {
    Nothing,
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
    memory: Memory,
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
        Some(Table::Receipt) => change(key, value, |receipt: Receipt<Removed>| Receipt {
            at: receipt.at,
            what: receipt.what,
            key: receipt.key,
            // Of feedback nothing was removed.
            removed: (receipt.removed, 0_u64),
            rewritten: receipt.rewritten,
            copies: receipt.copies,
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
            memory: Memory::Nothing,
        }),
        _ => Ok(value.to_vec()),
    }
}

fn alert(alert: Alert<Sample>) -> Alert3 {
    let measured = |measured: Measured| Measured3 { measured, corrected: None };
    Alert3 {
        fingerprint: alert.fingerprint,
        rule: alert.rule,
        topic: alert.topic,
        labels: alert.labels,
        annotations: alert.annotations,
        starts_at: alert.starts_at,
        fired_at: alert.fired_at,
        ends_at: alert.ends_at,
        fired_on: measured(alert.fired_on),
        peak: measured(alert.peak),
        peak_at: alert.peak_at,
        latest: measured(alert.latest),
        samples: alert.samples,
        is_rate: alert.is_rate,
        explanation: Explanation::default(),
        story: Story::default(),
    }
}
