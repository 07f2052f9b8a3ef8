//! [`MetricPoint`]: one value of one metric. A run's series become points, one per step, followed by its final metrics.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use super::names;

/// One value of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricPoint {
    pub key: String,
    /// Stored as text: JSON has no NaN, and JSON readers may change the last digit of a number.
    #[serde(serialize_with = "to_text", deserialize_with = "from_text")]
    pub value: f64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// The epoch, from 1; 0 for metrics without epochs.
    pub step: i64,
}

impl MetricPoint {
    /// As in MLflow's API: a number, or the name of a non-finite value.
    pub(super) fn wire(&self) -> Value {
        let value = match self.value {
            value if value.is_nan() => json!("NaN"),
            f64::INFINITY => json!("Infinity"),
            f64::NEG_INFINITY => json!("-Infinity"),
            value => json!(value),
        };
        json!({ "key": self.key, "value": value, "timestamp": self.timestamp, "step": self.step })
    }
}

/// The points of a run from `start` to `end` (milliseconds): epochs are spread evenly over it; final metrics are at its
/// end, after the last epoch of a series of the same name.
pub(super) fn points(
    metrics: BTreeMap<String, f64>,
    epochs: BTreeMap<String, Vec<f64>>,
    start: i64,
    end: i64,
) -> Vec<MetricPoint> {
    let metrics = names::rename(metrics, names::plain);
    let epochs = names::rename(epochs, names::plain);
    let mut points = Vec::new();
    for (key, values) in &epochs {
        let span = i128::from(end.max(start)) - i128::from(start);
        let count = values.len().max(1) as i128;
        for (step, value) in (1_i64..).zip(values) {
            let after = i64::try_from(span * i128::from(step) / count).unwrap_or_default();
            points.push(MetricPoint { key: key.clone(), value: *value, timestamp: start.saturating_add(after), step });
        }
    }
    for (key, value) in metrics {
        let step = epochs.get(&key).map_or(0, |values| values.len() as i64 + 1);
        points.push(MetricPoint { key, value, timestamp: end, step });
    }
    points
}

fn to_text<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&value.to_string())
}

fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(|_| serde::de::Error::custom(format_args!("{text:?} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_steps_and_final_metrics_follow() {
        let metrics = BTreeMap::from([("accuracy".into(), 0.5), ("loss".into(), 0.25)]);
        let epochs = BTreeMap::from([("loss".into(), vec![0.75, 0.5])]);
        let points = points(metrics, epochs, 1000, 2000);
        let found: Vec<_> = points.iter().map(|p| (p.key.as_str(), p.value, p.timestamp, p.step)).collect();
        let expected =
            [("loss", 0.75, 1500, 1), ("loss", 0.5, 2000, 2), ("accuracy", 0.5, 2000, 0), ("loss", 0.25, 2000, 3)];
        assert_eq!(found, expected);
    }

    #[test]
    fn non_finite_values_are_sent_by_name() {
        for (value, wire, kept) in
            [(f64::NAN, "NaN", "NaN"), (f64::INFINITY, "Infinity", "inf"), (f64::NEG_INFINITY, "-Infinity", "-inf")]
        {
            let point = MetricPoint { key: "loss".into(), value, timestamp: 0, step: 1 };
            assert_eq!(point.wire()["value"], wire);
            let text = serde_json::to_string(&point).unwrap();
            assert!(text.contains(&format!("\"{kept}\"")), "{text}");
            let back: MetricPoint = serde_json::from_str(&text).unwrap();
            assert_eq!(back.value.to_bits(), value.to_bits());
        }
    }
}
