//! [`retrain`]: a challenger from the champion and what people corrected. Encoder and reason head stay; the label head moves
//! from the champion's as far as the corrections justify, and both heads are judged on the same posts.
//!
//! ```text
//! corrections, base data, recent posts -> encoder (cached) -> ReferenceScale -> anchored fit -> head
//! champion's head, new head -> held-out posts, left-out corrections, recent posts -> RetrainReport (RetrainVerdict)
//! ```

mod anchored;
mod fit;
mod judge;
mod report;
mod rows;
mod run_record;
mod scale;

use std::path::Path;

use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::encoder_cache::EncoderCache;
use super::model_dir::Staging;
use super::{Dataset, LabError};
use vigie_reading::classify::{Head, Label, Manifest, RETRAINING, add_probes};

pub use judge::{HeldOut, RecentPosts};
pub use report::{CorrectionCounts, CorrectionGroup, LeftOutCorrections, RetrainReport, RetrainVerdict};
pub use run_record::run_record;

/// A post whose label people gave.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrectedPost {
    /// Not cleaned.
    pub text: String,
    pub label: Label,
    /// When it was labelled.
    pub at: Timestamp,
}

/// What a retraining reads.
#[derive(Debug, Clone, Default)]
pub struct RetrainInput {
    /// The last label of each post.
    pub corrections: Vec<CorrectedPost>,
    /// Corrections that may not be used, such as those of posts from X.
    pub withheld: usize,
    /// Labelled posts that hold the head where it is; cleaned by the champion's profile.
    pub base: Option<Dataset>,
    /// Labelled posts that neither model has learned from, by name; cleaned by the champion's profile.
    pub held_out: Vec<(String, Dataset)>,
    /// Recent posts without a label, not cleaned: what is usual among them gives the features their scale, and the report says
    /// how many of them change their label.
    pub recent: Vec<String>,
}

impl RetrainInput {
    /// Number of texts that the encoder reads.
    pub fn texts(&self) -> usize {
        let of_base = self.base.as_ref().map_or(0, |base| base.posts.len());
        let held_out: usize = self.held_out.iter().map(|(_, set)| set.posts.len()).sum();
        self.corrections.len() + self.recent.len() + of_base + held_out
    }
}

/// How much corrections count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetrainSettings {
    /// A correction counts as much as this many posts of the base data; above 0.
    pub weight: f64,
    /// When the retraining runs.
    pub now: Timestamp,
}

/// The directories of a retraining.
#[derive(Debug, Clone, Copy)]
pub struct RetrainPaths<'a> {
    /// The model in use.
    pub champion: &'a Path,
    /// The configured model, of which the champion is the descendant, or which is the champion.
    pub root: &'a str,
    /// The challenger's directory; its last part is the challenger's name.
    pub out: &'a Path,
    /// Directory for the encoder's output.
    pub cache: Option<&'a Path>,
}

/// Fits a challenger, judges it beside the champion and writes it to `paths.out`.
///
/// # Errors
/// Without a correction that can be learned; when the champion has no manifest or cannot be read, or the challenger cannot be
/// written.
pub fn retrain(
    input: RetrainInput,
    settings: RetrainSettings,
    paths: RetrainPaths<'_>,
    progress: &ProgressBar,
) -> Result<(Manifest, RetrainReport), LabError> {
    let Some(champion) = Manifest::read(paths.champion)? else {
        return Err(LabError::NoManifest { path: paths.champion.to_path_buf() });
    };
    let staging = Staging::copy_encoder(paths.champion, paths.out)?;
    let mut manifest = challenger_manifest(&champion, paths.out);
    // Written before the encoder is loaded: its hash without heads names the cached features.
    manifest.write(&staging.dir())?;
    let encoder = EncoderCache::load(&staging.dir(), &manifest, paths.cache, progress)?;
    let encoded = rows::EncodedInput::encode(input, &champion, &encoder, settings.now)?;
    let current = Head::from_model_dir(paths.champion, &champion.labels)?;
    let scale = scale::ReferenceScale::fit(&encoded.reference(), encoder.width());
    let fitted = fit::fit(&encoded, &current, &scale, settings.weight)?;
    let reasons = judge::champion_reasons(paths.champion, &champion)?;
    let report = judge::report(&encoded, (&current, &champion), &fitted, reasons.as_ref());

    fitted.head.save(&staging.dir().join("head.safetensors"))?;
    if let Some(reasons) = &reasons {
        reasons.head().save(&staging.dir().join("reason_head.safetensors"))?;
        manifest.reasons.clone_from(&champion.reasons);
    }
    manifest.training = training(&champion, &encoded, &fitted, settings, paths.root);
    manifest.write(&staging.dir())?;
    // The identifier of the challenger is known only now.
    let report = RetrainReport { challenger: manifest.model_id(), ..report };
    manifest.metrics = metrics(&report);
    manifest.write(&staging.dir())?;
    add_probes(&mut manifest, &staging.dir())?;
    staging.promote()?;
    Ok((manifest, report))
}

fn challenger_manifest(champion: &Manifest, out: &Path) -> Manifest {
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut manifest = Manifest::new(&name, champion.pooling, champion.max_tokens, champion.encoder.clone());
    (manifest.text_profile, manifest.labels) = (champion.text_profile, champion.labels.clone());
    manifest
}

/// `training` of the manifest. It names no post: corrections are personal data, and a model outlives them.
fn training(
    champion: &Manifest,
    encoded: &rows::EncodedInput,
    fitted: &fit::AnchoredHead,
    settings: RetrainSettings,
    root: &str,
) -> Value {
    json!({
        RETRAINING: {
            "champion": champion.model_id(),
            "root": root,
            "at": settings.now,
            "weight": settings.weight,
            "strength": fitted.strength,
            "corrections": encoded.corrections.len(),
            "until": encoded.corrections.iter().map(|it| it.at).max(),
            "base_posts": encoded.base.len(),
        },
        "champion": champion.training,
    })
}

/// The scores of the held-out posts in the lab's format, and the report.
fn metrics(report: &RetrainReport) -> Value {
    let mut metrics = serde_json::Map::new();
    for set in &report.held_out {
        metrics.insert(set.name.clone(), json!(set.scores));
    }
    metrics.insert(RETRAINING.to_owned(), json!(report));
    Value::Object(metrics)
}

#[cfg(test)]
mod tests;
