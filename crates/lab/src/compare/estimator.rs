//! The estimators of the grid, with their settings.

use super::combination::EstimatorKind;
use crate::Estimator;
use crate::estimator::forest::RandomForest;
use crate::estimator::lightgbm::LightGbm;
use crate::estimator::logistic::LogisticRegression;

pub(super) fn build(kind: EstimatorKind, seed: u64) -> Estimator {
    match kind {
        EstimatorKind::Logistic => Estimator::Logistic(LogisticRegression { seed, ..LogisticRegression::default() }),
        EstimatorKind::Forest => Estimator::Forest(RandomForest { seed, ..RandomForest::default() }),
        EstimatorKind::LightGbm => Estimator::LightGbm(LightGbm { seed, ..LightGbm::default() }),
    }
}
