//! [`QuickFit`]: a fit to one labelled dump without a recipe file; it builds the recipe from flags.

use std::path::Path;

use super::recipe::{Calibrate, Evaluate, Fit, HeadSource, Measure, Penalty, ReasonFit, Recipe, Train};
use super::{LabError, Split};
use vigie_reading::classify::{Manifest, Origin, Pooling};
use vigie_reading::dump::ReadOptions;
use vigie_reading::text::Profile;

/// Share of the training rows: enough for one temperature, and the head hardly misses it.
const CALIBRATION_SHARE: f64 = 0.1;
/// Tokens per text if the encoder's directory has no manifest: twice the length of a tweet.
const MAX_TOKENS: usize = 128;

/// What to fit, and to which dump.
#[derive(Debug, Clone)]
pub struct QuickFit<'a> {
    pub dump: &'a Path,
    /// Name of the model.
    pub name: &'a str,
    /// Model directory; its manifest says how texts are prepared.
    pub encoder: &'a Path,
    pub read: ReadOptions,
    /// How far classes are balanced: from 0 (each row weighs the same) to 1 (each class does).
    pub balance: f64,
    pub l2: Penalty,
    /// Share of the posts held out for evaluation; in (0, 1).
    pub test_share: f64,
    /// Whether the held-out posts are the latest, or drawn by their text.
    pub split: Split,
    /// Whether to fit a reason head too.
    pub reasons: bool,
}

/// The maximum number of tokens in the encoder's `config.json`. Problems of that file are reported when it is loaded.
fn max_position_embeddings(encoder: &Path) -> usize {
    let config = std::fs::read(encoder.join("config.json")).ok();
    let config = config.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let maximum = config.and_then(|config| config["max_position_embeddings"].as_u64());
    maximum.and_then(|maximum| usize::try_from(maximum).ok()).unwrap_or(MAX_TOKENS)
}

impl QuickFit<'_> {
    /// The recipe; its paths are used as given, not relative to a data directory.
    ///
    /// # Errors
    /// If the encoder's manifest cannot be read.
    pub fn recipe(&self) -> Result<Recipe, LabError> {
        let (by_time, share) = (self.split == Split::Time, self.test_share);
        let share_if = |applies: bool, share: f64| applies.then_some(share);
        let train = Train {
            path: self.dump.to_path_buf(),
            first: share_if(by_time, 1.0 - share),
            unsampled: share_if(!by_time, share),
            weight: 1.0,
            balance: self.balance,
            calibrate: None,
            reasons: self.reasons,
            source: "named on the command line".to_owned(),
        };
        let evaluate = Evaluate {
            name: "held_out".to_owned(),
            path: self.dump.to_path_buf(),
            last: share_if(by_time, share),
            sampled: share_if(!by_time, share),
            measure: Measure::MacroF1,
            floor: 0.0,
            reason_floor: None,
        };
        let unknown = || {
            let unknown_origin = "unknown: the directory has no manifest.json".to_owned();
            let origin = Origin {
                name: self.encoder.display().to_string(),
                origin: unknown_origin.clone(),
                licence: unknown_origin,
            };
            Manifest::new(self.name, Pooling::Mean, MAX_TOKENS.min(max_position_embeddings(self.encoder)), origin)
        };
        let manifest = Manifest::read(self.encoder)?.unwrap_or_else(unknown);
        let text_profile: Profile = manifest.text_profile;
        Ok(Recipe {
            name: self.name.to_owned(),
            encoder: manifest.encoder,
            text_profile,
            pooling: manifest.pooling,
            max_tokens: manifest.max_tokens,
            dump: self.read.clone(),
            fit: Fit {
                head: HeadSource::Fit,
                seed: 42,
                l2: self.l2.clone(),
                max_iterations: 1000,
                tolerance: 1e-6,
                folds: 5,
            },
            calibrate: Some(Calibrate { share: CALIBRATION_SHARE, on: Vec::new() }),
            reason: self.reasons.then(|| ReasonFit { l2: self.l2.clone(), balance: self.balance, min_rows: 20 }),
            train: vec![train],
            evaluate: vec![evaluate],
        })
    }
}
