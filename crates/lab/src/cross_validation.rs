//! [`choose_l2`]: the L2 penalty of a logistic regression by cross-validation. Between a recipe and the fit on all
//! rows.

use serde::Serialize;

use super::logistic::{Examples, FitError, FittedHead, Logistic};

/// Looser than the final fit: the best penalty shows long before the last digits of the weights do.
const TOLERANCE: f64 = 1e-4;

/// How each penalty did on rows that were left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct CrossValidation {
    pub(super) folds: usize,
    pub(super) tried: Vec<GridPoint>,
}

/// One penalty of the grid.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct GridPoint {
    pub(super) l2: f64,
    /// Mean over the folds; `None` if a fit did not converge.
    pub(super) log_loss: Option<f64>,
    /// Weighted mean of `-ln p[class]` over the rows of each fold, by the head fitted to the other folds.
    pub(super) folds: Vec<f64>,
}

impl CrossValidation {
    /// The penalty with the lowest log-loss; the first of equal ones.
    pub(super) fn best(&self) -> Option<f64> {
        let scored = self.tried.iter().filter_map(|tried| Some((tried.l2, tried.log_loss?)));
        scored.reduce(|best, next| if next.1 < best.1 { next } else { best }).map(|(l2, _)| l2)
    }
}

/// Tries every penalty of `grid` on all folds; `fold` is the fold of each row, counted from 0.
///
/// # Errors
/// If the rows cannot be learned from, for example because a class occurs in one fold only.
pub(super) fn choose_l2(
    settings: &Logistic,
    grid: &[f64],
    examples: &Examples,
    fold: &[usize],
    folds: usize,
) -> Result<CrossValidation, FitError> {
    let mut tried: Vec<GridPoint> =
        grid.iter().map(|l2| GridPoint { l2: *l2, log_loss: None, folds: Vec::new() }).collect();
    for left_out in 0..folds {
        let (train, test) = (subset(examples, fold, |of| of != left_out), subset(examples, fold, |of| of == left_out));
        for tried in &mut tried {
            let settings = Logistic { l2: tried.l2, tolerance: settings.tolerance.max(TOLERANCE), ..*settings };
            match settings.fit(train.clone()) {
                Ok(fitted) => tried.folds.push(log_loss(&fitted, &test)),
                // This penalty is left without a score; the others may converge.
                Err(FitError::NotConverged(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    for tried in tried.iter_mut().filter(|tried| tried.folds.len() == folds) {
        tried.log_loss = Some(tried.folds.iter().sum::<f64>() / folds as f64);
    }
    Ok(CrossValidation { folds, tried })
}

fn subset(examples: &Examples, fold: &[usize], is_in: impl Fn(usize) -> bool) -> Examples {
    let Examples { classes, width, features, targets } = examples;
    let mut subset = Examples { classes: classes.clone(), width: *width, ..Examples::default() };
    for ((row, target), fold) in features.chunks_exact((*width).max(1)).zip(targets).zip(fold) {
        if is_in(*fold) {
            subset.features.extend_from_slice(row);
            subset.targets.push(*target);
        }
    }
    subset
}

fn log_loss(fitted: &FittedHead, test: &Examples) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (row, target) in test.features.chunks_exact(test.width.max(1)).zip(&test.targets) {
        let logits = fitted.weight.chunks_exact(test.width.max(1)).zip(&fitted.bias).map(|(weight, bias)| {
            let product: f64 = weight.iter().zip(row).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
            product + f64::from(*bias)
        });
        let logits: Vec<f64> = logits.collect();
        let among = || target.among(logits.len()).filter_map(|class| logits.get(class));
        let largest = among().copied().fold(f64::NEG_INFINITY, f64::max);
        let whole: f64 = among().map(|logit| (logit - largest).exp()).sum();
        let own = logits.get(target.class).copied().unwrap_or(f64::NEG_INFINITY);
        sum += target.weight * (largest + whole.ln() - own);
        weights += target.weight;
    }
    sum / weights.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logistic::Target;

    const SETTINGS: Logistic = Logistic { l2: 0.0, seed: 1, max_iterations: 500, tolerance: 1e-6 };
    const GRID: [f64; 4] = [1e-4, 1e-2, 1.0, 100.0];

    /// 200 rows of ten features; `class` reads the first, the others are noise.
    fn rows(class: impl Fn(usize, f32) -> usize) -> Examples {
        let feature =
            |i: usize, j: usize| ((i * (37 + 10 * j) + 7 * j * j + (i * i * (j + 1)) % 13) % 101) as f32 / 50.0 - 1.0;
        Examples {
            classes: ["a".into(), "b".into()].to_vec(),
            width: 10,
            features: (0..200).flat_map(|i| (0..10).map(move |j| feature(i, j))).collect(),
            targets: (0..200).map(|i| Target { class: class(i, feature(i, 0)), among: 0b11, weight: 1.0 }).collect(),
        }
    }

    fn best(examples: &Examples) -> f64 {
        let fold: Vec<usize> = (0..200).map(|i| i * 7 % 5).collect();
        let tried = choose_l2(&SETTINGS, &GRID, examples, &fold, 5).unwrap();
        assert!(tried.tried.iter().all(|tried| tried.folds.len() == 5 && tried.log_loss.is_some()));
        tried.best().unwrap()
    }

    #[test]
    fn informative_features_want_little_penalty_and_noise_wants_much() {
        assert!(best(&rows(|_, first| usize::from(first > 0.0))) <= 1e-2);
        assert!(best(&rows(|i, _| (i * i * 31 / 7 + i / 3) % 2)) >= 1.0, "noise alone");
    }

    #[test]
    fn an_l2_that_does_not_converge_is_not_chosen() {
        let hard = rows(|_, first| usize::from(first > 0.0));
        let settings = Logistic { max_iterations: 12, ..SETTINGS };
        let fold: Vec<usize> = (0..200).map(|i| i % 2).collect();
        let tried = choose_l2(&settings, &[1e-7, 1.0], &hard, &fold, 2).unwrap();
        assert_eq!(tried.tried[0].log_loss, None);
        assert_eq!(tried.best(), Some(1.0));
    }

    #[test]
    fn a_class_that_no_other_fold_has_is_named() {
        let fold: Vec<usize> = (0..200).map(|i| usize::from(i != 0)).collect();
        let once = rows(|i, _| usize::from(i == 0));
        let error = choose_l2(&SETTINGS, &GRID, &once, &fold, 2).unwrap_err();
        assert!(matches!(error, FitError::NoRow(ref name) if name == "b"), "{error}");
    }
}
