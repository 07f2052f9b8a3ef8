//! [`PairedComparison`]: challenger and champion on the same posts, and whether their difference is significant.

use std::fmt;

use indicatif::ProgressBar;
use serde::Serialize;

use super::evaluate::classify;
use super::label_set::LabelSet;
use super::recipe::Measure;
use super::{Dataset, LabError};
use vigie_reading::classify::{Classifier, Label, Prediction};

/// Resamples of the paired bootstrap (Efron 1979): each post is drawn with the predictions of both models.
const RESAMPLES: usize = 2000;
const SEED: u64 = 42;

/// The label of one post, then the predictions of challenger and champion.
pub(super) type PairedReading = (Label, Label, Label);

/// The result. Shares are in `[0, 1]`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PairedComparison {
    pub measure: Measure,
    pub posts: usize,
    pub challenger: f64,
    pub champion: f64,
    /// `challenger - champion`.
    pub difference: f64,
    /// The 95% interval of the difference, by the percentiles of the paired bootstrap.
    pub interval: [f64; 2],
    pub resamples: usize,
    /// Of the dump.
    pub sha256: String,
}

impl PairedComparison {
    /// Classifies `dataset` with both models. It was cleaned by the profile that they share.
    ///
    /// # Errors
    /// If a model fails.
    pub fn run(
        challenger: &mut dyn Classifier,
        champion: &mut dyn Classifier,
        dataset: &Dataset,
        measure: Measure,
        progress: &ProgressBar,
    ) -> Result<Self, LabError> {
        let classes = LabelSet::known_in(&dataset.labels());
        let predict = |classifier: &mut dyn Classifier| -> Result<Vec<Label>, LabError> {
            let predictions = classify(classifier, dataset, progress)?;
            let most_likely = |prediction: &Prediction| classes.most_likely(&prediction.probabilities);
            predictions.iter().map(|prediction| most_likely(prediction).ok_or(LabError::NothingToEvaluate)).collect()
        };
        let (challenger, champion) = (predict(challenger)?, predict(champion)?);
        let labels = dataset.labels();
        let readings = labels.into_iter().zip(challenger).zip(champion).map(|((label, a), b)| (label, a, b));
        let readings: Vec<PairedReading> = readings.collect();
        Ok(Self::from_readings(&readings, measure, dataset.sha256.clone()))
    }

    pub(super) fn from_readings(readings: &[PairedReading], measure: Measure, sha256: String) -> Self {
        let score = |drawn: &mut dyn Iterator<Item = &PairedReading>| {
            let mut counts = [[[0_u64; 3]; 3]; 2];
            for (label, challenger, champion) in drawn {
                counts[0][*label as usize][*challenger as usize] += 1;
                counts[1][*label as usize][*champion as usize] += 1;
            }
            (score_counts(measure, &counts[0]), score_counts(measure, &counts[1]))
        };
        let (challenger, champion) = score(&mut readings.iter());
        let mut state = SEED;
        let mut differences: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let mut drawn = (0..readings.len()).filter_map(|_| readings.get(draw(&mut state, readings.len())));
                let (challenger, champion) = score(&mut drawn);
                challenger - champion
            })
            .collect();
        differences.sort_by(f64::total_cmp);
        let at = |share: f64| differences.get((share * RESAMPLES as f64) as usize).copied().unwrap_or_default();
        Self {
            measure,
            posts: readings.len(),
            challenger,
            champion,
            difference: challenger - champion,
            interval: [at(0.025), at(0.975)],
            resamples: RESAMPLES,
            sha256,
        }
    }

    /// Whether the challenger is significantly worse than the champion.
    pub fn is_worse(&self) -> bool {
        self.interval[1] < 0.0
    }
}

/// `macro F1 0.6511 against the champion's 0.7290: -0.0779, 95% interval -0.0912 to -0.0655, on 2,425 posts`
impl fmt::Display for PairedComparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { measure, challenger, champion, difference, interval: [low, high], posts, .. } = self;
        let measure = match measure {
            Measure::Accuracy => "accuracy",
            Measure::MacroF1 => "macro F1",
            Measure::MacroRecall => "macro recall",
        };
        write!(f, "{measure} {challenger:.4} against the champion's {champion:.4}: {difference:+.4}, ")?;
        write!(f, "95% interval {low:+.4} to {high:+.4}, on {posts} posts")
    }
}

