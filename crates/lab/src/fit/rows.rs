//! [`EncodedDataset`]: the encoder's vectors of one dump, split into rows that heads are fitted to and rows that fit
//! the temperature.

use sha2::{Digest, Sha256};

use crate::encoder_cache::EncoderCache;
use crate::label_set::LabelSet;
use crate::logistic::{Examples, Target};
use crate::recipe::{HeadSource, Recipe, Train};
use crate::temperature::Logits;
use crate::{Dataset, LabError, LabelledPost};
use vigie_reading::classify::{Head, Label};

/// The posts of a dump that a fit needs, with the pooled vector of each.
pub(super) struct EncodedDataset<'a> {
    train: &'a Train,
    /// Share of the posts that fit the temperature.
    share: f64,
    /// Whether it fits the temperature of the label head.
    calibrates: bool,
    /// The labels that the whole dump uses.
    known: LabelSet,
    posts: Vec<LabelledPost>,
    width: usize,
    features: Vec<f32>,
}

/// Whether the first 32 bits of the SHA-256 of the lower-cased text are below `share` of all: a draw that any other
/// program can repeat and that never separates equal texts. models/recipe uses it for the rows that the encoder must
/// not see.
pub(super) fn is_below(text: &str, share: f64) -> bool {
    let digest: [u8; 32] = Sha256::digest(text.to_lowercase()).into();
    let [a, b, c, d, ..] = digest;
    f64::from(u32::from_be_bytes([a, b, c, d])) / 2_f64.powi(32) < share
}

/// An independent draw: the fold of a text in a cross-validation.
fn fold(text: &str, folds: usize) -> usize {
    let digest: [u8; 32] = Sha256::digest(text.to_lowercase()).into();
    let [.., a, b, c, d] = digest;
    u32::from_be_bytes([a, b, c, d]) as usize % folds.max(1)
}

/// The labels that each dump uses.
pub(super) fn known(train: &[Dataset]) -> Vec<LabelSet> {
    train.iter().map(|dataset| LabelSet::known_in(&dataset.labels())).collect()
}

/// The labels that some dump uses, in the order of [`Label::ALL`]; two if no dump has a third.
pub(super) fn labels(known: &[LabelSet]) -> Vec<Label> {
    Label::ALL.into_iter().filter(|label| known.iter().any(|classes| classes.contains(*label))).collect()
}

/// Keeps only posts that something is fitted to: with an existing head most posts need not be encoded.
pub(super) fn retain_needed_posts(recipe: &Recipe, train: &Train, dataset: &mut Dataset) {
    if recipe.fit.head == HeadSource::Keep {
        let share = recipe.calibration_share(train);
        let teaches = |post: &LabelledPost| recipe.reason.is_some() && train.reasons && post.reason.is_some();
        dataset.posts.retain(|post| teaches(post) || is_below(&post.text, share));
    }
}

impl<'a> EncodedDataset<'a> {
    pub(super) fn encode(
        recipe: &Recipe,
        train: &'a Train,
        known: LabelSet,
        dataset: Dataset,
        encoder: &EncoderCache<'_>,
    ) -> Result<Self, LabError> {
        Ok(Self {
            train,
            share: recipe.calibration_share(train),
            calibrates: recipe.calibrates_on(train),
            known,
            width: encoder.width(),
            features: encoder.encode(&dataset)?,
            posts: dataset.posts,
        })
    }

    /// Its posts with their vectors: those that fit the temperature if `calibrating`, otherwise the others.
    fn rows(&self, calibrating: bool) -> impl Iterator<Item = (&LabelledPost, &[f32])> {
        let pairs = self.posts.iter().zip(self.features.chunks_exact(self.width.max(1)));
        pairs.filter(move |(post, _)| is_below(&post.text, self.share) == calibrating)
    }
}

/// Rows to fit a head to, and the fold of each in a cross-validation.
pub(super) struct TrainingRows {
    pub(super) examples: Examples,
    pub(super) folds: Vec<usize>,
}

