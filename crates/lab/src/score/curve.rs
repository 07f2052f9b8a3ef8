//! [`Curve`]: precision and recall of negative by the threshold on its probability.

use serde::{Deserialize, Serialize};

use super::{LabelSet, negative_among};
use vigie_reading::classify::Label;

/// Precision and recall of negative at every threshold: scikit-learn's `precision_recall_curve` of negative against the
/// rest, the strictest threshold first, without its last point of precision 1 and recall 0, which belongs to no
/// threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve(Vec<CurvePoint>);

/// The result of classifying posts with at least this probability of negative as negative. Shares in `[0, 1]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CurvePoint {
    pub recall: f64,
    pub precision: f64,
    /// Probability of negative among the scored classes.
    pub threshold: f64,
}

impl Curve {
    /// `None` if all posts, or none, are negative.
    pub fn compute(labels: &[Label], probabilities: &[[f32; 3]]) -> Option<Self> {
        let classes = LabelSet::known_in(labels);
        let scored = labels.iter().zip(probabilities);
        let mut scored: Vec<(f32, bool)> =
            scored.map(|(label, row)| (negative_among(row, classes), *label == Label::Negative)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let negatives = scored.iter().filter(|(_, negative)| *negative).count();
        if negatives == 0 || negatives == scored.len() {
            return None;
        }
        let (mut found, mut right) = (0, 0);
        let points = scored.chunk_by(|a, b| a.0 == b.0).map(|ties| {
            found += ties.len();
            right += ties.iter().filter(|(_, negative)| *negative).count();
            CurvePoint {
                recall: right as f64 / negatives as f64,
                precision: right as f64 / found as f64,
                threshold: ties.first().map_or(0.0, |(score, _)| f64::from(*score)),
            }
        });
        Some(Self(points.collect()))
    }

    /// The highest recall at `precision` or more; 0 if no threshold reaches it.
    pub fn recall_at(&self, precision: f64) -> f64 {
        self.0.iter().filter(|point| point.precision >= precision).map(|point| point.recall).fold(0.0, f64::max)
    }

    /// At most `max` points for drawing: about evenly spread over recall, with both ends.
    pub fn thinned(&self, max: usize) -> Vec<CurvePoint> {
        if self.0.len() <= max {
            return self.0.clone();
        }
        let steps = max.saturating_sub(2).max(1) as f64;
        let mut kept: Vec<CurvePoint> = Vec::with_capacity(max);
        for point in &self.0 {
            let step = |recall: f64| (recall * steps) as usize;
            if kept.last().is_none_or(|last| step(last.recall) < step(point.recall)) {
                kept.push(*point);
            }
        }
        if let Some(end) = self.0.last().filter(|end| kept.last() != Some(end)) {
            kept.push(*end);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Negative, Positive};
    use proptest::prelude::*;

    fn curve(scored: &[(f32, bool)]) -> Option<Curve> {
        let labels: Vec<Label> =
            scored.iter().map(|(_, negative)| if *negative { Negative } else { Positive }).collect();
        let probabilities: Vec<[f32; 3]> = scored.iter().map(|(score, _)| [*score, 0.0, 1.0 - *score]).collect();
        Curve::compute(&labels, &probabilities)
    }

    /// sklearn 1.9.1: `precision_recall_curve([1, 0, 1, 1, 0, 0, 1], [.9, .8, .8, .6, .5, .3, .2])` is, from its end
    /// on, precision 1, 2/3, 3/4, 3/5, 3/6, 4/7 and recall 1/4, 2/4, 3/4, 3/4, 3/4, 1.
    #[test]
    fn precision_and_recall_match_scikit_learn() {
        let scored = [(0.9, true), (0.8, false), (0.8, true), (0.6, true), (0.5, false), (0.3, false), (0.2, true)];
        let curve = curve(&scored).unwrap();
        let found: Vec<(f64, f64)> = curve.0.iter().map(|point| (point.precision, point.recall)).collect();
        let expected = [(1.0, 0.25), (2.0 / 3.0, 0.5), (0.75, 0.75), (0.6, 0.75), (0.5, 0.75), (4.0 / 7.0, 1.0)];
        assert_eq!(found, expected);
        assert_eq!((curve.recall_at(0.9), curve.recall_at(0.75), curve.recall_at(0.5)), (0.25, 0.75, 1.0));
    }

    #[test]
    fn a_precision_of_ninety_percent_is_enough_and_an_unreached_one_gives_0() {
        let mut scored: Vec<(f32, bool)> = (0..10).map(|row| (0.9, row > 0)).collect();
        scored.push((0.1, false));
        assert_eq!(curve(&scored).unwrap().recall_at(0.9), 1.0);
        scored[1].1 = false;
        assert_eq!(curve(&scored).unwrap().recall_at(0.9), 0.0);
        assert_eq!(curve(&[(0.3, true), (0.4, true)]), None);
        assert_eq!(curve(&[]), None);
    }

    proptest! {
        #[test]
        fn a_thinned_curve_keeps_its_ends(scored in prop::collection::vec((0.0_f32..1.0, any::<bool>()), 2..400)) {
            if let Some(curve) = curve(&scored) {
                let thinned = curve.thinned(40);
                prop_assert!(thinned.len() <= 41, "{}", thinned.len());
                prop_assert_eq!((thinned.first(), thinned.last()), (curve.0.first(), curve.0.last()));
                prop_assert_eq!(thinned.last().unwrap().recall, 1.0);
                prop_assert!(thinned.windows(2).all(|pair| pair[0].recall <= pair[1].recall));
            }
        }
    }
}