/// A number below `count`, from splitmix64 (Steele, Lea and Flood 2014) by multiplication (Lemire 2019).
fn draw(state: &mut u64, count: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    ((u128::from(mixed) * count as u128) >> 64) as usize
}

/// As in [`Scores`](super::Scores), over the classes that occur.
fn score_counts(measure: Measure, counts: &[[u64; 3]; 3]) -> f64 {
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let right = |class: usize| counts[class][class];
    let support = |class: usize| counts[class].iter().sum::<u64>();
    let predicted = |class: usize| counts.iter().map(|row| row[class]).sum::<u64>();
    let occurring: Vec<usize> = (0..3).filter(|class| support(*class) > 0).collect();
    let mean = |of: &dyn Fn(usize) -> f64| {
        occurring.iter().map(|class| of(*class)).sum::<f64>() / occurring.len().max(1) as f64
    };
    match measure {
        Measure::Accuracy => share((0..3).map(right).sum(), counts.iter().flatten().sum()),
        Measure::MacroF1 => mean(&|class| share(2 * right(class), support(class) + predicted(class))),
        Measure::MacroRecall => mean(&|class| share(right(class), support(class))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scores;
    use Label::{Negative, Neutral, Positive};

    fn readings(
        count: usize,
        challenger: impl Fn(usize) -> bool,
        champion: impl Fn(usize) -> bool,
    ) -> Vec<PairedReading> {
        let read = |label: Label, right: bool| if right { label } else { Label::ALL[(label as usize + 1) % 3] };
        (0..count)
            .map(|i| {
                let label = [Negative, Neutral, Positive][i % 3];
                (label, read(label, challenger(i)), read(label, champion(i)))
            })
            .collect()
    }

    #[test]
    fn the_scores_are_those_of_an_evaluation() {
        let readings = readings(90, |i| i % 7 > 2, |i| i % 5 > 0);
        let labels: Vec<Label> = readings.iter().map(|cell| cell.0).collect();
        let sure = |label: Label| Label::ALL.map(|of| if of == label { 1.0 } else { 0.0 });
        let challenger: Vec<[f32; 3]> = readings.iter().map(|cell| sure(cell.1)).collect();
        let scores = Scores::compute(&labels, &challenger).unwrap();
        for measure in [Measure::Accuracy, Measure::MacroF1, Measure::MacroRecall] {
            let comparison = PairedComparison::from_readings(&readings, measure, String::new());
            assert!((comparison.challenger - measure.value(&scores)).abs() < 1e-12, "{measure:?}");
        }
    }

    #[test]
    fn a_large_difference_is_significant_and_a_small_one_on_few_posts_is_not() {
        let far = PairedComparison::from_readings(
            &readings(300, |i| i % 3 == 0, |i| i % 10 > 0),
            Measure::Accuracy,
            String::new(),
        );
        assert!(far.is_worse(), "{far}");
        let near = PairedComparison::from_readings(
            &readings(60, |i| i % 10 > 1, |i| i % 11 > 0),
            Measure::Accuracy,
            String::new(),
        );
        assert!(near.difference < 0.0 && !near.is_worse(), "{near}");
        let same = PairedComparison::from_readings(
            &readings(60, |i| i % 10 > 1, |i| i % 10 > 1),
            Measure::MacroF1,
            String::new(),
        );
        assert_eq!((same.difference, same.interval, same.is_worse()), (0.0, [0.0, 0.0], false));
    }

    /// Accuracies 0.8 and 0.9 on 300 posts, wrong on disjoint ones: of each post the difference is -1 with 0.2, 1 with
    /// 0.1, and the mean's deviation is `sqrt((0.3 - 0.1^2) / 300) = 0.0311`, so that the interval is about -0.161 to
    /// -0.039.
    #[test]
    fn the_interval_is_about_that_of_the_normal_approximation() {
        let comparison = PairedComparison::from_readings(
            &readings(300, |i| i % 10 > 1, |i| i % 10 != 5),
            Measure::Accuracy,
            String::new(),
        );
        assert!((comparison.interval[0] + 0.161).abs() < 0.01, "{comparison}");
        assert!((comparison.interval[1] + 0.039).abs() < 0.01, "{comparison}");
        let text = comparison.to_string();
        assert!(text.starts_with("accuracy 0.8000 against the champion's 0.9000: -0.1000, 95% interval -0."), "{text}");
    }
}