/// The rows that the label head is fitted to.
pub(super) fn label_training_rows(datasets: &[EncodedDataset<'_>], labels: &[Label], folds: usize) -> TrainingRows {
    let classes = labels.iter().map(|label| label.as_str().to_owned()).collect();
    let mut training = TrainingRows::new(classes, datasets);
    for dataset in datasets {
        let counts = dataset.rows(false).map(|(post, _)| class_index(labels, post.label));
        let weights = class_weights(labels.len(), counts, dataset.train.weight, dataset.train.balance);
        let among = bits(labels, dataset.known);
        for (post, vector) in dataset.rows(false) {
            let class = class_index(labels, post.label);
            let weight = weights.get(class).copied().unwrap_or_default();
            training.add(post, vector, Target { class, among, weight }, folds);
        }
    }
    training
}

/// The rows that the head for the reasons `names` is fitted to, weighted by `balance`.
pub(super) fn reason_training_rows(
    datasets: &[EncodedDataset<'_>],
    names: &[String],
    balance: f64,
    folds: usize,
) -> TrainingRows {
    let mut training = TrainingRows::new(names.to_vec(), datasets);
    let with_reason = || {
        let of_reasons = datasets.iter().filter(|dataset| dataset.train.reasons);
        of_reasons.flat_map(|dataset| dataset.rows(false)).filter_map(|(post, vector)| {
            let class = names.iter().position(|name| post.reason.as_ref() == Some(name))?;
            Some((post, vector, class))
        })
    };
    let weights = class_weights(names.len(), with_reason().map(|(.., class)| class), 1.0, balance);
    for (post, vector, class) in with_reason() {
        let weight = weights.get(class).copied().unwrap_or_default();
        training.add(post, vector, Target { class, among: u32::MAX, weight }, folds);
    }
    training
}

/// The reason of each row that heads are fitted to, where it has one.
pub(super) fn reason_names<'r>(datasets: &'r [EncodedDataset<'_>]) -> impl Iterator<Item = &'r str> {
    let of_reasons = datasets.iter().filter(|dataset| dataset.train.reasons);
    of_reasons.flat_map(|dataset| dataset.rows(false)).filter_map(|(post, _)| post.reason.as_deref())
}

/// The logits of `head` for the rows that fit the temperature of the labels, dump by dump.
pub(super) fn label_logits(datasets: &[EncodedDataset<'_>], labels: &[Label], head: &Head) -> Vec<Logits> {
    let logits_of = |dataset: &EncodedDataset<'_>| {
        let mut logits = Logits { classes: labels.len(), among: bits(labels, dataset.known), ..Logits::default() };
        for (post, vector) in dataset.rows(true) {
            logits.values.extend(head.logits(vector));
            logits.targets.push(class_index(labels, post.label));
        }
        logits
    };
    datasets
        .iter()
        .filter(|dataset| dataset.calibrates)
        .map(logits_of)
        .filter(|logits| !logits.targets.is_empty())
        .collect()
}

/// The same for reasons; posts with a reason that the head does not have are skipped.
pub(super) fn reason_logits(datasets: &[EncodedDataset<'_>], names: &[String], head: &Head) -> Vec<Logits> {
    let logits_of = |dataset: &EncodedDataset<'_>| {
        let mut logits = Logits { classes: names.len(), among: u32::MAX, ..Logits::default() };
        for (post, vector) in dataset.rows(true) {
            if let Some(class) = names.iter().position(|name| post.reason.as_ref() == Some(name)) {
                logits.values.extend(head.logits(vector));
                logits.targets.push(class);
            }
        }
        logits
    };
    let of_reasons = datasets.iter().filter(|dataset| dataset.train.reasons);
    of_reasons.map(logits_of).filter(|logits| !logits.targets.is_empty()).collect()
}

impl TrainingRows {
    fn new(classes: Vec<String>, datasets: &[EncodedDataset<'_>]) -> Self {
        let width = datasets.first().map_or(0, |dataset| dataset.width);
        Self { examples: Examples { classes, width, ..Examples::default() }, folds: Vec::new() }
    }

    fn add(&mut self, post: &LabelledPost, vector: &[f32], target: Target, folds: usize) {
        self.examples.features.extend_from_slice(vector);
        self.examples.targets.push(target);
        self.folds.push(fold(&post.text, folds));
    }
}

/// The index of a label in `labels`, which hold every label of the dumps.
fn class_index(labels: &[Label], label: Label) -> usize {
    labels.iter().position(|known| *known == label).unwrap_or_default()
}

fn bits(labels: &[Label], known: LabelSet) -> u32 {
    let known = labels.iter().enumerate().filter(|(_, label)| known.contains(**label));
    known.fold(0, |bits, (index, _)| bits | (1 << index))
}

/// The weight of a row of each class, by [`Train::weight`] and [`Train::balance`].
fn class_weights(classes: usize, rows: impl Iterator<Item = usize>, weight: f64, balance: f64) -> Vec<f64> {
    let mut counts = vec![0.0_f64; classes];
    for class in rows {
        if let Some(count) = counts.get_mut(class) {
            *count += 1.0;
        }
    }
    // The number of classes cancels out when scaled to the mean.
    let raw = counts.iter().map(|count| if *count > 0.0 { count.powf(-balance) } else { 0.0 });
    let sum: f64 = raw.clone().zip(&counts).map(|(weight, count)| weight * count).sum();
    let rows: f64 = counts.iter().sum();
    raw.map(|each| if sum > 0.0 { weight * each * rows / sum } else { 0.0 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn balance_evens_out_the_classes_and_keeps_the_mean_weight() {
        let weights = |balance| class_weights(3, [0, 0, 0, 2].into_iter(), 2.0, balance);
        assert_eq!(weights(0.0), [2.0, 0.0, 2.0]);
        let [negative, _, positive] = weights(1.0)[..] else { panic!() };
        assert!((3.0 * negative - positive).abs() < 1e-12 && (positive - 4.0).abs() < 1e-12, "{negative} {positive}");
        let [negative, _, positive] = weights(0.5)[..] else { panic!() };
        assert!((3.0 * negative + positive - 8.0).abs() < 1e-12, "{negative} {positive}");
        assert!((positive / negative - 3.0_f64.sqrt()).abs() < 1e-12);
    }

    /// `int(hashlib.sha256(text.lower().encode()).hexdigest()[:8], 16) / 2**32` in Python.
    #[test]
    fn the_draw_matches_the_recipe_in_python() {
        for (text, drawn) in [
            ("Late AGAIN", 0.04179100273177028),
            ("J'ai ÉTÉ oublié à Orly 😡", 0.7658122042194009),
            ("@user thanks!", 0.8046031619887799),
        ] {
            assert!(!is_below(text, drawn), "{text}");
            assert!(is_below(text, drawn + 1e-9), "{text}");
        }
        assert!(is_below("any", 1.0) && !is_below("any", 0.0));
    }

    #[test]
    fn equal_texts_share_a_fold_and_folds_are_about_even() {
        assert_eq!(fold("Late AGAIN", 5), fold("late again", 5));
        let mut counts = [0; 5];
        (0..1000).for_each(|i: i32| counts[fold(&i.to_string(), 5)] += 1);
        assert!(counts.iter().all(|count| (150..250).contains(count)), "{counts:?}");
    }
}
