//! [`batches`]: splits a run's tags, parameters and points into calls of `runs/log-batch`, each within MLflow's limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::points::MetricPoint;

/// Limits of one call, from MLflow's REST API.
const MAX_METRICS: usize = 1000;
const MAX_PARAMS: usize = 100;
const MAX_TAGS: usize = 100;
const MAX_ITEMS: usize = 1000;
/// The limit is 1,000,000 for the whole body.
const MAX_BYTES: usize = 900_000;

/// The content of one call.
#[derive(Debug, Default)]
struct Batch {
    metrics: Vec<Value>,
    params: Vec<Value>,
    tags: Vec<Value>,
    bytes: usize,
}

#[derive(Clone, Copy)]
enum ItemKind {
    Tag,
    Param,
    Metric,
}

impl Batch {
    fn has_room_for(&self, kind: ItemKind, bytes: usize) -> bool {
        let (count, max) = match kind {
            ItemKind::Tag => (self.tags.len(), MAX_TAGS),
            ItemKind::Param => (self.params.len(), MAX_PARAMS),
            ItemKind::Metric => (self.metrics.len(), MAX_METRICS),
        };
        count < max && self.len() < MAX_ITEMS && self.bytes + bytes <= MAX_BYTES
    }

    fn len(&self) -> usize {
        self.tags.len() + self.params.len() + self.metrics.len()
    }

    fn push(&mut self, kind: ItemKind, item: Value, bytes: usize) {
        self.bytes += bytes;
        match kind {
            ItemKind::Tag => self.tags.push(item),
            ItemKind::Param => self.params.push(item),
            ItemKind::Metric => self.metrics.push(item),
        }
    }

    fn body(self, run_id: &str) -> Value {
        json!({ "run_id": run_id, "tags": self.tags, "params": self.params, "metrics": self.metrics })
    }
}

/// The bodies of the calls, in order; empty if there is nothing to send.
pub(super) fn batches<'a>(
    run_id: &str,
    tags: &BTreeMap<String, String>,
    params: &BTreeMap<String, String>,
    points: impl Iterator<Item = &'a MetricPoint>,
) -> Vec<Value> {
    let pair = |(key, value): (&String, &String)| json!({ "key": key, "value": value });
    let items = tags.iter().map(|tag| (ItemKind::Tag, pair(tag)));
    let items = items.chain(params.iter().map(|param| (ItemKind::Param, pair(param))));
    let items = items.chain(points.map(|point| (ItemKind::Metric, point.wire())));
    let (mut done, mut open) = (Vec::new(), Batch::default());
    for (kind, item) in items {
        // Plus the comma. Other JSON writers escape non-ASCII characters, so the escaped length counts.
        let bytes = escaped_len(&item.to_string()) + 1;
        if !open.has_room_for(kind, bytes) {
            done.push(std::mem::take(&mut open).body(run_id));
        }
        open.push(kind, item, bytes);
    }
    if open.len() > 0 {
        done.push(open.body(run_id));
    }
    done
}

/// The length with non-ASCII characters written as `\uXXXX`, as Python's `json` does.
fn escaped_len(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn len(body: &Value, field: &str) -> usize {
        body[field].as_array().map_or(0, Vec::len)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn every_call_is_within_the_limits_and_nothing_is_lost(
            tags in 0_usize..250, params in 0_usize..250, points in 0_usize..3500, size in 0_usize..6000,
        ) {
            let map = |count| (0..count).map(|n: usize| (n.to_string(), "é".repeat(size))).collect::<BTreeMap<_, _>>();
            let point = |n: usize| MetricPoint { key: "loss".into(), value: 0.1, timestamp: 5, step: n as i64 };
            let points: Vec<MetricPoint> = (0..points).map(point).collect();
            let bodies = batches("r", &map(tags), &map(params), points.iter());
            for body in &bodies {
                let count = len(body, "tags") + len(body, "params") + len(body, "metrics");
                prop_assert!(len(body, "tags") <= 100 && len(body, "params") <= 100 && (1..=1000).contains(&count));
                prop_assert!(escaped_len(&body.to_string()) <= 1_000_000);
            }
            let all = |field| bodies.iter().map(|body| len(body, field)).sum::<usize>();
            prop_assert_eq!((all("tags"), all("params"), all("metrics")), (tags, params, points.len()));
        }
    }

    #[test]
    fn a_usual_run_is_one_call_and_an_empty_one_none() {
        let map: BTreeMap<_, _> = (0..50).map(|n| (n.to_string(), "x".to_owned())).collect();
        assert_eq!(batches("r", &map, &map, std::iter::empty()).len(), 1);
        assert!(batches("r", &BTreeMap::new(), &BTreeMap::new(), std::iter::empty()).is_empty());
    }
}
