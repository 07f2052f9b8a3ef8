//! [`Reason`]: why a post is negative, predicted by a second head on the same pooled output.

use std::path::Path;
use std::sync::Arc;

use super::artifact::files::{ModelFiles, REASON_HEAD};
use super::{Head, ModelError};

/// A less likely reason is not reported: from one half on, no other can be more likely.
const MIN_PROBABILITY: f32 = 0.5;
/// Reasons that a head may predict but that carry no information.
const UNINFORMATIVE: [&str; 2] = ["cant_tell", "other"];

/// Words of a reason that are kept.
const MAX_WORDS: usize = 8;

/// Why a post is negative.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Normalised ([`normalise_reason`]), such as `late_flight`.
    pub name: Arc<str>,
    /// In `[0, 1]`, given that the post is negative.
    pub probability: f32,
}

impl Reason {
    /// Whether it is likely and informative enough to be reported.
    pub fn is_confident(&self) -> bool {
        self.probability >= MIN_PROBABILITY && !UNINFORMATIVE.contains(&&*self.name)
    }
}

/// The form in which a reason is counted, shown and stored by a model: `Late Flight` becomes `late_flight`.
pub fn normalise_reason(reason: &str) -> String {
    let letters = reason.chars().filter(|c| *c != '\'' && *c != '\u{2019}');
    let words: String = letters.map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    words.to_lowercase().split_whitespace().take(MAX_WORDS).collect::<Vec<_>>().join("_")
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

    /// Loads the reason head of a model directory whose manifest lists these reasons.
    ///
    /// # Errors
    /// When the reason head is missing or has another shape.
    pub fn from_model_dir(dir: &Path, names: &[String]) -> Result<Self, ModelError> {
        Ok(Self::new(Head::load_file(&mut ModelFiles::open(dir)?, REASON_HEAD, names.len())?, names.to_vec()))
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The reason of each row.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// The most likely reason; the first of two equally likely. `None` only if no probability is finite.
    pub fn most_likely(&self, pooled: &[f32]) -> Option<Reason> {
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
    fn reasons_of_a_dump_are_normalised() {
        for (found, expected) in [
            ("Late Flight", "late_flight"),
            ("Can't Tell", "cant_tell"),
            ("longlines", "longlines"),
            ("Bagages  perdus !", "bagages_perdus"),
        ] {
            assert_eq!(normalise_reason(found), expected);
            assert_eq!(normalise_reason(expected), expected, "normalising twice changes nothing");
        }
    }

    #[test]
    fn only_likely_and_informative_reasons_are_confident() {
        let confident = |name: &str, probability| Reason { name: name.into(), probability }.is_confident();
        assert!(confident("late_flight", 0.5));
        assert!(!confident("late_flight", 0.49));
        assert!(!confident("cant_tell", 0.99));
    }

    #[test]
    fn the_most_likely_row_is_named() {
        let head = Head::new(vec![1.0, 0.0, -1.0], vec![0.0, 0.5, 0.0]).unwrap();
        let head = ReasonHead::new(head, ["late", "lost", "rude"].map(str::to_owned).to_vec());
        assert_eq!(&*head.most_likely(&[2.0]).unwrap().name, "late");
        assert_eq!(&*head.most_likely(&[-3.0]).unwrap().name, "rude");
        let unsure = head.most_likely(&[0.0]).unwrap();
        assert_eq!(&*unsure.name, "lost");
        assert!((unsure.probability - 0.4519).abs() < 1e-4, "{}", unsure.probability);
        assert_eq!(head.most_likely(&[f32::NAN]), None);
    }
}
