//! Records of layout version 1 in the layout of version 2: posts in them have learnt the author's own identifier and
//! the post's address, and totals what was received and rejected.
//!
//! Both layouts stand here as they are on disk, apart from the types of today: a later change of those must not change
//! how an old store is read. A change of layout makes `SCHEMA` one more, and adds its step here.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Key, SCHEMA, StoreError, Table, decode, schema_key};

#[derive(Serialize, Deserialize)]
struct Sample1 {
    id: String,
    created_at: String,
    author: Option<String>,
    text: String,
    negative: f32,
}

#[derive(Serialize, Deserialize)]
struct Sample2 {
    id: String,
    created_at: String,
    author: Option<String>,
    author_id: Option<String>,
    url: Option<String>,
    text: String,
    negative: f32,
}

impl From<Sample1> for Sample2 {
    fn from(Sample1 { id, created_at, author, text, negative }: Sample1) -> Self {
        Self { id, created_at, author, author_id: None, url: None, text, negative }
    }
}

#[derive(Serialize, Deserialize)]
struct Normal {
    value: f64,
    posts: u64,
}

#[derive(Serialize, Deserialize)]
struct Measured {
    posts: u64,
    negative: u64,
    rate: f64,
    lower_bound: f64,
    threshold: Option<f64>,
    normal: Option<Normal>,
}

#[derive(Serialize, Deserialize)]
struct Alert<S> {
    fingerprint: String,
    rule: String,
    topic: String,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: String,
    fired_at: String,
    ends_at: Option<String>,
    fired_on: Measured,
    peak: Measured,
    peak_at: String,
    latest: Measured,
    samples: Vec<S>,
    is_rate: bool,
}

#[derive(Serialize, Deserialize)]
enum Status {
    Firing,
    Resolved,
}

#[derive(Serialize, Deserialize)]
struct Transition<S> {
    status: Status,
    at: String,
    alert: Alert<S>,
}

#[derive(Serialize, Deserialize)]
struct Counts {
    negative: u64,
    neutral: u64,
    positive: u64,
}

/// What follows `labels` in both versions.
#[derive(Serialize, Deserialize)]
struct RestOfTotals {
    duplicates: u64,
    too_late: u64,
    unmatched: u64,
    alerts: u64,
    edge: Option<i64>,
    commits: u64,
    transitions: u64,
}

#[derive(Serialize, Deserialize)]
struct Totals1 {
    posts: u64,
    labels: Counts,
    rest: RestOfTotals,
}

#[derive(Serialize, Deserialize)]
struct Totals2 {
    posts: u64,
    labels: Counts,
    received: u64,
    rejected: u64,
    rest: RestOfTotals,
}

#[derive(Serialize, Deserialize)]
enum AlertState {
    Inactive,
    Pending { since: String },
    Firing { since: String, quiet_since: Option<String> },
}

#[derive(Serialize, Deserialize)]
struct Tracked<S> {
    state: AlertState,
    alert: Option<Alert<S>>,
    frozen: Option<Normal>,
}

/// The value of version 1 under `key`, in the present layout.
///
/// # Errors
/// When it is none of version 1.
pub fn upgraded(key: &Key, value: &[u8]) -> Result<Vec<u8>, StoreError> {
    match key.table() {
        Some(Table::Meta) if *key == schema_key() => encode(&SCHEMA),
        Some(Table::Totals) => change(key, value, |Totals1 { posts, labels, rest }| Totals2 {
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

fn change<From: DeserializeOwned, To: Serialize>(
    key: &Key,
    value: &[u8],
    change: impl Fn(From) -> To,
) -> Result<Vec<u8>, StoreError> {
    encode(&change(decode(key, value)?))
}

fn encode<V: Serialize>(value: &V) -> Result<Vec<u8>, StoreError> {
    postcard::to_stdvec(value).map_err(StoreError::Encode)
}

fn samples(samples: Vec<Sample1>) -> Vec<Sample2> {
    samples.into_iter().map(Sample2::from).collect()
}

fn alert(alert: Alert<Sample1>) -> Alert<Sample2> {
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
