//! [`EncodedInput`]: what a retraining reads, cleaned and with the encoder's vectors. Between the input and the fit.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::RetrainInput;
use crate::encoder_cache::EncoderCache;
use crate::{Dataset, LabError, LabelledPost};
use vigie_reading::classify::{Label, Manifest};
use vigie_reading::text;

/// Parts of a cross-validation.
pub(super) const FOLDS: usize = 5;

/// A correction with its vector.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EncodedCorrection {
    /// Cleaned.
    pub(super) text: String,
    pub(super) label: Label,
    /// Of the head's rows.
    pub(super) class: usize,
    pub(super) at: Timestamp,
    pub(super) vector: Vec<f32>,
    /// The part of the cross-validation that it is left out of; equal texts share it.
    pub(super) fold: usize,
    /// Whether the champion has not learned from it.
    pub(super) is_new: bool,
}

/// A labelled post with its vector.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EncodedPost {
    pub(super) class: usize,
    pub(super) vector: Vec<f32>,
}

/// A held-out set.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EncodedSet {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) labels: Vec<Label>,
    pub(super) vectors: Vec<Vec<f32>>,
}

/// Everything with its vectors.
#[derive(Debug, Clone)]
pub(super) struct EncodedInput {
    pub(super) corrections: Vec<EncodedCorrection>,
    /// Corrections that may not be used.
    pub(super) withheld: usize,
    /// Corrections with a label that the champion's head does not have, or without a text.
    pub(super) unusable: usize,
    pub(super) base: Vec<EncodedPost>,
    pub(super) held_out: Vec<EncodedSet>,
    pub(super) recent: Vec<Vec<f32>>,
}

impl EncodedInput {
    /// Encodes `input` for a model like `champion`.
    ///
    /// # Errors
    /// When no correction is left to learn from, or the encoder fails.
    pub(super) fn encode(
        input: RetrainInput,
        champion: &Manifest,
        encoder: &EncoderCache<'_>,
        now: Timestamp,
    ) -> Result<Self, LabError> {
        let profile = champion.text_profile;
        let (given, learned_until) = (input.corrections.len(), learned_until(champion));
        let class_of = |label: Label| champion.labels.iter().position(|known| *known == label);
        let cleaned = input.corrections.iter().filter_map(|correction| {
            let text = text::clean(profile, &correction.text);
            Some((text, class_of(correction.label)?, correction)).filter(|(text, ..)| !text.is_empty())
        });
        let cleaned: Vec<_> = cleaned.collect();
        if cleaned.is_empty() {
            return Err(LabError::NoCorrections { given, withheld: input.withheld });
        }
        let texts = cleaned.iter().map(|(text, ..)| text.clone()).collect();
        let vectors = vectors(texts, encoder)?;
        let corrections: Vec<EncodedCorrection> = cleaned
            .into_iter()
            .zip(vectors)
            .map(|((text, class, correction), vector)| EncodedCorrection {
                fold: fold(&text),
                text,
                class,
                label: correction.label,
                at: correction.at,
                vector,
                // A clock that was wrong once must not hide a correction for ever.
                is_new: learned_until.is_none_or(|until| correction.at > until || until > now),
            })
            .collect();
        let corrected: std::collections::HashSet<String> =
            corrections.iter().map(|correction| correction.text.to_lowercase()).collect();
        let held_out = input.held_out.into_iter().map(|(name, mut set)| {
            // What people corrected is learned from, so it is not held out.
            set.posts.retain(|post| !corrected.contains(&post.text.to_lowercase()));
            let (labels, sha256) = (set.labels(), set.sha256.clone());
            Ok(EncodedSet { name, sha256, labels, vectors: of_dataset(&set, encoder)? })
        });
        let held_out = held_out.collect::<Result<Vec<_>, LabError>>()?;
        let recent = input.recent.iter().map(|post| text::clean(profile, post));
        // The champion's reading of a corrected post must not hold the head.
        let recent = recent.filter(|text| !text.is_empty() && !corrected.contains(&text.to_lowercase()));
        let recent = vectors_of_recent(recent.collect(), encoder)?;
        let base =
            input.base.as_ref().map(|base| base_posts(base, &class_of, encoder)).transpose()?.unwrap_or_default();
        let (withheld, unusable) = (input.withheld, given - corrections.len());
        Ok(Self { corrections, withheld, unusable, base, held_out, recent })
    }

    /// The vectors that tell what is usual.
    pub(super) fn reference(&self) -> impl Iterator<Item = &[f32]> + Clone {
        let base = self.base.iter().map(|post| post.vector.as_slice());
        let corrected = self.corrections.iter().map(|post| post.vector.as_slice());
        base.chain(corrected).chain(self.recent.iter().map(Vec::as_slice))
    }
}

fn base_posts(
    base: &Dataset,
    class_of: &impl Fn(Label) -> Option<usize>,
    encoder: &EncoderCache<'_>,
) -> Result<Vec<EncodedPost>, LabError> {
    let classes: Vec<Option<usize>> = base.posts.iter().map(|post| class_of(post.label)).collect();
    let posts = classes.into_iter().zip(of_dataset(base, encoder)?);
    Ok(posts.filter_map(|(class, vector)| Some(EncodedPost { class: class?, vector })).collect())
}

fn vectors_of_recent(texts: Vec<String>, encoder: &EncoderCache<'_>) -> Result<Vec<Vec<f32>>, LabError> {
    if texts.is_empty() { Ok(Vec::new()) } else { vectors(texts, encoder) }
}

/// The vectors of texts that change with every retraining, and are personal data: not cached.
fn vectors(texts: Vec<String>, encoder: &EncoderCache<'_>) -> Result<Vec<Vec<f32>>, LabError> {
    let post = |text| LabelledPost { text, label: Label::Neutral, reason: None };
    let dataset = Dataset { posts: texts.into_iter().map(post).collect(), rejected: 0, sha256: String::new() };
    Ok(split(&encoder.encode_uncached(&dataset)?, encoder.width()))
}

fn of_dataset(dataset: &Dataset, encoder: &EncoderCache<'_>) -> Result<Vec<Vec<f32>>, LabError> {
    Ok(split(&encoder.encode(dataset)?, encoder.width()))
}

fn split(features: &[f32], width: usize) -> Vec<Vec<f32>> {
    features.chunks_exact(width.max(1)).map(<[f32]>::to_vec).collect()
}

/// Until when the champion has learned from corrections.
fn learned_until(champion: &Manifest) -> Option<Timestamp> {
    champion.training[vigie_reading::classify::RETRAINING]["until"].as_str()?.parse().ok()
}

/// By bytes of the text's hash that the draws of `fit` and `dataset` do not use.
fn fold(text: &str) -> usize {
    let digest: [u8; 32] = Sha256::digest(text.to_lowercase()).into();
    let drawn = digest.iter().skip(16).take(4).fold(0_usize, |bits, byte| (bits << 8) | usize::from(*byte));
    drawn % FOLDS
}
