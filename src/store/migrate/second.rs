//! Layout version 1 becomes 2: posts have learnt the author's own identifier and the post's address, and totals what was
//! received and rejected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change;
use crate::store::{Key, StoreError, Table};

#[derive(Serialize, Deserialize)]
struct Sample1 {
    id: String,
    created_at: String,
    author: Option<String>,
    text: String,
    negative: f32,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Sample {
    pub(super) id: String,
    pub(super) created_at: String,
    pub(super) author: Option<String>,
    pub(super) author_id: Option<String>,
    pub(super) url: Option<String>,
    pub(super) text: String,
    pub(super) negative: f32,
}

impl From<Sample1> for Sample {
    fn from(Sample1 { id, created_at, author, text, negative }: Sample1) -> Self {
        Self { id, created_at, author, author_id: None, url: None, text, negative }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Normal {
    pub(super) value: f64,
    pub(super) posts: u64,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) posts: u64,
    pub(super) negative: u64,
    pub(super) rate: f64,
    pub(super) lower_bound: f64,
    pub(super) threshold: Option<f64>,
    pub(super) normal: Option<Normal>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Alert<S> {
    pub(super) fingerprint: String,
    pub(super) rule: String,
    pub(super) topic: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) annotations: BTreeMap<String, String>,
    pub(super) starts_at: String,
    pub(super) fired_at: String,
    pub(super) ends_at: Option<String>,
    pub(super) fired_on: Measured,
    pub(super) peak: Measured,
    pub(super) peak_at: String,
    pub(super) latest: Measured,
    pub(super) samples: Vec<S>,
    pub(super) is_rate: bool,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Status {
    Firing,
    Resolved,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Transition<S> {
    pub(super) status: Status,
    pub(super) at: String,
    pub(super) alert: Alert<S>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) negative: u64,
    pub(super) neutral: u64,
    pub(super) positive: u64,
}

/// What follows `labels` in both versions.
#[derive(Serialize, Deserialize)]
pub(super) struct RestOfTotals {
    pub(super) duplicates: u64,
    pub(super) too_late: u64,
    pub(super) unmatched: u64,
    pub(super) alerts: u64,
    pub(super) edge: Option<i64>,
    pub(super) commits: u64,
    pub(super) transitions: u64,
}

#[derive(Serialize, Deserialize)]
struct Totals1 {
    posts: u64,
    labels: Counts,
    rest: RestOfTotals,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) posts: u64,
    pub(super) labels: Counts,
    pub(super) received: u64,
    pub(super) rejected: u64,
    pub(super) rest: RestOfTotals,
}

#[derive(Serialize, Deserialize)]
pub(super) enum AlertState {
    Inactive,
    Pending { since: String },
    Firing { since: String, quiet_since: Option<String> },
}

#[derive(Serialize, Deserialize)]
pub(super) struct Tracked<S> {
    pub(super) state: AlertState,
    pub(super) alert: Option<Alert<S>>,
    pub(super) frozen: Option<Normal>,
}

/// The value of version 1 under `key`, as version 2 has it.
pub(super) fn from_first(key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    match key.table() {
        Some(Table::Totals) => change(key, value, |Totals1 { posts, labels, rest }| Totals {
            posts,
            labels,
            received: 0,
            rejected: 0,
            rest,
        }),
        Some(Table::Sample) => change(key, value, samples),
        Some(Table::Alert) => change(key, value, alert),
        Some(Table::Outbox) => change(key, value, |told: Transition<Sample1>| Transition {
            status: told.status,
            at: told.at,
            alert: alert(told.alert),
        }),
        Some(Table::Tracker) => change(key, value, |tracked: Tracked<Sample1>| Tracked {
            state: tracked.state,
            alert: tracked.alert.map(alert),
            frozen: tracked.frozen,
        }),
        _ => Ok(value.to_vec()),
    }
}

fn samples(samples: Vec<Sample1>) -> Vec<Sample> {
    samples.into_iter().map(Sample::from).collect()
}

fn alert(alert: Alert<Sample1>) -> Alert<Sample> {
    Alert {
        fingerprint: alert.fingerprint,
        rule: alert.rule,
        topic: alert.topic,
        labels: alert.labels,
        annotations: alert.annotations,
        starts_at: alert.starts_at,
        fired_at: alert.fired_at,
        ends_at: alert.ends_at,
        fired_on: alert.fired_on,
        peak: alert.peak,
        peak_at: alert.peak_at,
        latest: alert.latest,
        samples: samples(alert.samples),
        is_rate: alert.is_rate,
    }
}
