//! [`ErrorRates`]: how often the classifier is wrong about negative posts, and what a rate would be without that.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Label;

/// Measured on posts whose label is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ErrorRates {
    /// Share of negative posts that are read as such.
    pub sensitivity: f64,
    /// Share of other posts that are read as such.
    pub specificity: f64,
}

impl ErrorRates {
    /// Rates of a classifier that tells negative posts from others better than chance does; none of any other, as nothing
    /// can be said from its readings.
    pub fn new(sensitivity: f64, specificity: f64) -> Option<Self> {
        let are_shares = [sensitivity, specificity].iter().all(|share| (0.0..=1.0).contains(share));
        (are_shares && sensitivity + specificity > 1.05).then_some(Self { sensitivity, specificity })
    }

    /// The true share where the share `read` was read as negative: Rogan and Gladen 1978, within `[0, 1]`.
    pub fn truth(&self, read: f64) -> f64 {
        ((read + self.specificity - 1.0) / self.informedness()).clamp(0.0, 1.0)
    }

    /// The share that is read as negative where `truth` is the true one.
    pub fn reading(&self, truth: f64) -> f64 {
        truth * self.informedness() + 1.0 - self.specificity
    }

    /// Youden's J: by how much a true share shows in what is read.
    fn informedness(&self) -> f64 {
        self.sensitivity + self.specificity - 1.0
    }
}

/// What a data set's measurement says, as the lab writes it into a manifest.
#[derive(Debug, Deserialize)]
struct Measurement {
    /// Row by row the true labels, column by column those that were read.
    confusion_matrix: Vec<Vec<f64>>,
    labels: Vec<Label>,
    /// The share at the end of the data set that was held out, where it was parted in time.
    last: Option<f64>,
}

impl ErrorRates {
    /// From a manifest's metrics: of the data sets with all three labels the one whose latest posts were held out, which is
    /// how a model meets posts when it is used. None where there is no such measurement.
    pub(super) fn measured(metrics: &Value) -> Option<Self> {
        let of = |value: &Value| serde_json::from_value::<Measurement>(value.clone()).ok();
        let sets = metrics.as_object()?.values().filter_map(of);
        let mut sets = sets;
        let set = sets.find(|set| set.last.is_some() && Label::ALL.iter().all(|l| set.labels.contains(l)))?;
        let negative = set.labels.iter().position(|label| *label == Label::Negative)?;
        let (mut of_negative, mut of_others) = ((0.0, 0.0), (0.0, 0.0));
        for (truth, row) in set.confusion_matrix.iter().enumerate() {
            let (read, all) = if truth == negative { &mut of_negative } else { &mut of_others };
            *read += row.get(negative)?;
            *all += row.iter().sum::<f64>();
        }
        Self::new(of_negative.0 / of_negative.1, 1.0 - of_others.0 / of_others.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_corrected_and_stays_a_share() {
        let error = ErrorRates::new(0.9, 0.8).unwrap();
        assert!((error.truth(error.reading(0.63)) - 0.63).abs() < 1e-12);
        assert_eq!((error.truth(0.1), error.truth(0.95)), (0.0, 1.0));
        for (sensitivity, specificity) in [(0.5, 0.5), (0.2, 0.7), (1.2, 0.9), (f64::NAN, 0.9)] {
            assert_eq!(ErrorRates::new(sensitivity, specificity), None, "{sensitivity} {specificity}");
        }
    }

    #[test]
    fn the_manifest_of_the_shipped_model_has_the_numbers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/models/default/manifest.json");
        let manifest: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let error = ErrorRates::measured(&manifest["metrics"]).unwrap();
        assert!((error.sensitivity - 1400.0 / 1532.0).abs() < 1e-9, "{error:?}");
        assert!((error.specificity - (1.0 - 192.0 / 893.0)).abs() < 1e-9, "{error:?}");
        assert_eq!(ErrorRates::measured(&Value::Null), None);
        assert_eq!(ErrorRates::measured(&serde_json::json!({"a": {"labels": ["negative", "positive"]}})), None);
    }
}
