//! [`batches`]: a run's tags, parameters and points cut into calls of `runs/log-batch`, each within MLflow's limits.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::points::Point;

/// Limits of one call, as MLflow's REST API states them.
const METRICS: usize = 1000;
const PARAMS: usize = 100;
const TAGS: usize = 100;
const ALL: usize = 1000;
/// Its limit is 1,000,000 with everything around.
const BYTES: usize = 900_000;

/// What one call holds.
#[derive(Debug, Default)]
struct Batch {
    metrics: Vec<Value>,
    params: Vec<Value>,
    tags: Vec<Value>,
    bytes: usize,
}

#[derive(Clone, Copy)]
enum Kind {
    Tag,
    Param,
    Metric,
}

impl Batch {
    fn takes(&self, kind: Kind, bytes: usize) -> bool {
        let (held, most) = match kind {
            Kind::Tag => (self.tags.len(), TAGS),
            Kind::Param => (self.params.len(), PARAMS),
            Kind::Metric => (self.metrics.len(), METRICS),
        };
        held < most && self.len() < ALL && self.bytes + bytes <= BYTES
    }

    fn len(&self) -> usize {
        self.tags.len() + self.params.len() + self.metrics.len()
    }

    fn push(&mut self, kind: Kind, item: Value, bytes: usize) {
        self.bytes += bytes;
        match kind {
            Kind::Tag => self.tags.push(item),
            Kind::Param => self.params.push(item),
            Kind::Metric => self.metrics.push(item),
        }
    }

    fn body(self, run_id: &str) -> Value {
        json!({ "run_id": run_id, "tags": self.tags, "params": self.params, "metrics": self.metrics })
    }
}

/// The bodies of the calls, in order; none where there is nothing to say.
pub(super) fn batches<'a>(
    run_id: &str,
    tags: &BTreeMap<String, String>,
    params: &BTreeMap<String, String>,
    points: impl Iterator<Item = &'a Point>,
) -> Vec<Value> {
    let pair = |(key, value): (&String, &String)| json!({ "key": key, "value": value });
    let items = tags.iter().map(|tag| (Kind::Tag, pair(tag)));
    let items = items.chain(params.iter().map(|param| (Kind::Param, pair(param))));
    let items = items.chain(points.map(|point| (Kind::Metric, point.wire())));
    let (mut done, mut open) = (Vec::new(), Batch::default());
    for (kind, item) in items {
        // With the comma after it; other readers of JSON may count escapes, which are at most six bytes for two.
        let bytes = escaped(&item.to_string()) + 1;
        if !open.takes(kind, bytes) {
            done.push(std::mem::take(&mut open).body(run_id));
        }
        open.push(kind, item, bytes);
    }
    if open.len() > 0 {
        done.push(open.body(run_id));
    }
    done
}

/// The length where everything but ASCII is written `\uXXXX`, as Python's `json` does.
fn escaped(text: &str) -> usize {
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
            let point = |n: usize| Point { key: "loss".into(), value: 0.1, timestamp: 5, step: n as i64 };
            let points: Vec<Point> = (0..points).map(point).collect();
            let bodies = batches("r", &map(tags), &map(params), points.iter());
            for body in &bodies {
                let count = len(body, "tags") + len(body, "params") + len(body, "metrics");
                prop_assert!(len(body, "tags") <= 100 && len(body, "params") <= 100 && (1..=1000).contains(&count));
                prop_assert!(escaped(&body.to_string()) <= 1_000_000);
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
