//! [`Rows`]: what the encoder says of one dump, parted into rows that heads are fitted to and rows that fit the temperature.

use sha2::{Digest, Sha256};

use crate::classes::Classes;
use crate::encoder_cache::Features;
use crate::logistic::{Examples, Target};
use crate::recipe::{HeadSource, Recipe, Train};
use crate::temperature::Logits;
use crate::{Dataset, LabError, Labelled};
use vigie_reading::classify::{Head, Label};

/// A dump as far as it is read, with the pooled vector of each post.
pub(super) struct Rows<'a> {
    train: &'a Train,
    /// Share of the posts that fit the temperature.
    share: f64,
    /// Whether the temperature of the label head is fitted on it.
    calibrates: bool,
    /// The labels that the whole dump knows.
    known: Classes,
    posts: Vec<Labelled>,
    width: usize,
    features: Vec<f32>,
}

/// Whether the first 32 bits of the sha256 over the text in small letters are below `share` of all: a draw that any other
/// program can repeat, and that parts no two equal texts. models/recipe does, for what the encoder must not see.
pub(super) fn is_below(text: &str, share: f64) -> bool {
    let digest: [u8; 32] = Sha256::digest(text.to_lowercase()).into();
    let [a, b, c, d, ..] = digest;
    f64::from(u32::from_be_bytes([a, b, c, d])) / 2_f64.powi(32) < share
}

/// Another draw: which part of a cross-validation a text is in.
fn fold(text: &str, folds: usize) -> usize {
    let digest: [u8; 32] = Sha256::digest(text.to_lowercase()).into();
    let [.., a, b, c, d] = digest;
    u32::from_be_bytes([a, b, c, d]) as usize % folds.max(1)
}

/// The labels that each dump knows.
pub(super) fn known(train: &[Dataset]) -> Vec<Classes> {
    train.iter().map(|dataset| Classes::known_to(&dataset.labels())).collect()
}

/// The labels that some dump knows, in the order of [`Label::ALL`]: two where no dump knows a third.
pub(super) fn labels(known: &[Classes]) -> Vec<Label> {
    Label::ALL.into_iter().filter(|label| known.iter().any(|classes| classes.contains(*label))).collect()
}

/// Leaves only the posts that something will be fitted to: with a kept head most of them need never be encoded.
pub(super) fn keep_what_is_read(recipe: &Recipe, train: &Train, dataset: &mut Dataset) {
    if recipe.fit.head == HeadSource::Keep {
        let share = recipe.calibration_share(train);
        let teaches = |post: &Labelled| recipe.reason.is_some() && train.reasons && post.reason.is_some();
        dataset.posts.retain(|post| teaches(post) || is_below(&post.text, share));
    }
}

impl<'a> Rows<'a> {
    pub(super) fn encode(
        recipe: &Recipe,
        train: &'a Train,
        known: Classes,
        dataset: Dataset,
        features: &Features<'_>,
    ) -> Result<Self, LabError> {
        Ok(Self {
            train,
            share: recipe.calibration_share(train),
            calibrates: recipe.calibrates_on(train),
            known,
            width: features.width(),
            features: features.of(&dataset)?,
            posts: dataset.posts,
        })
    }

    /// Its posts with their vectors: those that fit the temperature, or the others.
    fn part(&self, calibrating: bool) -> impl Iterator<Item = (&Labelled, &[f32])> {
        let rows = self.posts.iter().zip(self.features.chunks_exact(self.width.max(1)));
        rows.filter(move |(post, _)| is_below(&post.text, self.share) == calibrating)
    }
}

/// Rows to fit a head to, and the fold of each in a cross-validation.
pub(super) struct Lessons {
    pub(super) examples: Examples,
    pub(super) folds: Vec<usize>,
}

