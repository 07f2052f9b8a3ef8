//! The estimators of the grid, with the settings that it gives them.

use super::combination::EstimatorKind;
use crate::lab::Estimator;
use crate::lab::estimator::forest::RandomForest;
use crate::lab::estimator::lightgbm::LightGbm;
use crate::lab::estimator::logistic::LogisticRegression;

pub(super) fn of(kind: EstimatorKind, seed: u64) -> Estimator {
    match kind {
        EstimatorKind::Logistic => Estimator::Logistic(LogisticRegression { seed, ..LogisticRegression::default() }),
        EstimatorKind::Forest => Estimator::Forest(RandomForest { seed, ..RandomForest::default() }),
        EstimatorKind::LightGbm => Estimator::LightGbm(LightGbm { seed, ..LightGbm::default() }),
    }
}
