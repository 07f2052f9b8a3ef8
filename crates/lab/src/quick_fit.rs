//! [`BareFit`]: a fit to one labelled dump without a recipe, and the recipe it stands for.

use std::path::Path;

use super::LabError;
use super::recipe::{Calibrate, Evaluate, Fit, HeadSource, Measure, Penalty, ReasonFit, Recipe, Train};
use vigie_reading::classify::{Manifest, Origin, Pooling};
use vigie_reading::dump::ReadOptions;
use vigie_reading::text::Profile;

/// Of the rows to learn from: enough for one temperature, few enough not to be missed.
const CALIBRATION: f64 = 0.1;
/// Tokens of a text where the encoder's directory has no manifest: a tweet is half as long.
const MAX_TOKENS: usize = 128;

/// What to fit to which dump.
#[derive(Debug, Clone)]
pub struct BareFit<'a> {
    pub dump: &'a Path,
    /// Name of the model.
    pub name: &'a str,
    /// Model directory; its manifest says how texts are read.
    pub encoder: &'a Path,
    pub read: ReadOptions,
    /// How far the classes are evened out: 0, each row counts the same, to 1, each class does.
    pub balance: f64,
    pub l2: Penalty,
    /// The share of the posts that is not learnt from but judged by; in (0, 1).
    pub test_share: f64,
    pub split: Split,
    /// Whether a reason head is fitted too.
    pub reasons: bool,
}

/// How the posts to judge by are parted from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// The latest.
    Time,
    /// Drawn by their text.
    Random,
}

/// The most tokens that the encoder's `config.json` has a place for; loading it tells what is wrong with that file.
fn longest(encoder: &Path) -> usize {
    let config = std::fs::read(encoder.join("config.json")).ok();
    let config = config.and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
    let longest = config.and_then(|config| config["max_position_embeddings"].as_u64());
    longest.and_then(|longest| usize::try_from(longest).ok()).unwrap_or(MAX_TOKENS)
}

impl BareFit<'_> {
    /// The recipe; its path is the dump's own, not relative to a data directory.
    ///
    /// # Errors
    /// When the encoder's manifest cannot be read.
    pub fn recipe(&self) -> Result<Recipe, LabError> {
        let (by_time, share) = (self.split == Split::Time, self.test_share);
        let of = |split: bool, share: f64| split.then_some(share);
        let train = Train {
            path: self.dump.to_path_buf(),
            first: of(by_time, 1.0 - share),
            unsampled: of(!by_time, share),
            weight: 1.0,
            balance: self.balance,
            calibrate: None,
            reasons: self.reasons,
            source: "named on the command line".to_owned(),
        };
        let evaluate = Evaluate {
            name: "held_out".to_owned(),
            path: self.dump.to_path_buf(),
            last: of(by_time, share),
            sampled: of(!by_time, share),
            measure: Measure::MacroF1,
            floor: 0.0,
            reason_floor: None,
        };
        let unknown = || {
            let told = "not told: the directory has no manifest.json".to_owned();
            let origin = Origin { name: self.encoder.display().to_string(), origin: told.clone(), licence: told };
            Manifest::new(self.name, Pooling::Mean, MAX_TOKENS.min(longest(self.encoder)), origin)
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
            calibrate: Some(Calibrate { share: CALIBRATION, on: Vec::new() }),
            reason: self.reasons.then(|| ReasonFit { l2: self.l2.clone(), balance: self.balance, least_rows: 20 }),
            train: vec![train],
            evaluate: vec![evaluate],
        })
    }
}
