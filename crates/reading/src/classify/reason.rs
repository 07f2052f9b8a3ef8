//! [`Reason`]: why a post is negative, read by a second head on the same pooled output. Beside `head`, before a [`Prediction`].

use std::path::Path;
use std::sync::Arc;

use super::artifact::files::{ModelFiles, REASON_HEAD};
use super::{Head, ModelError};

/// Below this a reason is not told: at one half no other is likelier.
const LEAST: f32 = 0.5;
/// What a head may know and nobody wants to be told.
const TELLS_NOTHING: [&str; 2] = ["cant_tell", "other"];

/// Why a post is negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// As [`plain_reason`] writes it, such as `late_flight`.
    pub name: Arc<str>,
    /// In `[0, 1]`, given that the post is negative.
    pub probability: f32,
}

impl Reason {
    /// Whether it is likely enough, and says enough, to be told.
    pub fn is_told(&self) -> bool {
        self.probability >= LEAST && !TELLS_NOTHING.contains(&&*self.name)
    }
}

/// The words of a reason as they are counted, shown and kept by a model: `Late Flight` is `late_flight`.
pub fn plain_reason(reason: &str) -> String {
    let letters = reason.chars().filter(|c| *c != '\'' && *c != '\u{2019}');
    let plain: String = letters.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    plain.to_lowercase().split_whitespace().take(8).collect::<Vec<_>>().join("_")
}

/// A model's `reason_head.safetensors`, with the names of its rows.
#[derive(Debug)]
pub struct ReasonHead {
    head: Head,
    names: Vec<Arc<str>>,
}

impl ReasonHead {
    /// `head` has a row for each of `names`, in their order.
    pub fn new(head: Head, names: Vec<String>) -> Self {
        Self { head, names: names.into_iter().map(Arc::from).collect() }
    }

    /// The reason head of a model directory whose manifest has these reasons.
    ///
    /// # Errors
    /// When there is none, or one of another shape.
    pub fn of_model(dir: &Path, names: &[String]) -> Result<Self, ModelError> {
        Ok(Self::new(Head::of_file(&mut ModelFiles::open(dir)?, REASON_HEAD, names.len())?, names.to_vec()))
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// What its rows stand for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The likeliest; the first one where two are equal. `None` only where the head computes no number.
    pub fn likeliest(&self, pooled: &[f32]) -> Option<Reason> {
        let probabilities = self.head.probabilities(pooled);
        let named = self.names.iter().zip(probabilities).filter(|(_, probability)| probability.is_finite());
        let best = named.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(name, probability)| Reason { name: name.clone(), probability })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_dump_are_made_plain() {
        for (found, wanted) in [
            ("Late Flight", "late_flight"),
            ("Can't Tell", "cant_tell"),
            ("longlines", "longlines"),
            ("Bagages  perdus !", "bagages_perdus"),
        ] {
            assert_eq!(plain_reason(found), wanted);
            assert_eq!(plain_reason(wanted), wanted, "plain words stay as they are");
        }
    }

    #[test]
    fn only_what_is_likely_and_says_something_is_told() {
        let told = |name: &str, probability| Reason { name: name.into(), probability }.is_told();
        assert!(told("late_flight", 0.5));
        assert!(!told("late_flight", 0.49));
        assert!(!told("cant_tell", 0.99));
    }

    #[test]
    fn the_likeliest_row_is_named() {
        let head = Head::new(vec![1.0, 0.0, -1.0], vec![0.0, 0.5, 0.0]).unwrap();
        let head = ReasonHead::new(head, ["late", "lost", "rude"].map(str::to_owned).to_vec());
        assert_eq!(&*head.likeliest(&[2.0]).unwrap().name, "late");
        assert_eq!(&*head.likeliest(&[-3.0]).unwrap().name, "rude");
        let unsure = head.likeliest(&[0.0]).unwrap();
        assert_eq!(&*unsure.name, "lost");
        assert!((unsure.probability - 0.4519).abs() < 1e-4, "{}", unsure.probability);
        assert_eq!(head.likeliest(&[f32::NAN]), None);
    }
}