/// What teaches the labels.
pub(super) fn label_lessons(rows: &[Rows<'_>], labels: &[Label], folds: usize) -> Lessons {
    let classes = labels.iter().map(|label| label.as_str().to_owned()).collect();
    let mut lessons = Lessons::new(classes, rows);
    for rows in rows {
        let counts = rows.part(false).map(|(post, _)| place(labels, post.label));
        let weights = class_weights(labels.len(), counts, rows.train.weight, rows.train.balance);
        let among = bits(labels, rows.known);
        for (post, vector) in rows.part(false) {
            let class = place(labels, post.label);
            let weight = weights.get(class).copied().unwrap_or_default();
            lessons.add(post, vector, Target { class, among, weight }, folds);
        }
    }
    lessons
}

/// What teaches the reasons `names`, evened out by `balance`.
pub(super) fn reason_lessons(rows: &[Rows<'_>], names: &[String], balance: f64, folds: usize) -> Lessons {
    let mut lessons = Lessons::new(names.to_vec(), rows);
    let taught = || {
        let of_reasons = rows.iter().filter(|rows| rows.train.reasons);
        of_reasons.flat_map(|rows| rows.part(false)).filter_map(|(post, vector)| {
            let class = names.iter().position(|name| post.reason.as_ref() == Some(name))?;
            Some((post, vector, class))
        })
    };
    let weights = class_weights(names.len(), taught().map(|(.., class)| class), 1.0, balance);
    for (post, vector, class) in taught() {
        let weight = weights.get(class).copied().unwrap_or_default();
        lessons.add(post, vector, Target { class, among: u32::MAX, weight }, folds);
    }
    lessons
}

/// How often each reason is given in the rows that heads are fitted to.
pub(super) fn reasons_given<'r>(rows: &'r [Rows<'_>]) -> impl Iterator<Item = &'r str> {
    let of_reasons = rows.iter().filter(|rows| rows.train.reasons);
    of_reasons.flat_map(|rows| rows.part(false)).filter_map(|(post, _)| post.reason.as_deref())
}

/// What `head` says of the rows that fit the temperature of the labels, dump by dump.
pub(super) fn label_logits(rows: &[Rows<'_>], labels: &[Label], head: &Head) -> Vec<Logits> {
    let of = |rows: &Rows<'_>| {
        let mut logits = Logits { classes: labels.len(), among: bits(labels, rows.known), ..Logits::default() };
        for (post, vector) in rows.part(true) {
            logits.values.extend(head.logits(vector));
            logits.targets.push(place(labels, post.label));
        }
        logits
    };
    rows.iter().filter(|rows| rows.calibrates).map(of).filter(|logits| !logits.targets.is_empty()).collect()
}

/// The same for reasons; posts with a reason that the head does not know are passed over.
pub(super) fn reason_logits(rows: &[Rows<'_>], names: &[String], head: &Head) -> Vec<Logits> {
    let of = |rows: &Rows<'_>| {
        let mut logits = Logits { classes: names.len(), among: u32::MAX, ..Logits::default() };
        for (post, vector) in rows.part(true) {
            if let Some(class) = names.iter().position(|name| post.reason.as_ref() == Some(name)) {
                logits.values.extend(head.logits(vector));
                logits.targets.push(class);
            }
        }
        logits
    };
    let of_reasons = rows.iter().filter(|rows| rows.train.reasons);
    of_reasons.map(of).filter(|logits| !logits.targets.is_empty()).collect()
}

impl Lessons {
    fn new(classes: Vec<String>, rows: &[Rows<'_>]) -> Self {
        let width = rows.first().map_or(0, |rows| rows.width);
        Self { examples: Examples { classes, width, ..Examples::default() }, folds: Vec::new() }
    }

    fn add(&mut self, post: &Labelled, vector: &[f32], target: Target, folds: usize) {
        self.examples.features.extend_from_slice(vector);
        self.examples.targets.push(target);
        self.folds.push(fold(&post.text, folds));
    }
}

/// Of a label that is in `labels`: all that a dump has are.
fn place(labels: &[Label], label: Label) -> usize {
    labels.iter().position(|known| *known == label).unwrap_or_default()
}

fn bits(labels: &[Label], known: Classes) -> u32 {
    let known = labels.iter().enumerate().filter(|(_, label)| known.contains(**label));
    known.fold(0, |bits, (place, _)| bits | (1 << place))
}

/// What a row of each class counts, by [`Train::weight`] and [`Train::balance`].
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
    fn the_draw_is_the_one_that_the_recipe_in_python_makes() {
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
