//! [`ModelError`]: why a model cannot be loaded, saved or run. Nearly all are raised while loading, before the first post.

use std::io;
use std::path::PathBuf;

/// What a model directory must contain; ends the messages about an incomplete one.
pub(crate) const DIRECTORY_HINT: &str = "a model directory contains config.json, tokenizer.json, model.safetensors \
     (or model.safetensors.index.json and its shards), and either manifest.json with head.safetensors \
     or a checkpoint with a classification head";

/// Why a model could not be loaded, saved or run. Each message is one line that ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{}: no such file; choose a model with --model DIR: {DIRECTORY_HINT}", path.display())]
    Missing { path: PathBuf },
    #[error("{}: listed in manifest.json but missing: restore it (`git checkout -- {0}`) or choose another model with --model DIR", path.display())]
    ListedFileMissing { path: PathBuf },
    #[error("{}: sha256 is {found}, but manifest.json states {expected}: the file is damaged or belongs to another model; restore it (`git checkout -- {0}`) or choose another model with --model DIR", path.display())]
    Damaged { path: PathBuf, found: String, expected: String },
    #[error("{}: not listed in manifest.json, so it belongs to another model: remove it or choose another model with --model DIR", path.display())]
    UnlistedFile { path: PathBuf },
    #[error("{}: {cause}", path.display())]
    Io { path: PathBuf, cause: io::Error },
    #[error("{}: {reason}", path.display())]
    Manifest { path: PathBuf, reason: String },
    #[error("{}: {reason}", path.display())]
    Config { path: PathBuf, reason: String },
    #[error("{}: {reason}", path.display())]
    Tokenizer { path: PathBuf, reason: String },
    #[error("{}: {reason}", path.display())]
    Weights { path: PathBuf, reason: String },
    #[error("{}: no tensor `{tensor}` of shape {expected:?}: the weights do not belong to this config.json", path.display())]
    MissingTensor { path: PathBuf, tensor: String, expected: Vec<usize> },
    #[error("{}: tensor `{tensor}` has shape {found:?}, but config.json requires {expected:?}", path.display())]
    Shape { path: PathBuf, tensor: String, found: Vec<usize>, expected: Vec<usize> },
    #[error("{}: id2label lists {found}; expected negative, neutral and positive, or negative and positive: edit id2label", path.display())]
    Labels { path: PathBuf, found: String },
    #[error("{}: no classification head: neither head.safetensors nor `classifier.weight` in the weights; {DIRECTORY_HINT}", dir.display())]
    NoHead { dir: PathBuf },
    #[error(
        "a head of {weights} weights and {biases} biases does not fit {labels} labels: expected one bias and the same number of weights for each"
    )]
    HeadShape { weights: usize, biases: usize, labels: usize },
    #[error("{} contains {}, but champion.json states {expected}: a promoted model must not change; restore it, promote another with `vigie lab promote`, or run `vigie lab rollback`", dir.display(), found.as_deref().unwrap_or("no model with a manifest"))]
    NotPromoted { dir: PathBuf, found: Option<String>, expected: String },
    #[error("{} is not a model that was retrained from the configured one ({}): retrain again with `vigie lab retrain`", dir.display(), root.as_deref().unwrap_or("without a manifest"))]
    NotRetrained { dir: PathBuf, root: Option<String> },
    #[error(
        "{name} is not promoted: its report does not say \"better\" but {verdict}; look at its figures, and use --force, or the tick on the model page, to promote it anyway"
    )]
    NotBetter { name: String, verdict: String },
    #[error("{}: no previous champion to roll back to", path.display())]
    NoPreviousChampion { path: PathBuf },
    #[error("the encoder failed: {0}")]
    Forward(String),
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        Self::Forward(error.to_string())
    }
}
