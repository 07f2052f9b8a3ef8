//! The inference engine. [`Encoder`] turns texts into pooled vectors; the classifier applies its head to them and the lab
//! fits heads on them.
//!
//! To add an architecture, put it next to `distilbert`: one file with its forward pass over [`Batch`]; its `model_type` in
//! [`EncoderConfig`], which chooses it; and a variant where [`Encoder`] now holds a [`DistilBert`]. Tokenizer, batching,
//! weights and pooling are shared. `ops` and `vigie_kernels` are its building blocks, as is `candle-transformers`.
//!
//! ```text
//! texts -> tokenizer -> batch -> distilbert (weights, ops over vigie_kernels) -> pooling -> vectors
//! ```

pub(crate) mod batch;
pub(crate) mod config;
pub(crate) mod distilbert;
mod ops;
pub(crate) mod pooling;
pub(crate) mod tokenizer;
pub(crate) mod weights;

pub use pooling::Pooling;

use std::path::Path;

use rayon::prelude::*;

use self::batch::{Batch, make_batches};
use self::config::EncoderConfig;
use self::distilbert::DistilBert;
use self::tokenizer::Tokenizer;
use self::weights::Weights;
use super::ModelError;
use super::artifact::files::{CONFIG, ModelFiles, TOKENIZER};

/// Tokens per batch, padding included. Of 128 to 4096, 512 took the least CPU time per post, with little memory.
const BATCH_TOKENS: usize = 512;

/// The tokenizer of a model directory, which truncates at the model's limit, with what else its settings say.
pub(crate) fn load_tokenizer(files: &mut ModelFiles) -> Result<(Tokenizer, EncoderConfig, Pooling), ModelError> {
    let config = EncoderConfig::parse(&files.path(CONFIG), &files.read(CONFIG)?)?;
    let (pooling, max_tokens) = match files.manifest() {
        Some(manifest) => (manifest.pooling, manifest.max_tokens),
        None => (Pooling::Mean, config.max_position_embeddings),
    };
    let tokenizer = Tokenizer::parse(&files.path(TOKENIZER), &files.read(TOKENIZER)?, &config, max_tokens)?;
    Ok((tokenizer, config, pooling))
}

/// A DistilBERT encoder with its tokenizer.
#[derive(Debug)]
pub struct Encoder {
    tokenizer: Tokenizer,
    bert: DistilBert,
    pooling: Pooling,
    padding: u32,
}

impl Encoder {
    /// Loads the encoder of a model directory, with or without a head. Without a manifest no file is verified, texts are
    /// truncated at the encoder's limit, and pooling is the mean.
    pub fn load(dir: &Path) -> Result<Self, ModelError> {
        let mut files = ModelFiles::open(dir)?;
        let (encoder, _, _) = Self::from_files(&mut files)?;
        files.finish()?;
        Ok(encoder)
    }

    /// Also returns the remaining weights, for a head.
    pub(crate) fn from_files(files: &mut ModelFiles) -> Result<(Self, Weights, EncoderConfig), ModelError> {
        let (tokenizer, config, pooling) = load_tokenizer(files)?;
        let mut weights = Weights::load_encoder(files)?;
        let bert = DistilBert::load(&mut weights, &config)?;
        Ok((Self { tokenizer, bert, pooling, padding: config.pad_token_id }, weights, config))
    }

    /// The same encoder with another pooling.
    pub fn with_pooling(mut self, pooling: Pooling) -> Self {
        self.pooling = pooling;
        self
    }

    /// Values per text.
    pub fn width(&self) -> usize {
        self.pooling.width(self.bert.dim())
    }

    /// The pooled vector of each text, row-major `[texts, width]`, in the order of the texts.
    ///
    /// The same call returns the same bits. Among other texts, a text's vector may differ by rounding.
    pub fn encode(&self, texts: &[&str]) -> Result<Vec<f32>, ModelError> {
        let batches = make_batches(&self.tokenizer.encode(texts)?, BATCH_TOKENS, self.padding);
        let pooled: Vec<Vec<f32>> =
            batches.par_iter().map(|batch| self.encode_batch(batch)).collect::<Result<_, _>>()?;
        let width = self.width();
        let mut rows = vec![0.0; texts.len() * width];
        for (batch, pooled) in batches.iter().zip(&pooled) {
            for (origin, vector) in batch.origins.iter().zip(pooled.chunks_exact(width)) {
                if let Some(row) = rows.get_mut(origin * width..(origin + 1) * width) {
                    row.copy_from_slice(vector);
                }
            }
        }
        Ok(rows)
    }

    fn encode_batch(&self, batch: &Batch) -> Result<Vec<f32>, ModelError> {
        let layers = self.bert.forward(batch, &self.pooling.layers(self.bert.depth()))?;
        let (dim, width, texts) = (self.bert.dim(), self.width(), batch.lengths.len());
        let mut out = vec![0.0; texts * width];
        for (text, (length, out)) in batch.lengths.iter().zip(out.chunks_exact_mut(width)).enumerate() {
            for (hidden, out) in layers.iter().zip(out.chunks_exact_mut(dim)) {
                self.pooling.pool(hidden.chunks_exact(dim).skip(text).step_by(texts).take(*length), out);
            }
        }
        Ok(out)
    }
}
