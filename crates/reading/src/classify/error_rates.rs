//! [`ErrorRates`]: how often the classifier is wrong about negative posts, and the correction of observed rates for it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Label;

/// The classifier's error rates, measured on labelled posts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorRates {
    /// Share of negative posts that are classified as negative.
    pub sensitivity: f64,
    /// Share of other posts that are not classified as negative.
    pub specificity: f64,
}

impl ErrorRates {
    /// `None` for a classifier that is hardly better than chance: nothing can be inferred from its predictions.
    pub fn new(sensitivity: f64, specificity: f64) -> Option<Self> {
        let are_shares = [sensitivity, specificity].iter().all(|share| (0.0..=1.0).contains(share));
        (are_shares && sensitivity + specificity > 1.05).then_some(Self { sensitivity, specificity })
    }

    /// Estimates the true share of negative posts from the observed one (Rogan and Gladen 1978), clamped to `[0, 1]`.
    pub fn correct(&self, observed: f64) -> f64 {
        ((observed + self.specificity - 1.0) / self.informedness()).clamp(0.0, 1.0)
    }

    /// The expected observed share if `truth` is the true share: the inverse of [`ErrorRates::correct`].
    pub fn observe(&self, truth: f64) -> f64 {
        truth * self.informedness() + 1.0 - self.specificity
    }

    /// Youden's J: the change of the observed share per change of the true share.
    fn informedness(&self) -> f64 {
        self.sensitivity + self.specificity - 1.0
    }
}

/// The metrics of one data set, as the lab writes them into a manifest.
#[derive(Debug, Deserialize)]
struct DatasetMetrics {
    /// Rows are true labels, columns predicted labels.
    confusion_matrix: Vec<Vec<f64>>,
    labels: Vec<Label>,
    /// The share at the end of the data set that was held out, if the split is by time.
    last: Option<f64>,
}

impl ErrorRates {
    /// From a manifest's metrics: uses the first data set with all three labels whose latest posts were held out, because
    /// in production a model also meets later posts than it was trained on. `None` without such a data set.
    pub(super) fn from_metrics(metrics: &Value) -> Option<Self> {
        let parse = |value: &Value| serde_json::from_value::<DatasetMetrics>(value.clone()).ok();
        let mut sets = metrics.as_object()?.values().filter_map(parse);
        let set = sets.find(|set| set.last.is_some() && Label::ALL.iter().all(|l| set.labels.contains(l)))?;
        let negative = set.labels.iter().position(|label| *label == Label::Negative)?;
        let (mut negatives, mut others) = ((0.0, 0.0), (0.0, 0.0));
        for (truth, row) in set.confusion_matrix.iter().enumerate() {
            let (predicted, all) = if truth == negative { &mut negatives } else { &mut others };
            *predicted += row.get(negative)?;
            *all += row.iter().sum::<f64>();
        }
        Self::new(negatives.0 / negatives.1, 1.0 - others.0 / others.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_corrected_and_stays_a_share() {
        let rates = ErrorRates::new(0.9, 0.8).unwrap();
        assert!((rates.correct(rates.observe(0.63)) - 0.63).abs() < 1e-12);
        assert_eq!((rates.correct(0.1), rates.correct(0.95)), (0.0, 1.0));
        for (sensitivity, specificity) in [(0.5, 0.5), (0.2, 0.7), (1.2, 0.9), (f64::NAN, 0.9)] {
            assert_eq!(ErrorRates::new(sensitivity, specificity), None, "{sensitivity} {specificity}");
        }
    }

    #[test]
    fn the_manifest_of_the_shipped_model_has_the_numbers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/default/manifest.json");
        let manifest: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let rates = ErrorRates::from_metrics(&manifest["metrics"]).unwrap();
        assert!((rates.sensitivity - 1400.0 / 1532.0).abs() < 1e-9, "{rates:?}");
        assert!((rates.specificity - (1.0 - 192.0 / 893.0)).abs() < 1e-9, "{rates:?}");
        assert_eq!(ErrorRates::from_metrics(&Value::Null), None);
        assert_eq!(ErrorRates::from_metrics(&serde_json::json!({"a": {"labels": ["negative", "positive"]}})), None);
    }
}
