//! [`fit`]: how strongly the champion holds the new head, the fit to all corrections, and fits that leave a part of them out.

use rayon::prelude::*;

use super::anchored::{self, AnchoredRow, Change};
use super::rows::{EncodedInput, FOLDS};
use super::scale::ReferenceScale;
use crate::LabError;
use vigie_reading::classify::Head;

/// The least strength. At 100 a correction of weight 1 moves the logits of its post by one or two hundredths: a few corrections
/// change hardly anything. With more corrections the strength is their weight, so that thousands cannot carry the head away: at a
/// quarter of it, corrections of wrong readings alone made other posts worse (benches/retrain/measure.py). It is not chosen by
/// cross-validation: people correct what is wrong, and on wrong readings alone the weakest anchor always wins.
const MIN_STRENGTH: f64 = 100.0;
/// The base data counts as this many posts at most, however large it is: the champion knows it, so it holds the head in its
/// place and need not teach it again.
const BASE_POSTS: f64 = 1_000.0;
/// Recent posts, with the champion's own probabilities, count as this many posts at most: they keep a correction of one kind of
/// post from moving all others that share its label.
const RECENT_POSTS: f64 = 300.0;

/// The fitted head.
#[derive(Debug, Clone)]
pub(super) struct AnchoredHead {
    pub(super) head: Head,
    pub(super) strength: f64,
    /// Of each correction, by the fit that it was left out of: in the order of the corrections, one logit per class.
    pub(super) left_out: Vec<Vec<f64>>,
}

/// The rows of a fit; corrections come first.
struct Rows {
    logits: Vec<Vec<f32>>,
    features: Vec<Vec<f32>>,
    targets: Vec<Vec<f64>>,
    weights: Vec<f64>,
    /// The fold of a correction; none for other rows, which are in every fit.
    folds: Vec<Option<usize>>,
}

/// Fits the new head from `current`.
///
/// # Errors
/// When the change does not fit the head, which a champion's own head excludes.
pub(super) fn fit(
    encoded: &EncodedInput,
    current: &Head,
    scale: &ReferenceScale,
    weight: f64,
) -> Result<AnchoredHead, LabError> {
    let rows = Rows::new(encoded, current, scale, weight);
    let strength = (weight * encoded.corrections.len() as f64).max(MIN_STRENGTH);
    let left_out = rows.left_out(strength);
    let change = rows.fit(|_| true, strength);
    let head = change.applied_to(current, &scale.unscale(&change.values)).ok_or(LabError::NothingToEvaluate)?;
    Ok(AnchoredHead { head, strength, left_out })
}

impl Rows {
    fn new(encoded: &EncodedInput, current: &Head, scale: &ReferenceScale, weight: f64) -> Self {
        let base_weight = (BASE_POSTS / encoded.base.len().max(1) as f64).min(1.0);
        let recent_weight = (RECENT_POSTS / encoded.recent.len().max(1) as f64).min(1.0);
        let corrections = encoded.corrections.iter().map(|it| (&it.vector, Some(it.class), weight, Some(it.fold)));
        let base = encoded.base.iter().map(|it| (&it.vector, Some(it.class), base_weight, None));
        let recent = encoded.recent.iter().map(|vector| (vector, None, recent_weight, None));
        let mut rows = Self {
            logits: Vec::new(),
            features: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            folds: Vec::new(),
        };
        for (vector, class, weight, fold) in corrections.chain(base).chain(recent) {
            let logits = current.logits(vector);
            rows.targets.push(target(&logits, class));
            rows.logits.push(logits);
            rows.features.push(scale.apply(vector).collect());
            rows.weights.push(weight);
            rows.folds.push(fold);
        }
        rows
    }

    fn fit(&self, is_in: impl Fn(Option<usize>) -> bool, strength: f64) -> Change {
        let both = self.logits.iter().zip(&self.features);
        let targets = self.targets.iter().zip(&self.weights).zip(&self.folds);
        let rows = both.zip(targets).filter(|(_, (_, fold))| is_in(**fold));
        let rows = rows.map(|((logits, features), ((target, weight), _))| AnchoredRow {
            logits,
            features,
            target,
            weight: *weight,
        });
        let rows: Vec<AnchoredRow<'_>> = rows.collect();
        let classes = self.logits.first().map_or(0, Vec::len);
        anchored::fit(&rows, classes, self.features.first().map_or(0, Vec::len), strength)
    }

    /// The logits of each correction by the fit to the others' folds.
    fn left_out(&self, strength: f64) -> Vec<Vec<f64>> {
        let changes: Vec<Change> =
            (0..FOLDS).into_par_iter().map(|fold| self.fit(|of| of != Some(fold), strength)).collect();
        let corrections = self.folds.iter().zip(self.logits.iter().zip(&self.features));
        corrections
            .filter_map(|(fold, (logits, features))| Some(changes.get((*fold)?)?.logits(logits, features)))
            .collect()
    }
}

/// The label of a row, or, where it has none, what the champion reads.
fn target(logits: &[f32], class: Option<usize>) -> Vec<f64> {
    let Some(class) = class else {
        let mut probabilities: Vec<f64> = logits.iter().map(|logit| f64::from(*logit)).collect();
        anchored::cross_entropy(&mut probabilities, &[]);
        return probabilities;
    };
    (0..logits.len()).map(|index| if index == class { 1.0 } else { 0.0 }).collect()
}
