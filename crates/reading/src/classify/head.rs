//! [`Head`]: multinomial logistic regression on the pooled output; the last step of a classification.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Tensor};

use super::artifact::files::{HEAD, ModelFiles};
use super::artifact::manifest::MANIFEST;
use super::engine::config::{Architecture, EncoderConfig};
use super::engine::weights::Weights;
use super::{Label, ModelError};

/// A linear layer without candle: after the encoder there are too few values to need it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense {
    /// Row-major, `[outputs, inputs]`.
    weight: Vec<f32>,
    bias: Vec<f32>,
}

impl Dense {
    /// Takes `{prefix}weight` and `{prefix}bias` from `weights`.
    pub(crate) fn load(weights: &mut Weights, prefix: &str, outputs: usize, inputs: usize) -> Result<Self, ModelError> {
        Ok(Self {
            weight: weights.take_values(&format!("{prefix}weight"), &[outputs, inputs])?,
            bias: weights.take_values(&format!("{prefix}bias"), &[outputs])?,
        })
    }

    fn inputs(&self) -> usize {
        self.weight.len() / self.bias.len().max(1)
    }

    pub(crate) fn apply(&self, input: &[f32]) -> Vec<f32> {
        let rows = self.weight.chunks_exact(self.inputs().max(1));
        rows.zip(&self.bias).map(|(row, bias)| dot(row, input) + bias).collect()
    }
}

/// Eight running sums: with a single one each addition would wait for the one before.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (blocks_a, rest_a) = a.as_chunks::<8>();
    let (blocks_b, rest_b) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (block_a, block_b) in blocks_a.iter().zip(blocks_b) {
        for ((sum, x), y) in sums.iter_mut().zip(block_a).zip(block_b) {
            *sum += x * y;
        }
    }
    sums.iter().sum::<f32>() + rest_a.iter().zip(rest_b).map(|(x, y)| x * y).sum::<f32>()
}

/// Multinomial logistic regression: `softmax(W x + b)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Head(Dense);

impl Head {
    /// `weight` is row-major `[labels, width]`, `bias` has one value per label; both in the label order of the manifest.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>) -> Result<Self, ModelError> {
        if bias.is_empty() || weight.is_empty() || !weight.len().is_multiple_of(bias.len()) {
            return Err(ModelError::HeadShape { weights: weight.len(), biases: bias.len(), labels: bias.len() });
        }
        Ok(Self(Dense { weight, bias }))
    }

    /// Writes `weight` and `bias` in f32, in the format of `head.safetensors` in a model directory.
    pub fn save(&self, path: &Path) -> Result<(), ModelError> {
        let (labels, width) = (self.0.bias.len(), self.width());
        let tensors = HashMap::from([
            ("weight", Tensor::from_slice(&self.0.weight, (labels, width), &Device::Cpu)?),
            ("bias", Tensor::from_slice(&self.0.bias, labels, &Device::Cpu)?),
        ]);
        let tensors = tensors.iter().map(|(name, tensor)| (*name, tensor));
        let bytes = safetensors::serialize(tensors, None)
            .map_err(|error| ModelError::Weights { path: path.to_path_buf(), reason: error.to_string() })?;
        std::fs::write(path, bytes).map_err(|cause| ModelError::Io { path: path.to_path_buf(), cause })
    }

    /// Takes `weight` and `bias` for `labels` labels over `width` inputs.
    pub(crate) fn load(weights: &mut Weights, labels: usize, width: usize) -> Result<Self, ModelError> {
        Dense::load(weights, "", labels, width).map(Self)
    }

    /// Loads the head of a model directory, which must have these labels in this order.
    ///
    /// # Errors
    /// When the head is missing or has another shape or other labels.
    pub fn from_model_dir(dir: &Path, labels: &[Label]) -> Result<Self, ModelError> {
        let mut files = ModelFiles::open(dir)?;
        if let Some(manifest) = files.manifest().filter(|manifest| manifest.labels != labels) {
            let reason = format!("labels are {:?}; expected {labels:?}", manifest.labels);
            return Err(ModelError::Manifest { path: dir.join(MANIFEST), reason });
        }
        Self::load_file(&mut files, HEAD, labels.len())
    }

    /// Loads `weight` and `bias` of any width, with `rows` rows.
    pub(crate) fn load_file(files: &mut ModelFiles, name: &str, rows: usize) -> Result<Self, ModelError> {
        let mut tensors = Weights::load_file(files, name)?;
        let width = tensors.dims("weight").and_then(|dims| dims.get(1).copied()).unwrap_or_default();
        Self::load(&mut tensors, rows, width)
    }

    /// The same head with its logits divided by `temperature`.
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        for value in self.0.weight.iter_mut().chain(&mut self.0.bias) {
            *value = (f64::from(*value) / temperature) as f32;
        }
        self
    }

    /// Row-major weights `[rows, width]`, and one bias per row.
    pub fn parameters(&self) -> (&[f32], &[f32]) {
        (&self.0.weight, &self.0.bias)
    }

    /// One logit per row: `W x + b`.
    pub fn logits(&self, pooled: &[f32]) -> Vec<f32> {
        self.0.apply(pooled)
    }

    /// Number of values in the pooled output that it expects.
    pub fn width(&self) -> usize {
        self.0.inputs()
    }

    /// One probability per label, summing to 1.
    pub fn probabilities(&self, pooled: &[f32]) -> Vec<f32> {
        softmax(self.0.apply(pooled))
    }
}

/// Weights of the last layer of a checkpoint's own head: one of them is there if there is a head.
pub const CHECKPOINT_HEADS: [&str; 2] = ["classifier.weight", "classifier.out_proj.weight"];

/// The classification head of a checkpoint: a hidden layer over the first token, then one row a label.
#[derive(Debug)]
pub(crate) struct CheckpointHead {
    hidden: Dense,
    activation: fn(f32) -> f32,
    classifier: Dense,
}

impl CheckpointHead {
    /// Whether the checkpoint has one.
    pub(crate) fn is_in(weights: &Weights) -> bool {
        CHECKPOINT_HEADS.iter().any(|name| weights.has(name))
    }

    /// The head of `DistilBertForSequenceClassification` and its like, which differ in names and activation.
    pub(crate) fn load(weights: &mut Weights, config: &EncoderConfig, labels: usize) -> Result<Self, ModelError> {
        let (hidden, activation, classifier): (_, fn(f32) -> f32, _) = match config.architecture() {
            Architecture::DistilBert => ("pre_classifier.", |value| value.max(0.0), "classifier."),
            Architecture::Bert => ("pooler.dense.", f32::tanh, "classifier."),
            Architecture::Roberta | Architecture::XlmRoberta => {
                ("classifier.dense.", f32::tanh, "classifier.out_proj.")
            }
        };
        Ok(Self {
            hidden: Dense::load(weights, hidden, config.dim, config.dim)?,
            activation,
            classifier: Dense::load(weights, classifier, labels, config.dim)?,
        })
    }

    pub(crate) fn probabilities(&self, first_token: &[f32]) -> Vec<f32> {
        let hidden: Vec<f32> = self.hidden.apply(first_token).into_iter().map(self.activation).collect();
        softmax(self.classifier.apply(&hidden))
    }
}

fn softmax(mut logits: Vec<f32>) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for logit in &mut logits {
        *logit = (*logit - largest).exp();
    }
    let sum: f32 = logits.iter().sum();
    for probability in &mut logits {
        *probability /= sum;
    }
    logits
}
