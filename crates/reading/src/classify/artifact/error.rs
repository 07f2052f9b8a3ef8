//! [`ModelError`]: why a model directory cannot be used. Raised while loading, before the first post is read.

use std::io;
use std::path::PathBuf;

/// What a model directory must hold; ends the messages about one that is incomplete.
pub(crate) const WANTED_FILES: &str = "a model directory holds config.json, tokenizer.json, model.safetensors \
     (or model.safetensors.index.json and its shards), and either manifest.json with head.safetensors \
     or a classification head of its own";

/// Why a model could not be loaded, saved or run. Each message is one line that ends with the way out.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{}: no such file; name a model with --model DIR: {WANTED_FILES}", path.display())]
    Missing { path: PathBuf },
    #[error("{}: listed in manifest.json but not there: restore it (`git checkout -- {0}`) or name another model with --model DIR", path.display())]
    Lost { path: PathBuf },
    #[error("{}: sha256 is {found} but manifest.json says {wanted}: the file is damaged or of another model; restore it (`git checkout -- {0}`) or name another model with --model DIR", path.display())]
    Damaged { path: PathBuf, found: String, wanted: String },
    #[error("{}: not listed in manifest.json, so it belongs to another model: remove it, or name another model with --model DIR", path.display())]
    Foreign { path: PathBuf },
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
    #[error("{}: no tensor `{tensor}` of shape {wanted:?}: the weights are not those of this config.json", path.display())]
    MissingTensor { path: PathBuf, tensor: String, wanted: Vec<usize> },
    #[error("{}: tensor `{tensor}` has shape {found:?} where config.json asks for {wanted:?}", path.display())]
    Shape { path: PathBuf, tensor: String, found: Vec<usize>, wanted: Vec<usize> },
    #[error("{}: id2label names {found}; wanted negative, neutral and positive, or negative and positive: write them into id2label", path.display())]
    Labels { path: PathBuf, found: String },
    #[error("{}: no head to classify with: neither head.safetensors nor `classifier.weight` among the weights; {WANTED_FILES}", dir.display())]
    NoHead { dir: PathBuf },
    #[error(
        "a head of {weights} weights and {biases} biases does not fit {labels} labels: wanted one bias, and equally many weights, for each"
    )]
    HeadShape { weights: usize, biases: usize, labels: usize },
    #[error("{} holds {} where champion.json says {wanted}: a promoted model must stay as it was; restore it, promote another with `vigie lab promote`, or go back with `vigie lab rollback`", dir.display(), found.as_deref().unwrap_or("no model with a manifest"))]
    NotPromoted { dir: PathBuf, found: Option<String>, wanted: String },
    #[error("{}: there is no former champion to go back to", path.display())]
    NoFormer { path: PathBuf },
    #[error("the encoder failed: {0}")]
    Forward(String),
}

impl From<candle_core::Error> for ModelError {
    fn from(error: candle_core::Error) -> Self {
        Self::Forward(error.to_string())
    }
}
